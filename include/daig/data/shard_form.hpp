#pragma once

/// What a shard looks like on the wire.
///
/// Little-endian: magic "DAIGSHRD", u32 version, u32 shard id, u8 type of features, u8 kind of
/// labels, u8 rank of a sample, u8 rank of a target, u32 zero, f32 factor and f32 divisor of the
/// features' scale, u64 samples, u64 extents of a sample, u64 extents of a target; then the
/// features, then the labels (i32 classes or f32 targets), each from the next multiple of 8 on.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <daig/core/bytes.hpp>
#include <daig/core/error.hpp>
#include <daig/core/id.hpp>
#include <daig/data/batch.hpp>
#include <daig/data/element_type.hpp>
#include <daig/data/scale.hpp>
#include <daig/data/shape.hpp>

namespace daig::data {

/// What the header of a shard says.
struct ShardForm {
  ShardId id;
  ElementType feature_type = ElementType::u8;
  LabelKind label_kind = LabelKind::classes;
  std::uint64_t samples = 0;
  Shape sample_shape;  ///< features of one sample
  Shape target_shape;  ///< targets of one sample; empty for classes
  /// Of the features on their way to the model. It travels with them, so that nobody else has to
  /// know.
  Scale feature_scale{};

  friend bool operator==(const ShardForm&, const ShardForm&) = default;
};

/// Where the parts of a shard lie, in bytes from its start.
struct ShardLayout {
  std::uint64_t features_at = 0;
  std::uint64_t feature_bytes = 0;
  std::uint64_t labels_at = 0;
  std::uint64_t label_bytes = 0;
  std::uint64_t total_bytes = 0;
};

/// Nothing when the form makes no sense: no sample, 2^32 or more of them, no element, unknown
/// types, no usable scale, more than 2^62 bytes.
inline std::optional<ShardLayout> layout_of(const ShardForm& form);

/// Writes the header. Expects `shard` to have the size of the form's layout.
inline void write_header(const ShardForm& form, std::span<std::byte> shard);

/// Reads the header of bytes that came from outside and checks that it describes exactly these
/// bytes; allocates the shapes and nothing else. @throws InputError.
inline std::pair<ShardForm, ShardLayout> read_header(std::span<const std::byte> shard);

// ---------------------------------------------------------------------------------------------

namespace detail {

inline constexpr std::uint64_t shard_magic = 0x4452'4853'4749'4144;  // "DAIGSHRD"
inline constexpr std::uint32_t shard_version = 2;

constexpr std::uint64_t next_multiple_of_8(std::uint64_t offset) {
  return (offset + 7) / 8 * 8;
}

inline std::uint64_t header_bytes(const ShardForm& form) {
  return 40 + 8 * (form.sample_shape.size() + form.target_shape.size());
}

/// Bytes of `samples` arrays of this shape; nothing when that is none or too many.
inline std::optional<std::uint64_t> bytes_of(std::uint64_t samples, const Shape& shape,
                                             std::size_t element_bytes) {
  Shape whole{samples};
  whole.insert(whole.end(), shape.begin(), shape.end());
  const auto elements = elements_in(whole, element_bytes);
  if (!elements || *elements == 0) return std::nullopt;
  return *elements * element_bytes;
}

}  // namespace detail

inline std::optional<ShardLayout> layout_of(const ShardForm& form) {
  const bool classes = form.label_kind == LabelKind::classes;
  if (!is_known(form.feature_type) || (!classes && form.label_kind != LabelKind::targets) ||
      !is_usable(form.feature_scale) || (classes && !form.target_shape.empty()) ||
      form.sample_shape.size() >= max_rank || form.target_shape.size() >= max_rank ||
      form.samples > std::numeric_limits<std::uint32_t>::max()) {
    return std::nullopt;
  }
  const auto features =
      detail::bytes_of(form.samples, form.sample_shape, size_of(form.feature_type));
  const auto labels = detail::bytes_of(form.samples, form.target_shape, sizeof(float));
  static_assert(sizeof(float) == sizeof(std::int32_t));
  if (!features || !labels) return std::nullopt;
  ShardLayout layout;
  layout.features_at = detail::header_bytes(form);
  layout.feature_bytes = *features;
  layout.labels_at = detail::next_multiple_of_8(layout.features_at + layout.feature_bytes);
  layout.label_bytes = *labels;
  layout.total_bytes = layout.labels_at + layout.label_bytes;
  return layout;
}

inline void write_header(const ShardForm& form, std::span<std::byte> shard) {
  ByteWriter writer;
  writer.put(detail::shard_magic);
  writer.put(detail::shard_version);
  writer.put(form.id.value());
  writer.put(form.feature_type);
  writer.put(form.label_kind);
  writer.put(static_cast<std::uint8_t>(form.sample_shape.size()));
  writer.put(static_cast<std::uint8_t>(form.target_shape.size()));
  writer.put(std::uint32_t{0});
  writer.put(form.feature_scale.factor);
  writer.put(form.feature_scale.divisor);
  writer.put(form.samples);
  for (const std::uint64_t extent : form.sample_shape) writer.put(extent);
  for (const std::uint64_t extent : form.target_shape) writer.put(extent);
  const std::vector<std::byte> header = writer.take();
  expects(header.size() <= shard.size(), "room for the header");
  std::copy(header.begin(), header.end(), shard.begin());
}

inline std::pair<ShardForm, ShardLayout> read_header(std::span<const std::byte> shard) {
  ByteReader reader(shard);
  if (reader.get<std::uint64_t>() != detail::shard_magic) {
    throw InputError("bytes from outside are no shard: they begin otherwise");
  }
  if (const auto version = reader.get<std::uint32_t>(); version != detail::shard_version) {
    throw InputError("a shard is of version " + std::to_string(version) + " of its format, and " +
                     std::to_string(detail::shard_version) +
                     " is known here; run the same DAIG on all ranks");
  }
  ShardForm form;
  form.id = ShardId{reader.get<std::uint32_t>()};
  form.feature_type = reader.get<ElementType>();
  form.label_kind = reader.get<LabelKind>();
  const auto sample_rank = reader.get<std::uint8_t>();
  const auto target_rank = reader.get<std::uint8_t>();
  const auto zero = reader.get<std::uint32_t>();
  form.feature_scale.factor = reader.get<float>();
  form.feature_scale.divisor = reader.get<float>();
  form.samples = reader.get<std::uint64_t>();
  for (int axis = 0; axis < sample_rank; ++axis) {
    form.sample_shape.push_back(reader.get<std::uint64_t>());
  }
  for (int axis = 0; axis < target_rank; ++axis) {
    form.target_shape.push_back(reader.get<std::uint64_t>());
  }
  const auto layout = layout_of(form);
  if (!layout || zero != 0) {
    throw InputError("the header of shard " + std::to_string(form.id.value()) +
                     " makes no sense: " + std::to_string(form.samples) + " samples of shape " +
                     to_text(form.sample_shape) + "; it was damaged on its way");
  }
  if (layout->total_bytes != shard.size()) {
    throw InputError("shard " + std::to_string(form.id.value()) + " has " +
                     std::to_string(shard.size()) + " bytes, and its header says " +
                     std::to_string(layout->total_bytes) + "; it was cut off on its way");
  }
  return {std::move(form), *layout};
}

}  // namespace daig::data
