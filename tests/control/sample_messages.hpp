#pragma once

/// One message of every type, no field of which has its default value.

#include <limits>
#include <vector>

#include <daig/control/message.hpp>

namespace daig::control {

struct SampleMessage {
  Message message;
  std::size_t bytes;  ///< of its fields: no field is forgotten, none is padded
};

inline std::vector<SampleMessage> sample_messages() {
  const comm::View view{ViewId{7}, {Rank{0}, Rank{2}, Rank{1'000'000}}};
  const std::size_t view_bytes = 4 + 4 + 3 * 4;
  return {
      {Hello{.protocol = 3, .trains = 1, .settings_digest = 0xFEDCBA9876543210, .life = 4},
       4 + 4 + 8 + 4},
      {Done{TicketId{3}, 64, -1.5, 0.25, 2.5, 60}, 8 + 8 + 8 + 8 + 8 + 8},
      {Reduced{StepId{4}, ViewId{5}, 6, std::numeric_limits<std::uint64_t>::max()}, 8 + 4 + 8 + 8},
      {FetchShard{ShardId{9}}, 4},
      {Failed{-3, "out of memory"}, 4 + 4 + 13},
      {Bye{11}, 8},
      {Welcome{60000, 32, 8, 1, 42, 43}, 3 * 8 + 4 + 2 * 8},
      {Grant{TicketId{12}, {Epoch{1}, BatchId{2}}, Version{3}, 0.5, 1e4, 1},
       8 + 4 + 8 + 8 + 8 + 8 + 1},
      {Accept{TicketId{13}}, 8},
      {Cancel{TicketId{14}}, 8},
      {Prefetch{ShardId{15}}, 4},
      {ShardOffer{ShardId{16}, std::uint64_t{1} << 40}, 4 + 8},
      {Close{StepId{17}, view, comm::ExchangeId{18}, 19}, 8 + view_bytes + 4 + 8},
      {Commit{StepId{20}, 21, 1e-3}, 8 + 8 + 8},
      {Finish{0, 1}, 1 + 1},
      {Abort{5, "rank 3 failed"}, 4 + 4 + 13},
      {Heartbeat{}, 0},
      {GiveBack{TicketId{22}}, 8},
      {Ready{comm::ExchangeId{23}}, 4},
      {Load{view, comm::ExchangeId{24}, Version{25}}, view_bytes + 4 + 8},
      {Abandon{comm::ExchangeId{26}}, 4},
      {Expelled{0, "silent"}, 1 + 4 + 6},
      {Leave{}, 0},
      {Spoiled{TicketId{27}, 28.5}, 8 + 8},
  };
}

}  // namespace daig::control
