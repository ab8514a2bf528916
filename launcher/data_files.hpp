#pragma once

/// The words of a command line that name arrays.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <daig/data/array_source.hpp>

namespace daig::launcher {

/// Words that name arrays to be read one after the other. Each is a file, FILE.npz:NAME or
/// FILE.h5:/PATH; the file may be a pattern of the shell's, such as part-*.npy.
using DataWords = std::vector<std::string>;

/// A file, and which of its arrays; empty where that goes without saying.
struct ArrayName {
  std::filesystem::path file;
  std::string member;

  friend bool operator==(const ArrayName&, const ArrayName&) = default;
};

/// Whether a name comes before another where people count: part-2 before part-10.
bool comes_before(std::string_view left, std::string_view right);

/// What a word names: itself, or all files that fit its pattern, in the order of comes_before. A
/// file whose name looks like a pattern, or holds a colon, is that file.
/// @throws InputError when no file fits a pattern.
std::vector<ArrayName> arrays_named(const std::string& word);

/// Opens them as one array; HDF5 files are known by their first bytes, like all others. Expects a
/// word. @throws InputError as data::open_array, store::open_hdf5_array and data::join.
data::ArraySource open_arrays(const DataWords& words);

/// The same words in any working folder.
DataWords made_absolute(const DataWords& words);

}  // namespace daig::launcher
