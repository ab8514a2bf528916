#pragma once

/// The texts of messages that do not have the size they should have, the same in every backend.

#include <cstddef>
#include <string>

#include <fmt/format.h>

#include <daig/comm/tag.hpp>
#include <daig/core/id.hpp>

namespace daig::comm::detail {

/// For a receive that knew its size.
inline std::string wrong_size(Rank from, Tag tag, std::size_t got, std::size_t expected) {
  return fmt::format(
      "rank {} sent {} bytes under tag {} where {} were expected: it does not follow the protocol, "
      "leave it out of the next view",
      from.value(), got, tag.value(), expected);
}

/// For a message that was taken.
inline std::string too_large(Rank from, Tag tag, std::size_t got, std::size_t max_bytes) {
  return fmt::format(
      "rank {} sent {} bytes under tag {} where at most {} are allowed: dropped; leave it out of "
      "the next view",
      from.value(), got, tag.value(), max_bytes);
}

}  // namespace daig::comm::detail
