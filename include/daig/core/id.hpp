#pragma once

/// Strong ids: two kinds of index are two types, so that a batch can never be passed for a step.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace daig {

/// An integer that only compares with its own kind. Costs what the integer costs.
template <class Tag, class Rep>
class Id {
 public:
  using rep = Rep;

  constexpr Id() = default;
  constexpr explicit Id(Rep value) : value_(value) {}

  constexpr Rep value() const { return value_; }
  constexpr Id next() const { return Id(static_cast<Rep>(value_ + 1)); }

  friend constexpr auto operator<=>(Id, Id) = default;

 private:
  Rep value_{};
};

/// A process of the job, as MPI numbers them. Rank 0 coordinates.
using Rank = Id<struct RankTag, std::int32_t>;
/// One pass over the dataset, from 0.
using Epoch = Id<struct EpochTag, std::uint32_t>;
/// A batch within one epoch, from 0; the same id names the same shard slot in every epoch.
using BatchId = Id<struct BatchTag, std::uint64_t>;
/// The unit of distribution and caching, from 0.
using ShardId = Id<struct ShardTag, std::uint32_t>;
/// One weights update, from opening to commit. The first step is 0.
using StepId = Id<struct StepTag, std::uint64_t>;
/// The number of committed steps: weights at version v are what step v starts from.
using Version = Id<struct VersionTag, std::uint64_t>;
/// Names a view; only grows.
using ViewId = Id<struct ViewTag, std::uint32_t>;
/// One permission to compute one batch; never used twice in a run.
using TicketId = Id<struct TicketTag, std::uint64_t>;

inline constexpr Rank coordinator_rank{0};

}  // namespace daig

template <class Tag, class Rep>
struct std::hash<daig::Id<Tag, Rep>> {
  std::size_t operator()(daig::Id<Tag, Rep> id) const noexcept {
    return std::hash<Rep>{}(id.value());
  }
};
