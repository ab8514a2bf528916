#pragma once

/// What the fuzzers of HDF5 files have in common. Included by one source of each.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>

/// HDF5 asks for as much memory as a damaged file claims before it looks whether the file has as
/// much; it takes a refusal well, and does not touch what it is given. What it asks for beyond 1 GB
/// is refused, as AddressSanitizer itself keeps notes of an eighth of that. And HDF5 1.10 forgets
/// what it could not open; the test looks for our own leaks.
extern "C" const char* __asan_default_options();  // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __asan_default_options() {
  return "allocator_may_return_null=1:max_allocation_size_mb=1000:detect_leaks=0";
}  // NOLINT

namespace daig::test {

/// HDF5 reads files, no memory.
inline void write_input(const std::filesystem::path& path, const std::uint8_t* input,
                        std::size_t size) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(input), static_cast<std::streamsize>(size));
}

}  // namespace daig::test
