#pragma once

/// Shapes that came from outside: products are checked before anything is allocated.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace daig::data {

/// Extents, first axis first.
using Shape = std::vector<std::uint64_t>;

/// More axes than any array has (NumPy allows as many).
inline constexpr std::size_t max_rank = 32;

/// Number of elements (1 for no axes). Nothing when the array would exceed 2^62 bytes, so that
/// adding an offset to an accepted size cannot overflow either.
inline std::optional<std::uint64_t> elements_in(std::span<const std::uint64_t> shape,
                                                std::size_t element_bytes);

/// "(60000, 28, 28)", "(10,)", "()", as NumPy writes it.
inline std::string to_text(std::span<const std::uint64_t> shape);

// ---------------------------------------------------------------------------------------------

inline std::optional<std::uint64_t> elements_in(std::span<const std::uint64_t> shape,
                                                std::size_t element_bytes) {
  const std::uint64_t limit = (std::uint64_t{1} << 62) / element_bytes;
  std::uint64_t elements = 1;
  bool too_many = false;
  for (const std::uint64_t extent : shape) {
    if (extent == 0) return 0;  // whatever the other extents are
    too_many = too_many || extent > limit / elements;
    if (!too_many) elements *= extent;
  }
  if (too_many) return std::nullopt;
  return elements;
}

inline std::string to_text(std::span<const std::uint64_t> shape) {
  std::string text = "(";
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (axis > 0) text += ", ";
    text += std::to_string(shape[axis]);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

}  // namespace daig::data
