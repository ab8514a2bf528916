#pragma once

/// Reading and writing of small binary records: little-endian, unpadded, every read checked.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <daig/core/error.hpp>

namespace daig {

static_assert(std::endian::native == std::endian::little,
              "DAIG's wire format is the memory of a little-endian machine");

/// What a record holds: numbers and enums. Not bool, in which a byte other than 0 and 1 has no
/// meaning; and an enum that was read may be none of its enumerators: check it before use.
template <class T>
concept Scalar = !std::is_same_v<T, bool> && (std::is_arithmetic_v<T> || std::is_enum_v<T>);

/// Appends scalars and texts to a growing record.
class ByteWriter {
 public:
  template <Scalar T>
  void put(T value);
  /// Length (32 bits), then the characters. Expects fewer than 2^32 of them.
  void put_text(std::string_view text);

  /// The record; the writer is empty again.
  std::vector<std::byte> take() { return std::exchange(bytes_, {}); }

 private:
  std::vector<std::byte> bytes_;
};

/// Takes scalars and texts from a record that came from outside.
/// Every member throws InputError when the record ends too early, and then takes nothing.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <Scalar T>
  T get();
  std::string get_text();
  std::span<const std::byte> get_bytes(std::size_t count);

  bool at_end() const { return rest_.empty(); }
  std::size_t remaining() const { return rest_.size(); }

 private:
  std::span<const std::byte> rest_;
};

// ---------------------------------------------------------------------------------------------

template <Scalar T>
void ByteWriter::put(T value) {
  const std::size_t at = bytes_.size();
  bytes_.resize(at + sizeof value);
  std::memcpy(bytes_.data() + at, &value, sizeof value);
}

inline void ByteWriter::put_text(std::string_view text) {
  expects(text.size() <= std::numeric_limits<std::uint32_t>::max(), "a text of 32-bit length");
  put(static_cast<std::uint32_t>(text.size()));
  const auto bytes = std::as_bytes(std::span(text));
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

template <Scalar T>
T ByteReader::get() {
  T value;
  std::memcpy(&value, get_bytes(sizeof value).data(), sizeof value);
  return value;
}

inline std::string ByteReader::get_text() {
  ByteReader ahead = *this;
  const auto bytes = ahead.get_bytes(ahead.get<std::uint32_t>());
  *this = ahead;
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

inline std::span<const std::byte> ByteReader::get_bytes(std::size_t count) {
  if (count > rest_.size()) {
    throw InputError("a record of bytes ends too early: " + std::to_string(count) +
                     " bytes wanted, " + std::to_string(rest_.size()) + " left");
  }
  const auto bytes = rest_.first(count);
  rest_ = rest_.subspan(count);
  return bytes;
}

}  // namespace daig
