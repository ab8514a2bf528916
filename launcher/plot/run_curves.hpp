#pragma once

/// What a run's ledger and events come to as curves: small, however long the run is.

#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <daig/core/id.hpp>
#include <daig/metrics/step_record.hpp>
#include <daig/store/event_reader.hpp>
#include <daig/store/run_plan.hpp>

namespace daig::launcher::plot {

inline constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

/// Consecutive steps, from `first` to before `end`.
struct StepRange {
  std::uint64_t first = 0;
  std::uint64_t end = 0;

  double middle() const { return (static_cast<double>(first) + static_cast<double>(end)) / 2; }
};

/// A few steps (one, in a short run): where their numbers lie. NaN where none of them has one.
struct FineBin {
  StepRange steps;
  double loss_sum = 0;            ///< over the samples of the steps whose loss is a number
  double samples = 0;             ///< of these
  double least_loss = no_number;  ///< a step's mean
  double most_loss = no_number;
  double least_s = no_number;  ///< how long a step took, from its opening to its commit
  double most_s = no_number;
};

/// More steps: how long they took, and who computed how many of their batches.
struct CoarseBin {
  StepRange steps;
  double median_s = no_number;
  double high_s = no_number;  ///< the high_quantile
  std::map<Rank, std::uint64_t> batches;
};

/// What an event "epoch" says; NaN for what it does not.
struct EpochQuality {
  double step = 0;  ///< steps that were done when it ended
  double accuracy = no_number;
  double val_loss = no_number;
  double val_accuracy = no_number;
};

/// What befell a member of the run; `joined` later than at its start.
enum class Change { joined, left, lost, refused };
inline constexpr std::size_t changes = 4;

struct RunCurves {
  store::RunPlan plan;
  std::uint64_t steps = 0;  ///< done
  std::vector<FineBin> fine = {};
  std::vector<CoarseBin> coarse = {};
  std::map<Rank, std::uint64_t> batches = {};  ///< of all steps
  std::vector<EpochQuality> epochs = {};       ///< in order
  /// For each kind of change: at which steps, and how often in all.
  struct Changes {
    std::vector<double> steps;
    std::uint64_t count = 0;
  };
  Changes changed[changes] = {};

  double steps_per_epoch() const {
    return static_cast<double>(plan.data.batches()) / static_cast<double>(plan.k);
  }
  std::uint64_t planned_steps() const { return (plan.batches() + plan.k - 1) / plan.k; }
};

/// Takes the steps and events of a run one by one.
///
/// Memory: a number for each bin and each volunteer in it, and one for each step of a coarse bin.
class CurveCollector {
 public:
  /// @param steps  that will come
  CurveCollector(const store::RunPlan& plan, std::uint64_t steps);

  /// The steps 0, 1, 2, ... Expects no more than were announced.
  void add(const metrics::StepRecord& step);
  /// In the file's order: what a later attempt says of an epoch counts.
  void add(const store::LoggedEvent& event);

  RunCurves finish();

  /// The kinds of events that are of use.
  static std::vector<std::string> event_kinds();

  static constexpr std::uint64_t most_fine = 1000;
  static constexpr std::uint64_t most_coarse = 120;
  static constexpr std::uint64_t steps_of_coarse = 5;  ///< at least, in all but the shortest runs
  static constexpr double high_quantile = 0.95;

 private:
  void add_time(CoarseBin& bin, double step_s);
  void close_bin(CoarseBin& bin);
  void add_epoch(const store::LoggedEvent& event);
  void add_change(Change change, double step);

  RunCurves curves_;
  std::size_t fine_ = 0;  ///< the bins that the next step goes into
  std::size_t coarse_ = 0;
  std::vector<double> times_;  ///< of the coarse bin
  std::map<std::uint64_t, EpochQuality> epochs_;
  double first_epoch_ = no_number;  ///< the number that the first one has in the events
};

/// The mean loss around each bin: over a window of a twenty-fifth of the run, shorter at the ends,
/// weighted by samples. NaN where there is no loss in the window.
std::vector<double> smoothed_loss(std::span<const FineBin> bins);

/// The value below or at which the part `quantile` of the values lies (nearest rank); NaN of none.
double quantile_of(std::vector<double> values, double quantile);

}  // namespace daig::launcher::plot
