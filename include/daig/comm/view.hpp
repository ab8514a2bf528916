#pragma once

/// A view: who takes part. Membership is a value, not a communicator; a re-formed ring is a new
/// view.

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include <daig/core/id.hpp>

namespace daig::comm {

/// The ordered list of live ranks, plus an id that only grows. A ring is a view seen as a circle.
struct View {
  ViewId id;
  std::vector<Rank> members;

  std::size_t size() const { return members.size(); }

  /// Place of a rank in the list; nothing when it is no member.
  std::optional<std::size_t> position(Rank rank) const {
    const auto found = std::find(members.begin(), members.end(), rank);
    if (found == members.end()) return std::nullopt;
    return static_cast<std::size_t>(found - members.begin());
  }

  friend bool operator==(const View&, const View&) = default;
};

/// The view of all ranks 0 ... size-1, under the given id.
inline View view_of_all(int size, ViewId id = ViewId{0}) {
  View view{id, {}};
  for (int rank = 0; rank < size; ++rank) view.members.emplace_back(rank);
  return view;
}

}  // namespace daig::comm
