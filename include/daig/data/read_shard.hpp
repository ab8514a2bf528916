#pragma once

/// Cutting a shard out of a dataset.

#include <daig/core/id.hpp>
#include <daig/data/dataset.hpp>
#include <daig/data/shard.hpp>
#include <daig/data/shard_plan.hpp>

namespace daig::data {

/// Reads the samples of one shard, in the order of the files, and checks them.
///
/// Cost: two reads a block of the plan (features, labels), the memory of the shard, a pass to
/// check.
/// @throws InputError naming the file and the sample of a label or a number that cannot be used;
/// UsageError when the shard has 2^32 samples or more. Expects a plan of the dataset's samples.
Shard read_shard(const Dataset& dataset, const ShardPlan& plan, ShardId shard);

}  // namespace daig::data
