#include "announce.hpp"

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

#include <daig/collective/broadcast.hpp>
#include <daig/comm/view.hpp>
#include <daig/core/bytes.hpp>
#include <daig/train/member.hpp>

namespace daig::launcher {
namespace {

/// No run's exchanges have this number: the coordinator counts from 1.
constexpr comm::ExchangeId announcement{0};
constexpr std::size_t most_announced_bytes = std::size_t{1} << 20;
/// Rank 0 may have to read a large dataset first.
constexpr Duration patience = std::chrono::minutes(10);

std::vector<std::byte> broadcast(comm::Communicator& communicator, std::vector<std::byte> bytes) {
  return collective::broadcast_bytes(communicator, comm::view_of_all(communicator.size()),
                                     announcement, coordinator_rank, std::move(bytes),
                                     most_announced_bytes, Deadline::in(patience));
}

}  // namespace

void announce(comm::Communicator& communicator, const store::Configuration& configuration) {
  ByteWriter writer;
  writer.put(static_cast<std::int32_t>(ExitCode::success));
  writer.put(static_cast<std::uint32_t>(configuration.size()));
  for (const auto& [name, value] : configuration) {
    writer.put_text(name);
    writer.put_text(value);
  }
  std::vector<std::byte> bytes = writer.take();
  communicator.brief(bytes);
  broadcast(communicator, std::move(bytes));
}

void announce_failure(comm::Communicator& communicator, const Outcome& outcome) {
  ByteWriter writer;
  writer.put(static_cast<std::int32_t>(outcome.code));
  writer.put_text(outcome.text);
  broadcast(communicator, writer.take());
}

store::Configuration hear(comm::Communicator& communicator) {
  const std::vector<std::byte>* briefing = communicator.briefing();
  const std::vector<std::byte> bytes =
      briefing != nullptr ? *briefing : broadcast(communicator, {});
  ByteReader reader(bytes);
  const auto code = static_cast<ExitCode>(reader.get<std::int32_t>());
  if (code != ExitCode::success) throw train::RunAborted(reader.get_text(), code);
  store::Configuration configuration;
  for (auto left = reader.get<std::uint32_t>(); left > 0; --left) {
    std::string name = reader.get_text();
    configuration[std::move(name)] = reader.get_text();
  }
  return configuration;
}

}  // namespace daig::launcher
