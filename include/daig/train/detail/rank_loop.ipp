// The bodies of train/rank_loop.hpp.

#pragma once

#include <algorithm>

#include <fmt/format.h>

#include <daig/core/inline.hpp>
#include <daig/train/rank_loop.hpp>

namespace daig::train {

DAIG_INLINE RankLoop::RankLoop(comm::Communicator& communicator, const Options& options,
                               std::size_t weights, std::optional<Task> task)
    : communicator_(communicator),
      channel_(communicator.open_channel()),
      options_(options),
      task_(std::move(task)),
      replica_(first_weights(weights, task_), options.make_optimizer(weights),
               task_ ? task_->version : Version{0}),
      desk_([&communicator] { communicator.wake(); }),
      bank_(weights),
      bench_(
          desk_, weights,
          [&] {
            const auto slow = options.slowdown.find(communicator.rank());
            return slow == options.slowdown.end() ? 1.0 : slow->second;
          }(),
          options.layout) {
  if (task_) {
    if (task_->version.value() > 0 || !task_->optimizer_state.empty()) {
      restore(task_->optimizer_state, replica_.optimizer_state());
    }
    coordinator_.emplace(communicator_, channel_, *make_coordinator(*task_), task_->read_shard,
                         counter_);
  }
  const bool trains = options_.trains(communicator_.rank(), communicator_.size());
  member_.emplace(communicator_, channel_, replica_, trains ? &desk_ : nullptr, bank_,
                  MemberOptions{.listener = options_.listener(communicator_.size()),
                                .settings_digest = options_.digest(weights),
                                .cache_bytes = options_.cache_bytes,
                                .heartbeat = options_.heartbeat(),
                                .orphan_limit = options_.orphan_limit,
                                .on_milestone = options_.on_milestone});
  if (task_ && task_->on_version) {
    member_->on_commit([this](const control::Commit&) { task_->on_version(replica_); });
  }
}

DAIG_INLINE std::vector<float> RankLoop::first_weights(std::size_t weights,
                                                       const std::optional<Task>& task) {
  return task ? task->weights : std::vector<float>(weights);
}

DAIG_INLINE std::optional<control::Coordinator> RankLoop::make_coordinator(const Task& task) {
  const std::uint64_t batches = (task.samples + options_.batch_size - 1) / options_.batch_size;
  const auto ranks = static_cast<std::uint64_t>(communicator_.size());
  // Eight shards a volunteer: the faster ones can take over whole shards of the slower ones.
  std::uint64_t shards = options_.shards == 0 ? 8 * ranks : options_.shards;
  shards = std::clamp<std::uint64_t>(shards, 1, batches);
  const data::ShardPlan plan(task.samples, options_.batch_size, shards);
  control::BatchQueue queue(plan, Epoch{static_cast<std::uint32_t>(options_.epochs)}, task.done);
  control::Rules rules = options_.rules(task.weights.size());
  rules.first_exchange = channel_.first_exchange();
  rules.has_dataset = static_cast<bool>(task.read_shard);
  return control::Coordinator(std::move(rules), std::move(queue),
                              comm::view_of_all(communicator_.size()), task.version);
}

DAIG_INLINE void RankLoop::Counter::step_committed(const metrics::StepRecord& step) {
  loop_.samples_ += step.samples();
  const auto reach = [&](Milestone milestone) {
    const OnMilestone& told = loop_.options_.on_milestone;
    if (told) told(milestone, Version{step.step.value()});
  };
  reach(Milestone::agreed);
  if (loop_.task_->recorder != nullptr) loop_.task_->recorder->step_committed(step);
  reach(Milestone::recorded);
}

DAIG_INLINE void RankLoop::Counter::event(std::string_view kind, const metrics::Fields& fields) {
  if (loop_.task_->recorder != nullptr) loop_.task_->recorder->event(kind, fields);
}

DAIG_INLINE void RankLoop::leave() noexcept {
  leaving_ = true;
  communicator_.wake();
}

DAIG_INLINE std::optional<Ticket> RankLoop::next_ticket() {
  bank_.add_deposits();
  std::optional<Assignment> assignment = desk_.next();
  if (!assignment) return std::nullopt;
  return Ticket(bench_, std::move(*assignment));
}

DAIG_INLINE void RankLoop::run_kept() noexcept {
  try {
    run();
  } catch (const RunAborted&) {
    failure_ = std::current_exception();  // everybody knows
  } catch (const Error& error) {
    failure_ = std::current_exception();
    tell_failure(error.exit_code(), error.what());
  } catch (const std::exception& error) {
    failure_ = std::current_exception();
    tell_failure(ExitCode::failure, error.what());
  } catch (...) {
    failure_ = std::current_exception();
    tell_failure(ExitCode::failure, "an exception of unknown type");
  }
  drain();
  desk_.close();
}

DAIG_INLINE void RankLoop::run() {
  log::set_rank(communicator_.rank());
  while (!member_->over() || (coordinator_ && !coordinator_->coordinator().over())) {
    if (leaving_.exchange(false)) coordinator_ ? coordinator_->stop() : member_->leave();
    bool busy = coordinator_ && coordinator_->progress();
    busy = member_->progress() || busy;
    if (busy) continue;
    // Whatever should not be slept on comes with a nudge, where ranks can nudge each other.
    Duration nap = std::chrono::milliseconds(5);
    comm::Urgency urgency = member_->urgency();
    if (coordinator_) {
      const Duration leeway = coordinator_->leeway();
      if (leeway < std::chrono::microseconds(100)) {
        urgency = std::min(urgency, comm::Urgency::soon);
      } else {
        nap = std::min(nap, leeway);
      }
    }
    communicator_.park(Deadline::in(nap), urgency);
  }
  result_ = {*replica_.weights(),
             replica_.version(),
             seconds(Clock::now() - started_),
             samples_,
             save(replica_.optimizer_state()),
             member_->complete(),
             member_->has_lost()};
  if (result_.has_lost) communicator_.forgo_farewell();
}

DAIG_INLINE Result RankLoop::result() {
  if (failure_) std::rethrow_exception(failure_);
  return std::move(result_);
}

/// The coordinator tells everybody; everybody else tells the coordinator.
DAIG_INLINE void RankLoop::tell_failure(ExitCode code, const std::string& reason) {
  try {
    if (coordinator_) {
      coordinator_->abort(code, reason);
    } else {
      const control::Message failed = control::Failed{static_cast<std::int32_t>(code), reason};
      communicator_.post(coordinator_rank, channel_.to_coordinator(),
                         control::encode_frame({&failed, 1}));
    }
  } catch (const std::exception& error) {
    log::error("could not tell the others that this rank failed: {}", error.what());
  } catch (...) {
    failure_ = std::current_exception();  // no report: what simulates a death, for one
  }
}

/// Last words must leave before the rank does.
DAIG_INLINE void RankLoop::drain() {
  try {
    const Deadline deadline = Deadline::in(std::chrono::seconds(2));
    while (communicator_.collect_kept() > 0 && !deadline.expired()) communicator_.park(deadline);
  } catch (const Error& error) {
    log::warning("last words may be lost: {}", error.what());
  } catch (...) {
    failure_ = std::current_exception();
  }
}

}  // namespace daig::train
