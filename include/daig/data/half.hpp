#pragma once

/// Floats of 16 bits, as files hold them. GCC 12 and Clang 14 have no such type in C++.

#include <cmath>
#include <cstdint>
#include <limits>

namespace daig::data {

/// IEEE 754 binary16: a sign, 5 bits of exponent, 10 of mantissa. Every value is one of float, too.
struct Half {
  std::uint16_t bits = 0;

  // Implicit, as between the built-in types: loops over element types need no exception for this.
  operator float() const {  // NOLINT(google-explicit-constructor)
    const unsigned exponent = bits >> 10 & 0x1F;
    const unsigned mantissa = bits & 0x3FF;
    float magnitude = 0;
    if (exponent == 0x1F) {
      magnitude = mantissa == 0 ? std::numeric_limits<float>::infinity()
                                : std::numeric_limits<float>::quiet_NaN();
    } else if (exponent == 0) {  // subnormal
      magnitude = std::ldexp(static_cast<float>(mantissa), -24);
    } else {
      magnitude = std::ldexp(static_cast<float>(mantissa | 0x400), static_cast<int>(exponent) - 25);
    }
    return (bits & 0x8000) != 0 ? -magnitude : magnitude;
  }
};

}  // namespace daig::data
