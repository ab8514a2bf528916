/// Control messages from outside: what is accepted is the very bytes, and no message, true or not,
/// breaks the coordinator's accounts.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <span>
#include <vector>

#include <daig/control/coordinator.hpp>
#include <daig/control/wire.hpp>

using namespace daig;
using namespace daig::control;

namespace {

void require(bool holds) {
  if (!holds) std::abort();  // what libFuzzer takes for a finding
}

constexpr std::int32_t members = 3;  // and one that may become one
constexpr std::uint64_t batches = 7;
constexpr std::uint64_t k = 2;

/// A coordinator whose members have said Hello, are loaded and hold tickets.
Coordinator open_run() {
  Rules rules;
  rules.k = k;
  Coordinator coordinator(rules, BatchQueue(data::ShardPlan(batches, 1, 2), Epoch{1}),
                          comm::view_of_all(members));
  for (std::int32_t rank = 0; rank < members; ++rank) {
    coordinator.receive(Rank{rank}, Hello{.trains = 1}, {});
  }
  for (std::int32_t rank = members - 1; rank > 0; --rank) {
    coordinator.receive(Rank{rank}, Ready{rules.first_exchange}, {});
  }
  require(coordinator.phase() == Coordinator::Phase::open);
  return coordinator;
}

void check_view(const comm::View& view, const comm::View& last) {
  const auto& ranks = view.members;
  require(std::ranges::adjacent_find(ranks, std::ranges::greater_equal{}) == ranks.end());
  require(last.id < view.id || view == last);
}

void check_committed(const metrics::StepRecord& record, std::vector<bool>& committed) {
  require(record.batches.size() <= k);
  for (const metrics::BatchRecord& batch : record.batches) {
    require(batch.epoch == Epoch{0} && batch.batch.value() < batches);
    require(!committed[batch.batch.value()]);
    committed[batch.batch.value()] = true;
  }
}

/// Everything that a coordinator hears after Hello is what the input says, from all in turn.
void check_run(std::span<const Message> messages) {
  Coordinator coordinator = open_run();
  std::vector<bool> committed(batches);
  Duration now{};
  std::int32_t from = 0;
  comm::View view = coordinator.view();
  for (const Message& message : messages) {
    now += std::chrono::milliseconds(100);
    for (const Actions& actions :
         {coordinator.receive(Rank{from}, message, now), coordinator.tick(now)}) {
      if (actions.committed) check_committed(*actions.committed, committed);
      for (const Envelope& envelope : actions.messages) {
        require(envelope.to.value() >= 0 && envelope.to.value() <= members);
        encode_frame({&envelope.message, 1});
      }
    }
    require(coordinator.banked() <= k);
    check_view(coordinator.view(), view);
    view = coordinator.view();
    from = (from + 1) % (members + 1);  // and one from who is none yet
  }
  const auto steps = coordinator.version().value();
  require(static_cast<std::uint64_t>(std::ranges::count(committed, true)) ==
          std::min(steps * k, batches));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(input, size));
  try {
    const std::vector<Message> messages = decode_frame(bytes);
    require(std::ranges::equal(encode_frame(messages), bytes));
    check_run(messages);
  } catch (const InputError&) {
  }
  return 0;
}
