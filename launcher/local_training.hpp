#pragma once

/// What volunteers contribute: gradients, or how far weights have moved in local epochs.

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string_view>

#include <daig/model/layout.hpp>
#include <daig/optim/optimizer_options.hpp>
#include <daig/train/local_fit.hpp>
#include <daig/train/network_workload.hpp>

namespace daig::launcher {

/// With local epochs a ticket is a task, a whole shard: the run's batch is all its samples, and the
/// run's own optimiser takes the mean of what the tasks have moved.
struct LocalTraining {
  bool on = false;                ///< else contributions are gradients
  std::uint64_t total_tasks = 0;  ///< of an epoch; 0: 8 for each rank
  std::uint64_t epochs = 1;
  std::uint64_t batch_size = 64;
  optim::OptimizerOptions optimizer = {};
};

/// The workload of a run. Belongs to one compute thread.
class RunWorkload {
 public:
  RunWorkload(std::string_view spec, const LocalTraining& local);

  nn::Network<float>& network() { return network_.network(); }
  /// What the run's own optimiser has to know of the weights. (That of local epochs knows itself
  /// what to leave alone: all that it moved counts.)
  model::Layout layout_for_run() { return local_ ? model::Layout() : network().layout(); }

  std::optional<train::Contribution> gradient(const data::Batch& batch,
                                              std::span<const float> weights,
                                              std::span<float> gradient,
                                              const std::stop_token& stop) {
    return local_ ? local_->gradient(batch, weights, gradient, stop)
                  : network_.gradient(batch, weights, gradient, stop);
  }

 private:
  train::NetworkWorkload network_;
  std::optional<train::LocalFit<train::NetworkWorkload>> local_;  // of network_
};

// ---------------------------------------------------------------------------------------------

inline RunWorkload::RunWorkload(std::string_view spec, const LocalTraining& local)
    : network_(spec) {
  if (!local.on) return;
  local_.emplace(network_, train::LocalFitOptions{local.epochs, local.batch_size, local.optimizer,
                                                  network().layout()});
}

}  // namespace daig::launcher
