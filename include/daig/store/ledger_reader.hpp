#pragma once

/// Reading a ledger back: the steps that count, one after the other, as they were recorded.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include <daig/metrics/step_record.hpp>
#include <daig/store/run_plan.hpp>

namespace daig::store {

/// Walks the steps that count, over all attempts: 0, 1, 2, ... Sees one moment of the ledger,
/// whatever is written meanwhile.
///
/// What it gives can be worked with unchecked: steps are numbered without a gap; each has members,
/// and at least one batch and one sample; each batch is one of the plan; a step's totals are those
/// of its batches. Whether the whole is what was asked for, store::audit says.
///
/// Threads: one at a time. Memory: one step.
class LedgerReader {
 public:
  /// @throws InputError when the file is no ledger.
  explicit LedgerReader(const std::filesystem::path& ledger);
  LedgerReader(const LedgerReader&) = delete;
  LedgerReader& operator=(const LedgerReader&) = delete;
  LedgerReader(LedgerReader&&) = delete;
  LedgerReader& operator=(LedgerReader&&) = delete;
  ~LedgerReader();

  const Configuration& configuration() const;
  const RunPlan& plan() const;
  /// Steps that count.
  std::uint64_t steps() const;

  /// The next step; nothing after the last one. A rate or loss that is no number comes back as NaN.
  /// @throws InputError naming the step when the ledger contradicts itself there; then nothing more
  /// can be read.
  std::optional<metrics::StepRecord> next();

 private:
  class Impl;

  std::unique_ptr<Impl> impl_;
};

}  // namespace daig::store
