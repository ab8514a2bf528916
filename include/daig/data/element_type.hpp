#pragma once

/// What the numbers of an array are, in files, in memory and on the wire.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <daig/core/error.hpp>
#include <daig/data/half.hpp>

namespace daig::data {

static_assert(std::endian::native == std::endian::little,
              "arrays are kept, and sent, as the memory of a little-endian machine");

/// The values are part of the shard's wire format. A boolean is a byte, 0 or 1.
enum class ElementType : std::uint8_t {
  u8 = 1,
  i32 = 2,
  i64 = 3,
  f32 = 4,
  f64 = 5,
  boolean = 6,
  i8 = 7,
  i16 = 8,
  u16 = 9,
  u32 = 10,
  u64 = 11,
  f16 = 12
};

constexpr bool is_known(ElementType type);
constexpr bool is_floating(ElementType type);
/// Bytes of one element.
constexpr std::size_t size_of(ElementType type);
/// "u8", "i32", ...
constexpr std::string_view name_of(ElementType type);

/// Calls `function` with a value of the C++ type that `type` names, and returns what it returns:
/// one place that knows the list, and one loop per type for the compiler to vectorise.
template <class Function>
decltype(auto) with_type(ElementType type, Function&& function);

// ---------------------------------------------------------------------------------------------

constexpr bool is_known(ElementType type) {
  return type >= ElementType::u8 && type <= ElementType::f16;
}

constexpr bool is_floating(ElementType type) {
  return type == ElementType::f16 || type == ElementType::f32 || type == ElementType::f64;
}

constexpr std::size_t size_of(ElementType type) {
  switch (type) {
    case ElementType::boolean:
    case ElementType::i8:
    case ElementType::u8:
      return 1;
    case ElementType::i16:
    case ElementType::u16:
    case ElementType::f16:
      return 2;
    case ElementType::i32:
    case ElementType::u32:
    case ElementType::f32:
      return 4;
    case ElementType::i64:
    case ElementType::u64:
    case ElementType::f64:
      return 8;
  }
  return 0;  // not reached with a known type
}

constexpr std::string_view name_of(ElementType type) {
  switch (type) {
    case ElementType::boolean:
      return "bool";
    case ElementType::i8:
      return "i8";
    case ElementType::u8:
      return "u8";
    case ElementType::i16:
      return "i16";
    case ElementType::u16:
      return "u16";
    case ElementType::i32:
      return "i32";
    case ElementType::u32:
      return "u32";
    case ElementType::i64:
      return "i64";
    case ElementType::u64:
      return "u64";
    case ElementType::f16:
      return "f16";
    case ElementType::f32:
      return "f32";
    case ElementType::f64:
      return "f64";
  }
  return "unknown";
}

template <class Function>
decltype(auto) with_type(ElementType type, Function&& function) {
  switch (type) {
    case ElementType::boolean:
    case ElementType::u8:
      return function(std::uint8_t{});
    case ElementType::i8:
      return function(std::int8_t{});
    case ElementType::i16:
      return function(std::int16_t{});
    case ElementType::u16:
      return function(std::uint16_t{});
    case ElementType::i32:
      return function(std::int32_t{});
    case ElementType::u32:
      return function(std::uint32_t{});
    case ElementType::i64:
      return function(std::int64_t{});
    case ElementType::u64:
      return function(std::uint64_t{});
    case ElementType::f16:
      return function(Half{});
    case ElementType::f32:
      return function(float{});
    case ElementType::f64:
      return function(double{});
  }
  throw ContractViolation("an ElementType outside its list");
}

}  // namespace daig::data
