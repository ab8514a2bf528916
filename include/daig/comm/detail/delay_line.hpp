#pragma once

/// Where messages wait that are sent but not yet on their way.

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <daig/comm/tag.hpp>
#include <daig/core/deadline.hpp>
#include <daig/core/id.hpp>

namespace daig::comm::detail {

struct HeldMessage {
  Rank to;
  Tag tag;
  std::vector<std::byte> bytes;
  std::shared_ptr<bool> handed_over;  ///< null when its send was done at once
};

/// Messages in the order in which they are due. For one thread.
class DelayLine {
 public:
  /// Due at this time, but never before an earlier message to the same receiver and tag.
  /// Cost: a look at all that are held.
  void hold(HeldMessage message, TimePoint due);

  /// The next message that is due by `now`.
  std::optional<HeldMessage> take_due(TimePoint now);
  /// When the next message is due; the clock's last moment when none is held.
  TimePoint next_due() const;

  /// Drops the messages whose sends are not done yet, and what must not overtake them.
  void drop_unfinished();

 private:
  std::multimap<TimePoint, HeldMessage> held_;
};

// ---------------------------------------------------------------------------------------------

inline void DelayLine::hold(HeldMessage message, TimePoint due) {
  for (const auto& [when, earlier] : held_) {
    if (earlier.to == message.to && earlier.tag == message.tag) due = std::max(due, when);
  }
  held_.emplace(due, std::move(message));  // behind those that are due at the same time
}

inline std::optional<HeldMessage> DelayLine::take_due(TimePoint now) {
  if (next_due() > now || held_.empty()) return std::nullopt;
  HeldMessage message = std::move(held_.begin()->second);
  held_.erase(held_.begin());
  return message;
}

inline TimePoint DelayLine::next_due() const {
  return held_.empty() ? TimePoint::max() : held_.begin()->first;
}

inline void DelayLine::drop_unfinished() {
  std::set<std::pair<Rank, Tag>> stuck;
  std::erase_if(held_, [&](const auto& entry) {
    const HeldMessage& message = entry.second;
    if (message.handed_over) stuck.emplace(message.to, message.tag);
    return stuck.contains({message.to, message.tag});
  });
}

}  // namespace daig::comm::detail
