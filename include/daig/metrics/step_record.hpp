#pragma once

/// What is known of a committed step: the accounts' unit of truth.

#include <cstdint>
#include <vector>

#include <daig/core/id.hpp>

namespace daig::metrics {

/// One batch that a volunteer computed and the coordinator accepted.
struct BatchRecord {
  Epoch epoch;
  BatchId batch;
  Rank volunteer;
  std::uint64_t samples = 0;
  double loss_sum = 0;        ///< over the batch's samples
  double service_s = 0;       ///< how long the volunteer computed, by its own clock
  std::uint64_t correct = 0;  ///< of the samples; 0 where nobody counts them
};

/// One weights update. Written once, when every member holds the same sum.
struct StepRecord {
  StepId step;
  ViewId view;
  std::vector<Rank> members;  ///< of the view, in ring order
  std::uint64_t sum_digest = 0;
  double learning_rate = 0;
  double opened_s = 0;               ///< seconds since the run began, like the next two
  double closed_s = 0;               ///< the K-th batch was banked
  double committed_s = 0;            ///< all members had reduced
  std::vector<BatchRecord> batches;  ///< in the order in which they were accepted

  std::uint64_t samples() const {
    std::uint64_t sum = 0;
    for (const BatchRecord& batch : batches) sum += batch.samples;
    return sum;
  }
  double loss_sum() const {
    double sum = 0;
    for (const BatchRecord& batch : batches) sum += batch.loss_sum;
    return sum;
  }
};

}  // namespace daig::metrics
