#pragma once

/// Floats of 16 bits, as files hold them. GCC 12 and Clang 14 have no such type in C++.

#include <bit>
#include <cstdint>

namespace daig::data {

/// IEEE 754 binary16: a sign, 5 bits of exponent, 10 of mantissa. Every value is one of float, too.
struct Half {
  std::uint16_t bits = 0;

  // Implicit, as between the built-in types: loops over element types need no exception for this.
  operator float() const {  // NOLINT(google-explicit-constructor)
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16;
    const std::uint32_t rest = bits & 0x7FFFU;
    if (rest < 0x400) {  // a subnormal, or zero
      const float magnitude = static_cast<float>(rest) * 0x1p-24F;
      return sign != 0 ? -magnitude : magnitude;
    }
    // Both have their mantissa on top of their 10 or 23 bits; the exponents are biased by 15 and
    // 127.
    const std::uint32_t bias = rest < 0x7C00 ? 127 - 15 : 255 - 31;  // the latter: infinity, NaN
    return std::bit_cast<float>(sign | (rest + (bias << 10)) << 13);
  }
};

}  // namespace daig::data
