#pragma once

/// What features are multiplied by on their way to the model.

#include <charconv>
#include <cstddef>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

#include <daig/data/element_type.hpp>

namespace daig::data {

/// x becomes x * factor / divisor, in single precision. A fraction keeps both its parts: with
/// 1/255, a pixel becomes the very float that NumPy gets from x / 255, and not the one of x *
/// 0.003921569.
struct Scale {
  float factor = 1;
  float divisor = 1;

  friend bool operator==(const Scale&, const Scale&) = default;
};

/// Finite, and no zero: anything else would wipe the features out.
constexpr bool is_usable(Scale scale);

/// What features of a type are scaled by unless told otherwise: bytes from 0 ... 255 to 0 ... 1, as
/// images are trained on; others not.
constexpr Scale default_scale(ElementType type);

/// Reads "1/255", "0.5" or "2"; nothing when it is something else, or not usable.
inline std::optional<Scale> parse_scale(std::string_view text);

// ---------------------------------------------------------------------------------------------

constexpr bool is_usable(Scale scale) {
  constexpr float most = std::numeric_limits<float>::max();
  const auto usable = [](float value) { return value != 0 && value >= -most && value <= most; };
  return usable(scale.factor) && usable(scale.divisor);
}

constexpr Scale default_scale(ElementType type) {
  return type == ElementType::u8 ? Scale{1, 255} : Scale{};
}

inline std::optional<Scale> parse_scale(std::string_view text) {
  const auto read = [](std::string_view word, float& value) {
    const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    return error == std::errc() && stop == word.data() + word.size();
  };
  Scale scale;
  const std::size_t slash = text.find('/');
  if (!read(text.substr(0, slash), scale.factor)) return std::nullopt;
  if (slash != text.npos && !read(text.substr(slash + 1), scale.divisor)) return std::nullopt;
  if (!is_usable(scale)) return std::nullopt;
  return scale;
}

}  // namespace daig::data
