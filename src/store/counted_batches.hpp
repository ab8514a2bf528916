#pragma once

/// Which batches of a run count already: the ledger's guard against counting one twice.

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include <daig/core/error.hpp>
#include <daig/store/ledger.hpp>
#include <daig/store/run_plan.hpp>

namespace daig::store::detail {

/// Cost: a bit for each batch of every epoch that is begun and not complete; a lookup.
///
/// In memory, since a unique index in the database costs as much time as the table itself.
class CountedBatches {
 public:
  explicit CountedBatches(const RunPlan& plan) : plan_(plan) {}

  /// Whether it is one of the plan's that does not count yet.
  bool may_add(const PlannedBatch& batch) const;
  /// Expects that it may be added.
  void add(const PlannedBatch& batch);

 private:
  struct Begun {
    std::vector<bool> counts;
    std::uint64_t left = 0;
  };

  RunPlan plan_;
  std::map<Epoch, Begun> begun_;
  std::set<Epoch> complete_;
};

// ---------------------------------------------------------------------------------------------

inline bool CountedBatches::may_add(const PlannedBatch& batch) const {
  const bool is_planned =
      batch.epoch.value() < plan_.epochs && batch.batch.value() < plan_.data.batches();
  if (!is_planned || complete_.contains(batch.epoch)) return false;
  const auto epoch = begun_.find(batch.epoch);
  return epoch == begun_.end() ||
         !epoch->second.counts[static_cast<std::size_t>(batch.batch.value())];
}

inline void CountedBatches::add(const PlannedBatch& batch) {
  expects(may_add(batch), "a planned batch that does not count yet");
  const auto [epoch, is_new] = begun_.try_emplace(batch.epoch);
  Begun& begun = epoch->second;
  const std::uint64_t batches = plan_.data.batches();
  if (is_new) begun = {std::vector<bool>(static_cast<std::size_t>(batches)), batches};
  begun.counts[static_cast<std::size_t>(batch.batch.value())] = true;
  if (--begun.left > 0) return;
  complete_.insert(batch.epoch);
  begun_.erase(epoch);
}

}  // namespace daig::store::detail
