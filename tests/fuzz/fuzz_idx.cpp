/// IDX files, plain and gzipped: see array_check.hpp for what is required.

#include <cstddef>
#include <cstdint>
#include <span>

#include <daig/data/idx.hpp>

#include "array_check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(input, size));
  daig::test::check_array(bytes);
  // The header alone: its claims need no elements to be judged.
  try {
    const auto header = daig::data::parse_idx_header(bytes, "fuzzed");
    daig::test::require(header.data_offset <= size && header.data_bytes > 0 &&
                        header.shape.size() <= daig::data::max_rank);
  } catch (const daig::InputError&) {
  }
  return 0;
}
