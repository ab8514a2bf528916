#pragma once

/// A shard in memory: what a volunteer is sent once, and computes batches from in every epoch.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include <daig/core/random.hpp>
#include <daig/data/batch.hpp>
#include <daig/data/sample_order.hpp>
#include <daig/data/shard_form.hpp>
#include <daig/data/shard_plan.hpp>

namespace daig::data {

/// The samples of one shard in the file's own type (an image of u8 costs a byte a pixel), as a
/// checked view of the very bytes that travel: encoding and decoding copy nothing. What the bytes
/// are, data/shard_form.hpp says.
///
/// Threads: once it is filled, any thread may read and make batches.
class Shard {
 public:
  /// A shard of zeros, for its maker to fill. Expects a form that has a layout.
  explicit Shard(ShardForm form);

  /// Takes over bytes that came from outside. Cost: a pass over the classes.
  /// @throws InputError when they are no shard, of another version of the format, of another length
  /// than their header says, or hold a negative class.
  static Shard decode(std::vector<std::byte> bytes);

  /// The bytes that travel; they live as long as the shard.
  std::span<const std::byte> encoded() const { return bytes_; }

  const ShardForm& form() const { return form_; }
  ShardId id() const { return form_.id; }
  std::uint64_t samples() const { return form_.samples; }
  /// Memory it takes, the order of one epoch included.
  std::size_t memory_bytes() const { return bytes_.size() + samples() * sizeof(std::uint32_t); }

  /// Features of all samples, in form().feature_type, last index fastest.
  std::span<const std::byte> features() const;
  /// Class index of each sample; empty for regression.
  std::span<const std::int32_t> classes() const;
  /// Targets of all samples; empty for classes.
  std::span<const float> targets() const;

  std::span<std::byte> features_to_fill();
  std::span<std::int32_t> classes_to_fill();
  std::span<float> targets_to_fill();

  /// Makes the batch of a slot in an epoch, in the memory of `into`. Over the slots of an epoch,
  /// every sample of the shard comes exactly once.
  ///
  /// Cost: converts the batch's features; the epoch's order is drawn by its first batch and kept.
  /// @throws InputError when the shard was cut by another plan. Expects a slot of the shard.
  void batch(const ShardPlan& plan, std::uint64_t slot, Epoch epoch, Seeds seeds,
             Batch& into) const;
  Batch batch(const ShardPlan& plan, std::uint64_t slot, Epoch epoch, Seeds seeds) const;

 private:
  /// The order that was used last. Behind a pointer so that a shard can move.
  struct LastOrder {
    std::mutex mutex;
    Epoch epoch;
    std::uint64_t seed = 0;
    std::shared_ptr<const std::vector<std::uint32_t>> order;
  };

  Shard(ShardForm form, ShardLayout layout, std::vector<std::byte> bytes)
      : form_(std::move(form)), layout_(layout), bytes_(std::move(bytes)) {}

  std::size_t labels_count() const { return layout_.label_bytes / sizeof(float); }
  std::shared_ptr<const std::vector<std::uint32_t>> order_of(Epoch epoch, std::uint64_t seed) const;

