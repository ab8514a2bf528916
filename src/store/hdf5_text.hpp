#pragma once

/// Texts in attributes of every kind that other programs write: of fixed or of variable length, one
/// or a list.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "hdf5.hpp"
#include "hdf5_bytes.hpp"

namespace daig::store::hdf5 {

/// Reads the texts of one open file. Those of variable length lie in heaps, whose lengths and
/// indices HDF5 1.10 follows unchecked, even out of its own memory; so the heaps are read here.
/// Cost: memory for the heaps that were needed, at most the file's size.
class TextReader {
 public:
  explicit TextReader(FileBytes& file) : file_(file) {}

  /// Reads one text. `where` names the object in errors.
  /// @throws Failure when it is missing, is not one text, or is longer than max_bytes.
  std::string read_text(hid_t object, const std::string& where, const char* name,
                        std::size_t max_bytes);
  /// Reads a list of texts, which may be empty.
  /// @throws Failure when it is missing, holds no texts, or more than max_bytes in all.
  std::vector<std::string> read_texts(hid_t object, const std::string& where, const char* name,
                                      std::size_t max_bytes);

 private:
  struct Heap {
    std::vector<char> bytes;
    std::unordered_map<std::uint32_t, std::string_view> objects;
  };

  std::vector<std::string> read_variable(hid_t attribute, std::size_t count, std::size_t max_bytes);
  const Heap& heap_at(std::uint64_t address);

  FileBytes& file_;
  std::uint64_t heap_bytes_ = 0;
  std::unordered_map<std::uint64_t, Heap> heaps_;  ///< by address
};

}  // namespace daig::store::hdf5
