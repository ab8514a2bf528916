#pragma once

/// What a compute thread works with, from one ticket to the next.

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

#include <daig/core/deadline.hpp>
#include <daig/core/error.hpp>
#include <daig/data/batch.hpp>
#include <daig/model/layout.hpp>
#include <daig/train/buffer_pool.hpp>
#include <daig/train/ticket_desk.hpp>

namespace daig::train {

/// Belongs to the compute thread, and outlives its tickets.
class Workbench {
 public:
  /// @param slowdown  1 for as fast as it goes; f makes every batch take f times as long, for
  ///                  experiments with stragglers
  /// @param layout    of the weights, as train::Options has it
  Workbench(TicketDesk& desk, std::size_t weights, double slowdown, model::Layout layout)
      : desk_(desk), gradients_(weights), slowdown_(slowdown), layout_(std::move(layout)) {}

  TicketDesk& desk() { return desk_; }
  const model::Layout& layout() const { return layout_; }
  Buffer gradient_buffer() { return gradients_.acquire(); }
  /// The samples of an assignment, in this bench's one batch.
  const data::Batch& batch(const Assignment& assignment);
  /// Sleeps as long as a slower machine would have gone on, or until the ticket is void.
  void slow_down(Duration computed, const std::stop_token& stop) const;

 private:
  TicketDesk& desk_;
  BufferPool gradients_;
  double slowdown_;
  model::Layout layout_;
  data::Batch batch_;
};

// ---------------------------------------------------------------------------------------------

inline const data::Batch& Workbench::batch(const Assignment& assignment) {
  expects(assignment.shard && assignment.plan, "a run with a dataset");
  assignment.shard->batch(*assignment.plan, assignment.plan->slot_of(assignment.work.batch),
                          assignment.work.epoch, assignment.seeds, batch_);
  return batch_;
}

inline void Workbench::slow_down(Duration computed, const std::stop_token& stop) const {
  if (slowdown_ <= 1) return;
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  const auto pause = std::chrono::duration_cast<Duration>(computed * (slowdown_ - 1));
  never.wait_for(lock, stop, pause, [] { return false; });
}

}  // namespace daig::train