  ShardForm form_;
  ShardLayout layout_;
  std::vector<std::byte> bytes_;
  std::unique_ptr<LastOrder> last_order_ = std::make_unique<LastOrder>();
};

// ---------------------------------------------------------------------------------------------

inline Shard::Shard(ShardForm form) : form_(std::move(form)) {
  const auto layout = layout_of(form_);
  expects(layout.has_value(), "a shard that has samples and fits into memory");
  layout_ = *layout;
  bytes_.resize(layout_.total_bytes);
  write_header(form_, bytes_);
}

inline Shard Shard::decode(std::vector<std::byte> bytes) {
  auto [form, layout] = read_header(bytes);
  Shard shard(std::move(form), layout, std::move(bytes));
  for (const std::int32_t label : shard.classes()) {
    if (label < 0) {
      throw InputError("a shard from outside holds the negative class " + std::to_string(label));
    }
  }
  return shard;
}

inline std::span<const std::byte> Shard::features() const {
  return std::span(bytes_).subspan(layout_.features_at, layout_.feature_bytes);
}
inline std::span<const std::int32_t> Shard::classes() const {
  if (form_.label_kind != LabelKind::classes) return {};
  return {reinterpret_cast<const std::int32_t*>(bytes_.data() + layout_.labels_at), labels_count()};
}
inline std::span<const float> Shard::targets() const {
  if (form_.label_kind != LabelKind::targets) return {};
  return {reinterpret_cast<const float*>(bytes_.data() + layout_.labels_at), labels_count()};
}

inline std::span<std::byte> Shard::features_to_fill() {
  return std::span(bytes_).subspan(layout_.features_at, layout_.feature_bytes);
}
inline std::span<std::int32_t> Shard::classes_to_fill() {
  expects(form_.label_kind == LabelKind::classes, "a shard with classes");
  return {reinterpret_cast<std::int32_t*>(bytes_.data() + layout_.labels_at), labels_count()};
}
inline std::span<float> Shard::targets_to_fill() {
  expects(form_.label_kind == LabelKind::targets, "a shard with targets");
  return {reinterpret_cast<float*>(bytes_.data() + layout_.labels_at), labels_count()};
}

inline std::shared_ptr<const std::vector<std::uint32_t>> Shard::order_of(Epoch epoch,
                                                                         std::uint64_t seed) const {
  const std::lock_guard lock(last_order_->mutex);
  if (!last_order_->order || last_order_->epoch != epoch || last_order_->seed != seed) {
    last_order_->order = std::make_shared<const std::vector<std::uint32_t>>(
        sample_order(id(), static_cast<std::uint32_t>(samples()), epoch, seed));
    last_order_->epoch = epoch;
    last_order_->seed = seed;
  }
  return last_order_->order;
}

inline void Shard::batch(const ShardPlan& plan, std::uint64_t slot, Epoch epoch, Seeds seeds,
                         Batch& into) const {
  if (id().value() >= plan.shards() || samples() != plan.samples_in(id())) {
    throw InputError(
        "shard " + std::to_string(id().value()) + " holds " + std::to_string(samples()) +
        " samples, which is not how this run's plan cuts " + std::to_string(plan.samples()) +
        " samples into " + std::to_string(plan.shards()) + " shards; it belongs to another run");
  }
  expects(slot < plan.slots(id()), "a slot of this shard");
  const BatchId id_of_batch = plan.batch_at(id(), slot);
  const auto order = order_of(epoch, seeds.order);
  const auto samples_of_slot =
      std::span(*order).subspan(slot * plan.batch_size(), plan.samples_in(id_of_batch));

  const std::size_t sample_bytes = layout_.feature_bytes / samples();
  Random noise(seeds.noise, Stream::batch, epoch.value(),
               static_cast<std::uint32_t>(id_of_batch.value()));
  into.noise_seed = draw_noise_seed(noise);
  into.samples = samples_of_slot.size();
  into.sample_size = sample_bytes / size_of(form_.feature_type);
  into.target_size = targets().size() / samples();
  into.features.resize(into.samples * into.sample_size);
  into.classes.resize(classes().empty() ? 0 : into.samples);
  into.targets.resize(into.samples * into.target_size);
  for (std::size_t i = 0; i < into.samples; ++i) {
    const std::size_t sample = samples_of_slot[i];
    to_floats(form_.feature_type, features().subspan(sample * sample_bytes, sample_bytes),
              std::span(into.features).subspan(i * into.sample_size, into.sample_size),
              form_.feature_scale);
    if (!into.classes.empty()) into.classes[i] = classes()[sample];
    std::copy_n(targets().begin() + static_cast<std::ptrdiff_t>(sample * into.target_size),
                into.target_size,
                into.targets.begin() + static_cast<std::ptrdiff_t>(i * into.target_size));
  }
}

inline Batch Shard::batch(const ShardPlan& plan, std::uint64_t slot, Epoch epoch,
                          Seeds seeds) const {
  Batch made;
  batch(plan, slot, epoch, seeds, made);
  return made;
}

}  // namespace daig::data
