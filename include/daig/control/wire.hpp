#pragma once

/// The wire format of the control plane.
///
/// A frame is one message of the communicator: one or more control messages to the same rank, each
/// a byte that numbers its type followed by its fields, little-endian and unpadded. Texts and lists
/// carry their length first.

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <daig/control/message.hpp>
#include <daig/core/bytes.hpp>

namespace daig::control {

/// No frame is larger; a receiver refuses more.
inline constexpr std::size_t max_frame_bytes = std::size_t{1} << 20;

/// Cost: one pass over the messages; a Grant takes 37 bytes.
inline std::vector<std::byte> encode_frame(std::span<const Message> messages);

/// @throws InputError on an unknown type, a field that is cut off, or an absurd length.
inline std::vector<Message> decode_frame(std::span<const std::byte> frame);

// ---------------------------------------------------------------------------------------------

namespace detail {

template <class Tag, class Rep>
void put(ByteWriter& writer, Id<Tag, Rep> id) {
  writer.put(id.value());
}
template <Scalar T>
void put(ByteWriter& writer, T value) {
  writer.put(value);
}
inline void put(ByteWriter& writer, const std::string& text) {
  writer.put_text(text);
}
inline void put(ByteWriter& writer, const comm::View& view) {
  put(writer, view.id);
  writer.put(static_cast<std::uint32_t>(view.size()));
  for (const Rank member : view.members) put(writer, member);
}
inline void put(ByteWriter& writer, const Work& work) {
  put(writer, work.epoch);
  put(writer, work.batch);
}

template <class Tag, class Rep>
void get(ByteReader& reader, Id<Tag, Rep>& id) {
  id = Id<Tag, Rep>(reader.get<Rep>());
}
template <Scalar T>
void get(ByteReader& reader, T& value) {
  value = reader.get<T>();
}
inline void get(ByteReader& reader, std::string& text) {
  text = reader.get_text();
}
inline void get(ByteReader& reader, comm::View& view) {
  get(reader, view.id);
  const std::size_t members = reader.get<std::uint32_t>();
  if (members > reader.remaining() / sizeof(Rank::rep)) {
    throw InputError("a view claims " + std::to_string(members) + " members in a shorter frame");
  }
  view.members.resize(members);
  for (Rank& member : view.members) get(reader, member);
}
inline void get(ByteReader& reader, Work& work) {
  get(reader, work.epoch);
  get(reader, work.batch);
}

/// Reads the message whose type has the given number.
template <std::size_t index = 0>
Message get_message(ByteReader& reader, std::size_t number) {
  if constexpr (index == std::variant_size_v<Message>) {
    throw InputError("an unknown control message, type " + std::to_string(number));
  } else {
    if (number != index) return get_message<index + 1>(reader, number);
    std::variant_alternative_t<index, Message> message;
    message.fields(message, [&](auto&... field) { (get(reader, field), ...); });
    return message;
  }
}

}  // namespace detail

inline std::vector<std::byte> encode_frame(std::span<const Message> messages) {
  ByteWriter writer;
  for (const Message& message : messages) {
    writer.put(static_cast<std::uint8_t>(message.index()));
    std::visit(
        [&](const auto& body) {
          body.fields(body, [&](const auto&... field) { (detail::put(writer, field), ...); });
        },
        message);
  }
  return writer.take();
}

inline std::vector<Message> decode_frame(std::span<const std::byte> frame) {
  ByteReader reader(frame);
  std::vector<Message> messages;
  while (!reader.at_end()) {
    messages.push_back(detail::get_message(reader, reader.get<std::uint8_t>()));
  }
  return messages;
}

}  // namespace daig::control
