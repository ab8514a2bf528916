#pragma once

/// A batch: samples as a model computes with them, in single precision.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <daig/core/random.hpp>
#include <daig/data/element_type.hpp>
#include <daig/data/scale.hpp>

namespace daig::data {

/// What the labels are: class indices, one a sample, in an array of shape (N) or (N, 1), or
/// targets, numbers in an array of shape (N, ...). The values are part of the shard's format.
enum class LabelKind : std::uint8_t { classes = 1, targets = 2 };

/// Features and labels of some samples. Either `classes` or `targets` is filled, never both.
///
/// Refilling a batch reuses its memory: keep one per thread.
struct Batch {
  std::size_t samples = 0;
  std::size_t sample_size = 0;        ///< features of one sample
  std::size_t target_size = 0;        ///< targets of one sample; 0 when the labels are classes
  std::vector<float> features;        ///< samples x sample_size
  std::vector<std::int32_t> classes;  ///< class index of each sample, from 0
  std::vector<float> targets;         ///< samples x target_size
  /// What a model's random layers draw from, whoever computes the batch; another for every batch of
  /// every epoch.
  std::uint64_t noise_seed = 0;
};

/// A batch's noise_seed, of two words.
inline std::uint64_t draw_noise_seed(Random& random) {
  const std::uint64_t high = random();
  return high << 32 | random();
}

/// Converts elements (`from`, aligned for their type) to float as a C++ conversion does, and scales
/// them then. Expects `from` to hold as many elements as `into`. Cost: one vectorisable pass (not
/// vectorised for f16).
inline void to_floats(ElementType type, std::span<const std::byte> from, std::span<float> into,
                      Scale scale);
/// The same by the default_scale of the type.
inline void to_floats(ElementType type, std::span<const std::byte> from, std::span<float> into);

/// The first element that is no finite number in single precision; its index, or size when all are.
/// (1e300 is finite in a file of f64, and infinite in the model.) Integers are all finite.
/// Cost: one vectorisable pass.
inline std::size_t find_not_finite(ElementType type, std::span<const std::byte> elements);

// ---------------------------------------------------------------------------------------------

inline void to_floats(ElementType type, std::span<const std::byte> from, std::span<float> into,
                      Scale scale) {
  expects(from.size() == into.size() * size_of(type), "as many elements as floats");
  with_type(type, [from, into, scale](auto element) {
    using Element = decltype(element);
    const auto* values = reinterpret_cast<const Element*>(from.data());
    if (scale == Scale{}) {  // the usual case costs no division
      for (std::size_t i = 0; i < into.size(); ++i) into[i] = static_cast<float>(values[i]);
      return;
    }
    for (std::size_t i = 0; i < into.size(); ++i) {
      into[i] = static_cast<float>(values[i]) * scale.factor / scale.divisor;
    }
  });
}

inline void to_floats(ElementType type, std::span<const std::byte> from, std::span<float> into) {
  to_floats(type, from, into, default_scale(type));
}

inline std::size_t find_not_finite(ElementType type, std::span<const std::byte> elements) {
  const std::size_t count = elements.size() / size_of(type);
  if (!is_floating(type)) return count;
  const auto search = [elements, count](auto element) -> std::size_t {
    using Element = decltype(element);
    const auto* values = reinterpret_cast<const Element*>(elements.data());
    const auto bad = [](Element value) {  // true for NaN, which compares with nothing
      constexpr float most = std::numeric_limits<float>::max();
      return !(std::abs(value) <= most);
    };
    constexpr std::size_t block = 1024;  // a loop without an exit is one that vectorises
    for (std::size_t start = 0; start < count; start += block) {
      const std::size_t end = std::min(count, start + block);
      unsigned any = 0;
      for (std::size_t i = start; i < end; ++i) any |= bad(values[i]) ? 1U : 0U;
      if (any == 0) continue;
      return static_cast<std::size_t>(std::find_if(values + start, values + end, bad) - values);
    }
    return count;
  };
  if (type == ElementType::f16) return search(Half{});
  return type == ElementType::f32 ? search(float{}) : search(double{});
}

}  // namespace daig::data
