#pragma once

/// How good a network is on a dataset. Link daig::nn and daig::data.

#include <algorithm>
#include <cstdint>
#include <span>

#include <daig/data/dataset.hpp>
#include <daig/nn/network.hpp>
#include <daig/train/network_workload.hpp>

namespace daig::train {

struct Quality {
  double loss = 0;      ///< mean over the samples
  double accuracy = 0;  ///< part of the samples whose largest output is their class; 0 for targets
  std::uint64_t samples = 0;
};

/// Goes through the whole dataset in pieces of 1,000 samples; memory for one of them.
/// @throws InputError when data and network do not fit, as read_batch and Network::evaluate.
inline Quality evaluate(nn::Network<float>& network, std::span<const float> weights,
                        const data::Dataset& dataset) {
  constexpr std::uint64_t piece = 1000;
  data::Batch batch;
  nn::Loss total;
  for (std::uint64_t first = 0; first < dataset.count(); first += piece) {
    data::read_batch(dataset, first, std::min(piece, dataset.count() - first), batch);
    total += network.evaluate(weights, samples_of(batch));
  }
  const auto samples = static_cast<double>(total.samples);
  return {total.loss_sum / samples, static_cast<double>(total.correct) / samples, total.samples};
}

}  // namespace daig::train
