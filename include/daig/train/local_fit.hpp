#pragma once

/// Local epochs: a volunteer fits a copy of the model to its batch, and contributes how far the
/// weights have moved.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include <daig/core/error.hpp>
#include <daig/core/random.hpp>
#include <daig/data/batch.hpp>
#include <daig/model/layout.hpp>
#include <daig/optim/make_optimizer.hpp>
#include <daig/train/ticket_desk.hpp>
#include <daig/train/workload.hpp>

namespace daig::train {

struct LocalFitOptions {
  std::uint64_t epochs = 1;       ///< passes over the batch
  std::uint64_t batch_size = 64;  ///< samples of a local update; the last one's may be fewer
  optim::OptimizerOptions optimizer = {};  ///< of the local updates, with their learning rate
  model::Layout layout = {};  ///< of the weights; empty: they are one array, for all it cares

  /// @throws UsageError when they make no sense.
  void check() const;
};

/// Local SGD as a workload: what it says is the gradient of a batch of n samples is n (w - w'),
/// where w are the weights that the batch was granted for, and w' those after so many passes over
/// its samples, in small batches and a new order each, from w and a fresh optimiser. With plain SGD
/// of rate 1 as the run's own optimiser, a step's weights become the mean of the volunteers', by
/// the number of samples: federated averaging (McMahan et al., "Communication-efficient learning of
/// deep networks from decentralized data", 2017, algorithm 1).
///
/// The loss that it reports is the last pass's, as each small batch saw it before its update. The
/// same batch and weights give the same bits, whoever computes. Belongs to one compute thread, as
/// the workload in it. Memory: three times the weights, the optimiser, and a small batch.
template <BatchWorkload W>
class LocalFit {
 public:
  /// @param workload  the gradient of small batches; must outlive this.
  /// @throws UsageError when the options make no sense.
  LocalFit(W& workload, LocalFitOptions options)
      : workload_(workload), options_(std::move(options)) {
    options_.check();
  }

  std::optional<Contribution> gradient(const data::Batch& batch, std::span<const float> weights,
                                       std::span<float> gradient, const std::stop_token& stop);

 private:
  /// The samples at these places of a batch. `draw` is the small batch's number among all of them.
  void pick(const data::Batch& batch, std::span<const std::uint32_t> places, std::uint32_t draw);

  W& workload_;
  LocalFitOptions options_;
  std::vector<float> weights_;
  std::vector<float> step_;
  std::vector<std::uint32_t> order_;
  data::Batch small_;
};

// ---------------------------------------------------------------------------------------------

inline void LocalFitOptions::check() const {
  if (epochs == 0)
    throw UsageError("0 local epochs: a volunteer goes over its samples at least once");
  if (batch_size == 0) throw UsageError("a local batch of 0 samples: give at least 1");
  static_cast<void>(optim::make_optimizer(optimizer, 0));
}

template <BatchWorkload W>
std::optional<Contribution> LocalFit<W>::gradient(const data::Batch& batch,
                                                  std::span<const float> weights,
                                                  std::span<float> gradient,
                                                  const std::stop_token& stop) {
  weights_.assign(weights.begin(), weights.end());
  step_.resize(weights.size());
  optim::AnyOptimizer optimizer =
      optim::make_optimizer(options_.optimizer, options_.layout, weights.size());
  const auto rate = static_cast<float>(options_.optimizer.learning_rate);
  order_.resize(batch.samples);
  std::iota(order_.begin(), order_.end(), std::uint32_t{0});
  Contribution sum;
  std::uint32_t draw = 0;
  for (std::uint64_t pass = 0; pass < options_.epochs; ++pass) {
    Random random(batch.noise_seed, Stream::local, static_cast<std::uint32_t>(pass));
    shuffle(order_, random);
    sum = {};
    for (std::size_t first = 0; first < batch.samples; first += small_.samples) {
      const std::size_t size = std::min<std::size_t>(options_.batch_size, batch.samples - first);
      pick(batch, std::span(order_).subspan(first, size), draw++);
      const std::optional<Contribution> small = workload_.gradient(small_, weights_, step_, stop);
      if (!small) return std::nullopt;
      optimizer.update(weights_, step_, 1.0F / static_cast<float>(small->samples), rate, weights_);
      sum.loss_sum += small->loss_sum;
      sum.samples += small->samples;
      sum.correct += small->correct;
    }
  }
  const auto samples = static_cast<float>(batch.samples);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    gradient[i] = samples * (weights[i] - weights_[i]);
  }
  return sum;
}

template <BatchWorkload W>
void LocalFit<W>::pick(const data::Batch& batch, std::span<const std::uint32_t> places,
                       std::uint32_t draw) {
  small_.samples = places.size();
  small_.sample_size = batch.sample_size;
  small_.target_size = batch.target_size;
  small_.features.resize(places.size() * batch.sample_size);
  small_.classes.resize(batch.classes.empty() ? 0 : places.size());
  small_.targets.resize(places.size() * batch.target_size);
  const auto copy = [](const std::vector<float>& from, std::size_t place, std::size_t size,
                       std::vector<float>& into, std::size_t at) {
    std::ranges::copy(std::span(from).subspan(place * size, size),
                      std::span(into).subspan(at * size, size).begin());
  };
  for (std::size_t i = 0; i < places.size(); ++i) {
    copy(batch.features, places[i], batch.sample_size, small_.features, i);
    copy(batch.targets, places[i], batch.target_size, small_.targets, i);
    if (!batch.classes.empty()) small_.classes[i] = batch.classes[places[i]];
  }
  Random noise(batch.noise_seed, Stream::batch, draw);
  small_.noise_seed = data::draw_noise_seed(noise);
}

}  // namespace daig::train
