#pragma once

/// One rank's part in a run: its member, on rank 0 the coordinator beside it, and their loop.

#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <daig/comm/communicator.hpp>
#include <daig/core/log.hpp>
#include <daig/train/bank.hpp>
#include <daig/train/coordinator_loop.hpp>
#include <daig/train/member.hpp>
#include <daig/train/options.hpp>
#include <daig/train/replica.hpp>
#include <daig/train/task.hpp>
#include <daig/train/ticket.hpp>
#include <daig/train/workbench.hpp>

namespace daig::train {

/// Owns all that a rank needs while a run lasts. One thread communicates (run_kept), one may
/// compute (next_ticket, fail); they meet at the desk.
class RankLoop {
 public:
  /// @param task  rank 0's; nothing elsewhere
  RankLoop(comm::Communicator& communicator, const Options& options, std::size_t weights,
           std::optional<Task> task);
  RankLoop(const RankLoop&) = delete;
  RankLoop& operator=(const RankLoop&) = delete;
  RankLoop(RankLoop&&) = delete;
  RankLoop& operator=(RankLoop&&) = delete;
  ~RankLoop() = default;

  /// Communicates until the run is over. Keeps what it would throw for `result`.
  void run_kept() noexcept;
  /// After run_kept. @throws what ended the run.
  Result result();

  /// Compute thread: the next ticket, or nothing when there will be none.
  std::optional<Ticket> next_ticket();
  /// Any thread: this rank would like to go. A volunteer is let go once what it has banked is
  /// committed; the coordinator ends the run for all, after the step that is being reduced.
  void leave() noexcept;

  /// Compute thread: its program threw.
  void fail(std::exception_ptr failure) { desk_.fail(std::move(failure)); }

 private:
  /// Counts the samples of this run, and passes everything on to the task's recorder.
  class Counter final : public metrics::Recorder {
   public:
    explicit Counter(RankLoop& loop) : loop_(loop) {}
    void step_committed(const metrics::StepRecord& step) override;
    void event(std::string_view kind, const metrics::Fields& fields) override;

   private:
    RankLoop& loop_;
  };

  void run();
  void tell_failure(ExitCode code, const std::string& reason);
  void drain();
  static std::vector<float> first_weights(std::size_t weights, const std::optional<Task>& task);
  std::optional<control::Coordinator> make_coordinator(const Task& task);

  comm::Communicator& communicator_;
  comm::Channel channel_;
  Options options_;
  std::optional<Task> task_;
  Replica replica_;
  TicketDesk desk_;
  Bank bank_;
  Workbench bench_;
  std::optional<CoordinatorLoop> coordinator_;
  std::optional<Member> member_;
  TimePoint started_ = Clock::now();
  std::uint64_t samples_ = 0;
  Counter counter_{*this};
  std::atomic<bool> leaving_ = false;
  std::exception_ptr failure_;
  Result result_;
};

}  // namespace daig::train

#ifndef DAIG_COMPILED
#include <daig/train/detail/rank_loop.ipp>
#endif
