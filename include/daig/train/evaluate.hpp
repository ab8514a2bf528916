#pragma once

/// How good a network is on a dataset. Link daig::nn and daig::data.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

#include <daig/data/dataset.hpp>
#include <daig/nn/network.hpp>
#include <daig/train/network_workload.hpp>

namespace daig::train {

struct Quality {
  double loss = 0;                 ///< mean over the samples
  std::optional<double> accuracy;  ///< part of what was judged that is right; nothing for numbers
  std::uint64_t samples = 0;
  // Means over samples and outputs, where the network's metrics ask for them and labels are
  // targets.
  std::optional<double> mean_squared_error = {};
  std::optional<double> mean_absolute_error = {};
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
  Quality quality;
  quality.loss = total.loss_sum / samples;
  quality.samples = total.samples;
  if (total.judged > 0) {
    quality.accuracy = static_cast<double>(total.correct) / static_cast<double>(total.judged);
  }
  if (dataset.label_kind() == data::LabelKind::targets) {
    const nn::Metrics& metrics = network.metrics();
    if (metrics.squared_error) quality.mean_squared_error = total.squared_error_sum / samples;
    if (metrics.absolute_error) quality.mean_absolute_error = total.absolute_error_sum / samples;
  }
  return quality;
}

}  // namespace daig::train
