#pragma once

/// What a program brings: a function from weights and a batch to a gradient.

#include <concepts>
#include <optional>
#include <span>
#include <stop_token>

#include <daig/control/message.hpp>
#include <daig/data/batch.hpp>
#include <daig/train/ticket.hpp>
#include <daig/train/ticket_desk.hpp>

namespace daig::train {

/// `workload.gradient(batch, weights, gradient, stop)` computes, for the samples of a batch, the
/// gradient of the *sum* of their losses at the given weights, overwriting `gradient`, and returns
/// the loss sum and the number of samples; nothing when it stopped because `stop` was requested.
/// Check `stop` often enough (between micro-batches): from then on the result is worthless.
///
/// Called from one thread, the rank's compute thread. What it throws ends the run.
template <class W>
concept BatchWorkload = requires(W workload, const data::Batch& batch,
                                 std::span<const float> weights, std::span<float> gradient,
                                 std::stop_token stop) {
  {
    workload.gradient(batch, weights, gradient, stop)
    } -> std::same_as<std::optional<Contribution>>;
};

/// The same for a program that finds its own data, knowing which batch of which epoch is meant.
template <class W>
concept WorkWorkload = requires(W workload, const control::Work& work,
                                std::span<const float> weights, std::span<float> gradient,
                                std::stop_token stop) {
  { workload.gradient(work, weights, gradient, stop) } -> std::same_as<std::optional<Contribution>>;
};

template <class W>
concept Workload = BatchWorkload<W> || WorkWorkload<W>;

/// Computes one ticket and banks it, or lets it go.
template <Workload W>
void compute(W& workload, Ticket ticket) {
  const std::optional<Contribution> contribution = [&] {
    if constexpr (BatchWorkload<W>) {
      return workload.gradient(ticket.batch(), ticket.weights(), ticket.gradient(),
                               ticket.stop_token());
    } else {
      return workload.gradient(ticket.work(), ticket.weights(), ticket.gradient(),
                               ticket.stop_token());
    }
  }();
  if (contribution) ticket.bank(*contribution);
}

}  // namespace daig::train
