#pragma once

/// What each epoch came to: in training, and on data that is not trained on.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <daig/data/dataset.hpp>
#include <daig/metrics/recorder.hpp>
#include <daig/train/evaluate.hpp>
#include <daig/train/replica.hpp>

namespace daig::launcher {

struct EpochRecord {
  std::uint64_t epoch = 0;  ///< the first is 1
  Version version{0};       ///< the first with all of the epoch's batches in it
  double seconds = 0;       ///< since the run's, or this attempt's, beginning
  /// Means over the epoch's samples, each as it was found when it was trained on. (In an epoch that
  /// was under way when the run was resumed: over what was left of it.)
  double loss = 0;
  std::optional<double> accuracy;            ///< nothing where no sample is right or wrong
  std::optional<train::Quality> validation;  ///< of the weights of `version`
};

/// Finds out when an epoch is complete: tickets flow across the ends of epochs, so that its last
/// batch and the next one's first may be in the same step. Belongs to the coordinator's thread.
class EpochCounter {
 public:
  /// @param batches  of an epoch. @param done  batches of each epoch that were committed before.
  /// @param judged  whether workloads count samples as correct
  EpochCounter(std::uint64_t batches, const std::map<Epoch, std::uint64_t>& done, bool judged);

  /// The epochs that are complete with this step.
  std::vector<EpochRecord> add(const metrics::StepRecord& step);

 private:
  struct Sum {
    std::uint64_t batches = 0;  ///< those before the run was resumed, too
    std::uint64_t samples = 0;
    std::uint64_t correct = 0;
    double loss = 0;
  };

  std::uint64_t batches_;
  bool judged_;
  std::map<Epoch, Sum> open_;
};

/// Evaluates weights on a thread of its own, so that no step waits for it: one after the other, in
/// the order in which they were given. Weights that are waiting are kept: so at most 16 are, and
/// the oldest of more is given up. Any thread.
class Validator {
 public:
  /// An epoch, and its weights.
  struct Item {
    EpochRecord epoch;
    train::Weights weights;
  };

  /// @param evaluate  called on the thread; what it throws comes out of `take`.
  explicit Validator(std::function<train::Quality(std::span<const float>)> evaluate);
  Validator(const Validator&) = delete;
  Validator& operator=(const Validator&) = delete;
  Validator(Validator&&) = delete;
  Validator& operator=(Validator&&) = delete;
  /// Waits for the evaluation under way; what waits is given up.
  ~Validator();

  void give(EpochRecord epoch, train::Weights weights);
  /// What is evaluated by now, or was given up, in order.
  std::vector<Item> take();
  /// Waits until all is, then the same.
  std::vector<Item> take_all();

 private:
  void work(const std::stop_token& stop);
  std::vector<Item> take_finished();

  static constexpr std::size_t most_waiting = 16;

  std::function<train::Quality(std::span<const float>)> evaluate_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Item> waiting_;
  bool busy_ = false;
  std::vector<Item> finished_;
  std::exception_ptr failure_;
  std::jthread thread_;
};

/// When to stop because nothing gets better any more. The loss is what counts: on the validation
/// data, or in training where there is none.
class BestEpoch {
 public:
  /// @param patience  epochs without an improvement before it is time to stop; 0: never
  /// @param least_gain  what is less than this is no improvement
  BestEpoch(std::uint64_t patience, double least_gain)
      : patience_(patience), least_gain_(least_gain) {}

  /// Whether this is the best so far. An epoch that was not validated, in a run that validates,
  /// does not count: @param validates  the run has validation data.
  bool is_best(const EpochRecord& epoch, bool validates);
  bool is_time_to_stop() const { return patience_ > 0 && without_gain_ >= patience_; }
  /// 0: none so far.
  std::uint64_t best_epoch() const { return best_epoch_; }

 private:
  std::uint64_t patience_;
  double least_gain_;
  std::optional<double> best_loss_;
  std::uint64_t best_epoch_ = 0;
  std::uint64_t without_gain_ = 0;
};

/// The epochs as a table with a header, values separated by commas; what is not known is empty.
std::string history_csv(const std::vector<EpochRecord>& epochs, bool has_accuracy);

/// The event "epoch", for the run's log, and back: epochs of attempts before.
metrics::Fields fields_of(const EpochRecord& epoch);
/// The epochs in a log of events that had all their batches in weights up to `last`; later ones
/// replace earlier ones of the same number. Lines that are something else, or cut off, are skipped.
std::vector<EpochRecord> read_epochs(const std::filesystem::path& events, Version last);

}  // namespace daig::launcher
