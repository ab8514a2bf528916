/// What strangers say at a rank's door: what is accepted is the very bytes.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include <daig/comm/detail/greeting.hpp>
#include <daig/comm/detail/socket.hpp>

using namespace daig;
using namespace daig::comm::detail;

namespace {

void require(bool holds) {
  if (!holds) std::abort();  // what libFuzzer takes for a finding
}

template <class Decode>
void check(std::vector<std::byte> arrived, std::size_t most, Decode decode) {
  const std::vector<std::byte> all = arrived;
  try {
    const auto greeting = take_greeting(arrived, most);
    if (!greeting) return require(arrived == all);
    require(greeting->size() <= most && greeting->size() + 4 + arrived.size() == all.size());
    std::vector<std::byte> again = encode(decode(*greeting));
    again.insert(again.end(), arrived.begin(), arrived.end());
    require(again == all);
  } catch (const InputError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto input = std::as_bytes(std::span(bytes, size));
  const std::vector<std::byte> arrived(input.begin(), input.end());
  check(arrived, max_knock_bytes, decode_knock);
  check(arrived, max_answer_bytes, decode_answer);
  try {
    parse_addresses({reinterpret_cast<const char*>(bytes), size});
  } catch (const InputError&) {
  }
  return 0;
}
