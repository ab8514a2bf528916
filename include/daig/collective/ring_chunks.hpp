#pragma once

/// How a ring all-reduce cuts its values: one chunk for each member of the view.

#include <algorithm>
#include <cstddef>

namespace daig::collective {

/// A stretch of values.
struct Slice {
  std::size_t begin = 0;
  std::size_t size = 0;
};

/// `length` values in `members` chunks, as equal as can be: the first length % members of them have
/// one value more. This cut decides the order of the additions, so it must never change.
struct RingChunks {
  std::size_t length = 0;
  std::size_t members = 1;

  Slice chunk(std::size_t index) const;
  /// Size of the largest chunk, the first one.
  std::size_t largest() const { return chunk(0).size; }
};

// ---------------------------------------------------------------------------------------------

inline Slice RingChunks::chunk(std::size_t index) const {
  const std::size_t size = length / members;
  const std::size_t longer = length % members;
  return {index * size + std::min(index, longer), size + (index < longer ? 1 : 0)};
}

}  // namespace daig::collective
