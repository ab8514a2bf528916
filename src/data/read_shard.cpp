#include <limits>
#include <utility>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/data/read_shard.hpp>

namespace daig::data {

Shard read_shard(const Dataset& dataset, const ShardPlan& plan, ShardId shard) {
  expects(plan.samples() == dataset.count(), "a plan of this dataset's samples");
  expects(shard.value() < plan.shards(), "a shard of the plan");
  const ArraySource& features = dataset.features();
  ShardForm form;
  form.id = shard;
  form.feature_type = features.type();
  form.feature_scale = dataset.scale();
  form.label_kind = dataset.label_kind();
  form.samples = plan.samples_in(shard);
  form.sample_shape.assign(features.sample_shape().begin(), features.sample_shape().end());
  if (form.label_kind == LabelKind::targets) {
    const auto shape = dataset.labels().sample_shape();
    form.target_shape.assign(shape.begin(), shape.end());
  }
  if (!layout_of(form)) {
    throw UsageError(
        fmt::format("{}: a shard of {} samples is too large; cut the dataset into more "
                    "than {} shards",
                    features.name(), form.samples, plan.shards()));
  }

  Shard made(std::move(form));
  std::uint64_t filled = 0;
  for (std::uint64_t slot = 0; slot < plan.slots(shard); ++slot) {
    const BatchId block = plan.batch_at(shard, slot);
    const std::uint64_t first = block.value() * plan.batch_size();
    const std::uint64_t count = plan.samples_in(block);
    const auto piece = made.features_to_fill().subspan(filled * features.sample_bytes(),
                                                       count * features.sample_bytes());
    features.read(first, count, piece);
    check_finite(features, first, piece);
    if (dataset.label_kind() == LabelKind::classes) {
      dataset.read_classes(first, made.classes_to_fill().subspan(filled, count));
    } else {
      const std::size_t targets = dataset.labels().sample_size();
      dataset.read_targets(first,
                           made.targets_to_fill().subspan(filled * targets, count * targets));
    }
    filled += count;
  }
  return made;
}

}  // namespace daig::data
