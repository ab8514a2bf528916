#pragma once

/// What is said when a link between two ranks is made, before any message.
///
/// Whoever opens a connection sends a Knock, whoever accepted it an Answer; each is its length (32
/// bits) and then the bytes below. Everything may come from a stranger, and is checked.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <daig/core/bytes.hpp>
#include <daig/core/error.hpp>
#include <daig/core/id.hpp>

namespace daig::comm::detail {

/// Nobody is known yet who knocks: what is longer is not even read.
inline constexpr std::size_t max_knock_bytes = std::size_t{1} << 13;
/// A briefing, and the addresses of all ranks.
inline constexpr std::size_t max_answer_bytes = std::size_t{1} << 22;

struct Knock {
  static constexpr std::uint32_t magic = 0x47494144;  ///< "DAIG"
  static constexpr std::uint32_t protocol = 1;

  enum class Wish : std::uint8_t {
    link,  ///< to exchange messages
    join   ///< the same, with rank 0, and to be told of all the others
  };

  std::string key;  ///< the job's secret
  Rank from;
  Rank to;  ///< several ranks, and other programs, may be behind addresses that look alike
  Wish wish = Wish::link;
  std::string addresses;  ///< where the knocking rank can be knocked at
};

/// A rank of whom a newcomer is told.
struct Neighbour {
  Rank rank;
  std::uint8_t lost = 0;  ///< not heard of at present: nobody needs to wait for it
  std::string addresses;
};

struct Answer {
  enum class Verdict : std::uint8_t {
    come_in,
    later,   ///< come again
    refused  ///< not at all, and `reason` says why
  };

  Verdict verdict = Verdict::come_in;
  std::string reason = {};
  // For those who join:
  std::uint32_t channels = 0;  ///< that had been opened before the present one
  std::vector<Neighbour> neighbours = {};
  std::vector<std::byte> briefing = {};
};

std::vector<std::byte> encode(const Knock& knock);
std::vector<std::byte> encode(const Answer& answer);

/// Of the bytes that follow the length. @throws InputError on anything that `encode` does not write
Knock decode_knock(std::span<const std::byte> bytes);
Answer decode_answer(std::span<const std::byte> bytes);

/// The bytes of a greeting, taken out of what has arrived; nothing while some are missing.
/// @throws InputError when it claims more than `most` bytes.
std::optional<std::vector<std::byte>> take_greeting(std::vector<std::byte>& arrived,
                                                    std::size_t most);

// ---------------------------------------------------------------------------------------------

namespace greeting {

inline std::vector<std::byte> with_length(std::vector<std::byte> body) {
  ByteWriter writer;
  writer.put(static_cast<std::uint32_t>(body.size()));
  std::vector<std::byte> bytes = writer.take();
  bytes.insert(bytes.end(), body.begin(), body.end());
  return bytes;
}

template <class Enum>
Enum checked_enum(Enum value, Enum last) {
  if (value <= last) return value;
  throw InputError(fmt::format("a greeting with an unknown word, {}", static_cast<int>(value)));
}

inline Rank get_rank(ByteReader& reader) {
  const Rank rank{reader.get<Rank::rep>()};
  if (rank < Rank{0}) throw InputError(fmt::format("a greeting of rank {}", rank.value()));
  return rank;
}

inline void check_end(const ByteReader& reader) {
  if (reader.at_end()) return;
  throw InputError(fmt::format("a greeting with {} bytes too many", reader.remaining()));
}

}  // namespace greeting

inline std::vector<std::byte> encode(const Knock& knock) {
  ByteWriter writer;
  writer.put(Knock::magic);
  writer.put(Knock::protocol);
  writer.put_text(knock.key);
  writer.put(knock.from.value());
  writer.put(knock.to.value());
  writer.put(knock.wish);
  writer.put_text(knock.addresses);
  return greeting::with_length(writer.take());
}

inline Knock decode_knock(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  if (reader.get<std::uint32_t>() != Knock::magic) throw InputError("no greeting of DAIG's");
  const auto protocol = reader.get<std::uint32_t>();
  if (protocol != Knock::protocol) {
    throw InputError(
        fmt::format("a greeting of another version of DAIG: protocol {} in place of "
                    "{}",
                    protocol, Knock::protocol));
  }
  Knock knock;
  knock.key = reader.get_text();
  knock.from = greeting::get_rank(reader);
  knock.to = greeting::get_rank(reader);
  knock.wish = greeting::checked_enum(reader.get<Knock::Wish>(), Knock::Wish::join);
  knock.addresses = reader.get_text();
  greeting::check_end(reader);
  return knock;
}

inline std::vector<std::byte> encode(const Answer& answer) {
  ByteWriter writer;
  writer.put(answer.verdict);
  writer.put_text(answer.reason);
  writer.put(answer.channels);
  writer.put(static_cast<std::uint32_t>(answer.neighbours.size()));
  for (const Neighbour& neighbour : answer.neighbours) {
    writer.put(neighbour.rank.value());
    writer.put(neighbour.lost);
    writer.put_text(neighbour.addresses);
  }
  std::vector<std::byte> bytes = writer.take();
  bytes.insert(bytes.end(), answer.briefing.begin(), answer.briefing.end());
  return greeting::with_length(std::move(bytes));
}

inline Answer decode_answer(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  Answer answer;
  answer.verdict = greeting::checked_enum(reader.get<Answer::Verdict>(), Answer::Verdict::refused);
  answer.reason = reader.get_text();
  answer.channels = reader.get<std::uint32_t>();
  for (auto left = reader.get<std::uint32_t>(); left > 0; --left) {
    Neighbour neighbour;
    neighbour.rank = greeting::get_rank(reader);
    neighbour.lost = reader.get<std::uint8_t>();
    neighbour.addresses = reader.get_text();
    answer.neighbours.push_back(std::move(neighbour));
  }
  const auto briefing = reader.get_bytes(reader.remaining());
  answer.briefing.assign(briefing.begin(), briefing.end());
  return answer;
}

inline std::optional<std::vector<std::byte>> take_greeting(std::vector<std::byte>& arrived,
                                                           std::size_t most) {
  if (arrived.size() < sizeof(std::uint32_t)) return std::nullopt;
  const std::size_t size = ByteReader(arrived).get<std::uint32_t>();
  if (size > most) {
    throw InputError(fmt::format("a greeting of {} bytes; none has more than {}", size, most));
  }
  const std::size_t end = sizeof(std::uint32_t) + size;
  if (arrived.size() < end) return std::nullopt;
  const auto begin = arrived.begin();
  std::vector<std::byte> bytes(begin + sizeof(std::uint32_t),
                               begin + static_cast<std::ptrdiff_t>(end));
  arrived.erase(begin, begin + static_cast<std::ptrdiff_t>(end));
  return bytes;
}

}  // namespace daig::comm::detail
