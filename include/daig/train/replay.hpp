#pragma once

/// A run computed again, step after step, from the records of its steps: whoever has the data can
/// so find out whether the weights are what the volunteers said they are.

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <daig/collective/ring_sum_reference.hpp>
#include <daig/control/message.hpp>
#include <daig/core/digest.hpp>
#include <daig/core/error.hpp>
#include <daig/core/id.hpp>
#include <daig/data/batch.hpp>
#include <daig/data/shard_cache.hpp>
#include <daig/data/shard_plan.hpp>
#include <daig/metrics/step_record.hpp>
#include <daig/model/accumulator.hpp>
#include <daig/train/options.hpp>
#include <daig/train/replica.hpp>
#include <daig/train/shard_server.hpp>
#include <daig/train/task.hpp>
#include <daig/train/workload.hpp>

namespace daig::train {

/// All ranks of a run in one thread, without a communicator.
///
/// A step's record decides every bit of its sum. Each volunteer adds the gradients of its batches
/// in the order of their acceptance; then the members of the ring, which are those of the step's
/// view less a coordinator that only listens, are summed as ring_sum_reference does. What a rank
/// outside the ring is said to have computed is in no sum. The gradients themselves have the same
/// bits wherever the workload computes them in the same way: same program, same kind of processor.
///
/// Memory: the weights, the optimiser, and a sum for each rank that banks; shards within
/// options.cache_bytes.
template <Workload W>
class Replay {
 public:
  /// From the weights before step 0, with an optimiser that is fresh, or has the state given.
  /// @param options     of the run
  /// @param plan        of the run, as options.shards may have left it to be chosen
  /// @param read_shard  empty for a workload that finds its own data
  /// @throws UsageError when the optimiser's options make no sense, InputError when the state is
  /// not one of this optimiser's.
  Replay(W& workload, const Options& options, const data::ShardPlan& plan,
         std::span<const float> weights, ReadShard read_shard = {},
         const OptimizerState& optimizer_state = {});

  /// Computes the next step and applies it; returns the digest of its sum. Expects batches of the
  /// plan, and at least one sample. @throws what the workload or the reading of a shard throws.
  /// Cost: the gradients of all its batches, an addition each, and a pass for each ring member.
  std::uint64_t step(const metrics::StepRecord& record);

  /// As it is after the steps so far.
  Replica& replica() { return replica_; }

 private:
  std::vector<Rank> ring_of(const std::vector<Rank>& members) const;
  void compute(const control::Work& work);
  const data::Batch& batch_of(const control::Work& work);

  W& workload_;
  Options options_;
  data::ShardPlan plan_;
  ReadShard read_shard_;
  data::ShardCache shards_;
  data::Batch batch_;
  Replica replica_;
  std::vector<float> gradient_;
  std::vector<float> sum_;
  std::map<Rank, model::Accumulator> banks_;
};

// ---------------------------------------------------------------------------------------------

template <Workload W>
Replay<W>::Replay(W& workload, const Options& options, const data::ShardPlan& plan,
                  std::span<const float> weights, ReadShard read_shard,
                  const OptimizerState& optimizer_state)
    : workload_(workload),
      options_(options),
      plan_(plan),
      read_shard_(std::move(read_shard)),
      shards_(options.cache_bytes),
      replica_(weights, options.make_optimizer(weights.size()), Version{0}),
      gradient_(weights.size()),
      sum_(weights.size()) {
  expects(!BatchWorkload<W> || read_shard_, "where to read the shards from");
  if (!optimizer_state.empty()) restore(optimizer_state, replica_.optimizer_state());
}

template <Workload W>
std::uint64_t Replay<W>::step(const metrics::StepRecord& record) {
  expects(record.step.value() == replica_.version().value(), "the steps in their order");
  const std::vector<Rank> ring = ring_of(record.members);
  for (auto& [rank, bank] : banks_) bank.clear();
  for (const metrics::BatchRecord& batch : record.batches) {
    if (std::ranges::find(ring, batch.volunteer) == ring.end()) continue;
    compute({batch.epoch, batch.batch});
    banks_.try_emplace(batch.volunteer, gradient_.size()).first->second.add(gradient_);
  }
  std::vector<std::span<const float>> inputs;
  for (const Rank member : ring) {
    const auto bank = banks_.find(member);
    inputs.push_back(bank == banks_.end() ? std::span<const float>() : bank->second.sum());
  }
  collective::ring_sum_reference(inputs, std::span(sum_));
  replica_.apply(sum_, record.samples(), record.learning_rate);
  return digest(std::span<const float>(sum_));
}

/// As Member::make_exchange has it. A coordinator that is alone trains, whatever the options say.
template <Workload W>
std::vector<Rank> Replay<W>::ring_of(const std::vector<Rank>& members) const {
  std::vector<Rank> ring = members;
  if (const auto listener = options_.listener(static_cast<int>(members.size()))) {
    std::erase(ring, *listener);
  }
  expects(!ring.empty(), "a view with members in the ring");
  return ring;
}

template <Workload W>
void Replay<W>::compute(const control::Work& work) {
  expects(work.batch.value() < plan_.batches(), "a batch of the plan");
  const std::span<const float> weights(*replica_.weights());
  const std::optional<Contribution> computed = [&] {
    if constexpr (BatchWorkload<W>) {
      return workload_.gradient(batch_of(work), weights, gradient_, {});
    } else {
      return workload_.gradient(work, weights, gradient_, {});
    }
  }();
  expects(computed.has_value(), "a workload that stops only when it is asked to");
}

template <Workload W>
const data::Batch& Replay<W>::batch_of(const control::Work& work) {
  const ShardId id = plan_.shard_of(work.batch);
  std::shared_ptr<const data::Shard> shard = shards_.find(id);
  if (!shard) shard = shards_.insert(read_shard_(plan_, id));
  shard->batch(plan_, plan_.slot_of(work.batch), work.epoch, options_.seeds(), batch_);
  return batch_;
}

}  // namespace daig::train
