#pragma once

/// The ledger: who computed which (epoch, batch), accepted in which step; the proof that nothing is
/// lost or counted twice. One SQLite file, described in docs/formats.md and in its own schema.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include <daig/core/id.hpp>
#include <daig/metrics/recorder.hpp>
#include <daig/store/run_plan.hpp>

namespace daig::store {

/// One unit of work of the plan.
struct PlannedBatch {
  Epoch epoch;
  BatchId batch;

  friend auto operator<=>(const PlannedBatch&, const PlannedBatch&) = default;
};

/// Writes the accounts of one run.
///
/// A run may take several attempts. An attempt that resumes from a snapshot does the later steps
/// again: their rows stay, marked as superseded, so that the work is seen but not counted.
///
/// Threads: one, the coordinator's. Anybody may read the file meanwhile. All members throw IoError,
/// naming the file and SQLite's reason, when it cannot be written.
class Ledger : public metrics::Recorder {
 public:
  /// Begins the ledger of a new run, with attempt 1.
  /// @throws InputError when the configuration holds no plan (run_plan.hpp);
  ///         UsageError when the file is already there.
  static Ledger create(const std::filesystem::path& path, const Configuration& configuration);

  /// Goes on with the ledger of a run whose weights are back at version `from`: begins a new
  /// attempt and marks the steps from that one on as superseded, all at once.
  /// @throws InputError when the file is no ledger, or knows fewer steps than the weights hold.
  static Ledger resume(const std::filesystem::path& path, Version from);

  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;
  Ledger(Ledger&&) = delete;
  Ledger& operator=(Ledger&&) = delete;
  ~Ledger() override;

  /// Enters a step and its batches, all or nothing. Expects the next step in order.
  /// @throws ContractViolation when a batch was committed before, or is none of the plan's.
  /// Cost: one transaction, no wait for the disk: what was entered survives the end of the process,
  /// but the last steps may be lost when the machine fails, until `sync`.
  void commit(const metrics::StepRecord& step);
  void step_committed(const metrics::StepRecord& step) override { commit(step); }

  /// Enters that the run ends with the steps that are committed, because whoever started it wanted
  /// no more: the audit then does not miss the rest. A resume takes it back. Syncs.
  void end_early();

  /// Waits until everything entered is on the disk. To be called before a snapshot is written, so
  /// that no snapshot ever knows more steps than the ledger.
  void sync();

  const Configuration& configuration() const;
  /// The number of committed steps that count: the weights version.
  Version committed() const;
  /// What the committed steps hold, sorted: what a resumed run must not do again.
  std::vector<PlannedBatch> committed_batches() const;

 private:
  class Impl;
  explicit Ledger(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

/// What a run was asked to do; leaves the file as it is.
/// @throws InputError when the file is no ledger.
Configuration read_configuration(const std::filesystem::path& ledger);

}  // namespace daig::store
