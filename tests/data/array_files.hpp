#pragma once

/// Array files made byte by byte, so that the tests depend on no program that writes them.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <daig/data/array_source.hpp>

namespace daig::test {

using Bytes = std::vector<std::byte>;

inline Bytes to_bytes(std::string_view text) {
  Bytes bytes(text.size());
  std::transform(text.begin(), text.end(), bytes.begin(),
                 [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}

inline Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

/// The memory of the values, each in the given byte order.
template <class T>
Bytes raw(const std::vector<T>& values, data::ByteOrder order = data::ByteOrder::little) {
  Bytes bytes(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  if (order == data::ByteOrder::big) {
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(T)) {
      std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                   bytes.begin() + static_cast<std::ptrdiff_t>(at + sizeof(T)));
    }
  }
  return bytes;
}

/// A .npy file of the given header text.
inline Bytes npy_of_text(std::string_view text, const Bytes& elements, unsigned version = 1) {
  Bytes file = to_bytes("\x93NUMPY");
  file.push_back(static_cast<std::byte>(version));
  file.push_back(std::byte{0});
  const auto length = static_cast<std::uint32_t>(text.size());
  return file +
         (version == 1 ? raw<std::uint16_t>({static_cast<std::uint16_t>(length)})
                       : raw<std::uint32_t>({length})) +
         to_bytes(text) + elements;
}

inline Bytes npy(std::string_view dtype, std::string_view shape, const Bytes& elements,
                 bool fortran = false, unsigned version = 1) {
  return npy_of_text(fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}\n", dtype,
                                 fortran ? "True" : "False", shape),
                     elements, version);
}

inline Bytes idx(unsigned type, const std::vector<std::uint32_t>& shape, const Bytes& elements) {
  Bytes file{std::byte{0}, std::byte{0}, static_cast<std::byte>(type),
             static_cast<std::byte>(shape.size())};
  return file + raw(shape, data::ByteOrder::big) + elements;
}

/// A gzip member that stores its content in blocks, uncompressed: RFC 1951, 3.2.4, and RFC 1952.
inline Bytes gzip(const Bytes& content) {
  std::uint32_t checksum = 0xFFFFFFFF;
  for (const std::byte byte : content) {
    checksum ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) checksum = checksum >> 1 ^ (checksum & 1 ? 0xEDB88320 : 0);
  }
  Bytes file = to_bytes(std::string_view("\x1F\x8B\x08\0\0\0\0\0\0\xFF", 10));
  constexpr std::size_t max_block = 0xFFFF;
  std::size_t at = 0;
  do {
    const std::size_t length = std::min(max_block, content.size() - at);
    const bool last = at + length == content.size();
    file.push_back(last ? std::byte{1} : std::byte{0});
    file = std::move(file) + raw<std::uint16_t>({static_cast<std::uint16_t>(length),
                                                 static_cast<std::uint16_t>(~length)});
    const auto start = content.begin() + static_cast<std::ptrdiff_t>(at);
    file.insert(file.end(), start, start + static_cast<std::ptrdiff_t>(length));
    at += length;
  } while (at < content.size());
  return file +
         raw<std::uint32_t>({checksum ^ 0xFFFFFFFF, static_cast<std::uint32_t>(content.size())});
}

inline data::ArraySource open_bytes(Bytes bytes, const std::string& name = "some/file") {
  return data::open_array(data::bytes_in_memory(name, std::move(bytes)));
}

template <class T>
std::vector<T> read_samples(const data::ArraySource& array, std::uint64_t first,
                            std::uint64_t count) {
  Bytes bytes(count * array.sample_bytes());
  array.read(first, count, bytes);
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

template <class T>
std::vector<T> read_all(const data::ArraySource& array) {
  return read_samples<T>(array, 0, array.count());
}

/// The text of the E that `body` throws; "nothing was thrown" otherwise.
template <class E, class Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (const E& error) {
    return error.what();
  }
  return "nothing was thrown";
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

inline void write_file(const std::filesystem::path& path, const Bytes& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path.string());
}

inline Bytes read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return to_bytes(std::string(std::istreambuf_iterator<char>(file), {}));
}

}  // namespace daig::test
