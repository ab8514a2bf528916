#pragma once

/// A neural network as a workload. Link daig::nn.

#include <optional>
#include <span>
#include <stop_token>
#include <string_view>

#include <daig/data/batch.hpp>
#include <daig/nn/network.hpp>
#include <daig/train/workload.hpp>

namespace daig::train {

/// A batch as a network takes it; it points into the batch.
inline nn::Samples<float> samples_of(const data::Batch& batch) {
  return {batch.features, batch.classes, batch.targets, batch.noise_seed};
}

/// Adapts a network to the BatchWorkload concept. Belongs to one compute thread.
class NetworkWorkload {
 public:
  explicit NetworkWorkload(std::string_view spec) : network_(spec) {}

  nn::Network<float>& network() { return network_; }

  std::optional<Contribution> gradient(const data::Batch& batch, std::span<const float> weights,
                                       std::span<float> gradient, const std::stop_token& stop) {
    nn::Loss loss;
    if (!network_.gradient(weights, samples_of(batch), gradient, stop, loss)) return std::nullopt;
    return Contribution{loss.loss_sum, loss.samples, loss.correct};
  }

 private:
  nn::Network<float> network_;
};

}  // namespace daig::train
