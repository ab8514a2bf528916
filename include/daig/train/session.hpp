#pragma once

/// The session: what a program trains through.
///
///     train::Session session(communicator, options, number_of_weights);
///     if (session.coordinates()) session.set_up({.weights = ..., .samples = ..., .read_shard =
///     ...}); train::Result result = session.run(workload);            // callback form
///
///     train::Volunteer volunteer = session.volunteer();        // own-loop form
///     while (auto ticket = volunteer.next()) { ...; ticket->bank({loss_sum, samples}); }
///     train::Result result = volunteer.finish();

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <daig/comm/communicator.hpp>
#include <daig/control/message.hpp>
#include <daig/metrics/recorder.hpp>
#include <daig/train/niceness.hpp>
#include <daig/train/options.hpp>
#include <daig/train/rank_loop.hpp>
#include <daig/train/workload.hpp>

namespace daig::train {

/// The compute side of a rank, for a program that owns its loop. The communication thread runs
/// behind it, so the communicator must not be used elsewhere until `finish` (with MPI this needs
/// MPI_THREAD_SERIALIZED, which MpiEnvironment asks for).
class Volunteer {
 public:
  explicit Volunteer(std::unique_ptr<RankLoop> loop);

  /// The next ticket; nothing once the run is over, and never anything on a rank that does not
  /// train. Waits. Only one ticket at a time: let go of the last one first.
  std::optional<Ticket> next() { return loop_->next_ticket(); }

  /// As Session::leave.
  void leave() noexcept { loop_->leave(); }

  /// Waits until the run is over on all ranks. A collective call: everybody has to get here.
  /// @throws what ended the run, on every rank.
  Result finish();

 private:
  std::unique_ptr<RankLoop> loop_;
  std::jthread communicating_;  ///< last: it uses the loop
};

/// One run, as one rank sees it. Collective: all ranks of the communicator make one, with the same
/// options, and call run or volunteer once.
class Session {
 public:
  /// @param weights  length of the flat array that is trained
  /// @throws UsageError when the options contradict themselves.
  Session(comm::Communicator& communicator, Options options, std::size_t weights);

  bool coordinates() const { return communicator_.rank() == coordinator_rank; }
  bool trains() const { return options_.trains(communicator_.rank(), communicator_.size()); }

  /// Rank 0, before the run: what to train and on what. @throws UsageError when it does not fit
  /// the options.
  void set_up(Task task);

  /// Trains to the end. The calling thread communicates; a thread of its own, at Options::nice,
  /// computes.
  /// @throws what ended the run, on every rank: what this rank's workload threw, or RunAborted.
  template <Workload W>
  Result run(W& workload);

  /// Trains in the program's own loop.
  Volunteer volunteer();

  /// Any thread, while `run` goes on or before: this rank would like to go. A volunteer gives its
  /// tickets back, and leaves once what it has banked is committed. The coordinator ends the run
  /// for all ranks, after the step that is being reduced. `run` then returns with Result::complete
  /// false.
  void leave() noexcept;

 private:
  std::unique_ptr<RankLoop> make_loop();
  void set_running(RankLoop* loop);

  comm::Communicator& communicator_;
  Options options_;
  std::size_t weights_;
  std::optional<Task> task_;
  std::mutex mutex_;
  RankLoop* running_ = nullptr;
  bool leaving_ = false;
};

// ---------------------------------------------------------------------------------------------

inline Volunteer::Volunteer(std::unique_ptr<RankLoop> loop)
    : loop_(std::move(loop)), communicating_([kept = loop_.get()] { kept->run_kept(); }) {}

inline Result Volunteer::finish() {
  communicating_.join();
  return loop_->result();
}

inline Session::Session(comm::Communicator& communicator, Options options, std::size_t weights)
    : communicator_(communicator), options_(std::move(options)), weights_(weights) {
  options_.rules(weights).check();
}

inline void Session::set_up(Task task) {
  expects(coordinates(), "to be called by rank 0");
  expects(task.weights.size() == weights_, "as many weights as the session was made for");
  if (task.samples == 0) throw UsageError("there are no samples to train on");
  if (options_.batch_size == 0 || options_.batch_size > task.samples) {
    throw UsageError(
        fmt::format("a batch of {} samples cannot be cut from a dataset of {}: choose "
                    "a batch size from 1 to {}",
                    options_.batch_size, task.samples, task.samples));
  }
  task_ = std::move(task);
}

template <Workload W>
Result Session::run(W& workload) {
  const std::unique_ptr<RankLoop> loop = make_loop();
  set_running(loop.get());
  std::jthread computing;
  if (trains()) {
    computing = std::jthread([&] {
      log::set_rank(communicator_.rank());
      be_nice(options_.nice);
      try {
        while (auto ticket = loop->next_ticket()) compute(workload, std::move(*ticket));
      } catch (...) {
        loop->fail(std::current_exception());
      }
    });
  }
  loop->run_kept();
  if (computing.joinable()) computing.join();
  set_running(nullptr);
  return loop->result();
}

inline void Session::leave() noexcept {
  const std::scoped_lock lock(mutex_);
  leaving_ = true;
  if (running_ != nullptr) running_->leave();
}

inline void Session::set_running(RankLoop* loop) {
  const std::scoped_lock lock(mutex_);
  running_ = loop;
  if (leaving_ && loop != nullptr) loop->leave();
}

inline Volunteer Session::volunteer() {
  return Volunteer(make_loop());
}

inline std::unique_ptr<RankLoop> Session::make_loop() {
  expects(!coordinates() || task_.has_value(), "set_up to be called on rank 0 before the run");
  return std::make_unique<RankLoop>(communicator_, options_, weights_, std::move(task_));
}

}  // namespace daig::train
