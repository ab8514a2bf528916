#pragma once

/// Follows a run epoch by epoch: validates, keeps the history and the best model, ends it in time.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include <daig/metrics/recorder.hpp>
#include <daig/nn/network.hpp>
#include <daig/train/replica.hpp>

#include "epochs.hpp"
#include "training_job.hpp"

namespace daig::launcher {

/// Belongs to the thread of the coordinator, which hands weights over and never waits for their
/// evaluation while the run goes on.
class EpochWatch : public metrics::Recorder {
 public:
  struct Actions {
    std::function<void(std::span<const float> weights, Version)> save_best;  ///< may be empty
    std::function<void()> stop;  ///< asks for the end of the run
  };

  /// @param done    batches of each epoch that were committed before
  /// @param before  epochs that are complete already
  /// @param events  is told of each epoch
  EpochWatch(const TrainingJob& job, const std::map<Epoch, std::uint64_t>& done,
             std::vector<EpochRecord> before, metrics::Recorder& events, Actions actions);

  void step_committed(const metrics::StepRecord& step) override;
  /// The weights after the last step.
  void on_version(const train::Weights& weights, Version version);
  /// The run is over: waits until all epochs are evaluated.
  void finish();

  /// The end was asked for, as nothing had got better for long enough.
  bool has_stopped() const { return stopped_; }
  /// How good these weights are on the validation data, where that is known.
  std::optional<train::Quality> validation_of(Version version) const;
  /// 0 where none is known to be.
  std::uint64_t best_epoch() const { return best_.best_epoch(); }

 private:
  void take(const EpochRecord& epoch, const train::Weights& weights);

  const TrainingJob& job_;
  nn::Network<float> network_;  ///< the validator's
  EpochCounter counter_;
  std::vector<EpochRecord> complete_;  ///< whose weights are still to come
  std::vector<EpochRecord> epochs_;
  BestEpoch best_;
  metrics::Recorder& events_;
  Actions actions_;
  bool stopped_ = false;
  std::optional<Validator> validator_;  ///< where there is validation data; uses network_
};

}  // namespace daig::launcher
