/// .npz files: the arrays that open obey what array_check.hpp requires of any.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <daig/core/error.hpp>
#include <daig/data/npz.hpp>

#include "array_check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  using namespace daig;
  const auto bytes = std::as_bytes(std::span(input, size));
  test::check_array(bytes);
  try {
    const auto file = data::bytes_in_memory("fuzzed", {bytes.begin(), bytes.end()});
    constexpr std::size_t most = 4;  // keeps an input fast
    std::size_t opened = 0;
    for (const std::string& name : data::npz_names(*file)) {
      if (++opened > most) break;
      test::check_samples([&] { return data::open_npz(file, name); });
    }
  } catch (const InputError&) {
  }
  return 0;
}
