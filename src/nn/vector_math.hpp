#pragma once

/// Functions whose loops a compiler vectorises, which it does not do with the C library's. NaN
/// gives NaN. In double, which only tests compute in, they are the C library's.

#include <bit>
#include <cmath>
#include <cstdint>

namespace daig::nn {

/// e^x with a relative error below 2e-7, for x from -86 to 88; beyond, as at those ends.
///
/// x = n ln 2 + r with a whole n and |r| <= ln 2 / 2; polynomial and the two parts of ln 2 from
/// Moshier's Cephes library, expf.
inline float vector_exp(float x) {
  x = x < -86.0F ? -86.0F : x;
  x = x > 88.0F ? 88.0F : x;
  constexpr float rounder = 0x1.8p23F;  // a float this large has no digits behind the point
  const float shifted = x * 1.44269504F + rounder;
  const float n = shifted - rounder;
  const float r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  // The last digits of `shifted` are those of n: 2^n is one shift away.
  const std::uint32_t exponent = (std::bit_cast<std::uint32_t>(shifted) + 127U) << 23U;
  return ((p * r) * r + r + 1.0F) * std::bit_cast<float>(exponent);
}

/// With an error below 4e-7 of the value: a quotient of polynomials, from Eigen's
/// generic_fast_tanh_float.
inline float vector_tanh(float x) {
  x = x < -9.0F ? -9.0F : x;  // where it is 1 in single precision
  x = x > 9.0F ? 9.0F : x;
  const float s = x * x;
  float p = -2.76076847742355e-16F;
  p = p * s + 2.00018790482477e-13F;
  p = p * s + -8.60467152213735e-11F;
  p = p * s + 5.12229709037114e-08F;
  p = p * s + 1.48572235717979e-05F;
  p = p * s + 6.37261928875436e-04F;
  p = p * s + 4.89352455891786e-03F;
  float q = 1.19825839466702e-06F;
  q = q * s + 1.18534705686654e-04F;
  q = q * s + 2.26843463243900e-03F;
  q = q * s + 4.89352518554385e-03F;
  return x * p / q;
}

inline double vector_exp(double x) {
  return std::exp(x);
}
inline double vector_tanh(double x) {
  return std::tanh(x);
}

}  // namespace daig::nn
