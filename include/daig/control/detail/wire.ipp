// The bodies of control/wire.hpp.

#pragma once

#include <daig/control/wire.hpp>
#include <daig/core/inline.hpp>

namespace daig::control {

namespace detail {

template <class Tag, class Rep>
void put(ByteWriter& writer, Id<Tag, Rep> id) {
  writer.put(id.value());
}
template <Scalar T>
void put(ByteWriter& writer, T value) {
  writer.put(value);
}
DAIG_INLINE void put(ByteWriter& writer, const std::string& text) {
  writer.put_text(std::string_view(text).substr(0, max_text_bytes));
}
DAIG_INLINE void put(ByteWriter& writer, const comm::View& view) {
  put(writer, view.id);
  writer.put(static_cast<std::uint32_t>(view.size()));
  for (const Rank member : view.members) put(writer, member);
}
DAIG_INLINE void put(ByteWriter& writer, const Work& work) {
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
DAIG_INLINE void get(ByteReader& reader, std::string& text) {
  text = reader.get_text();
  if (text.size() > max_text_bytes) {
    throw InputError("a control message with a text of " + std::to_string(text.size()) + " bytes");
  }
}
DAIG_INLINE void get(ByteReader& reader, comm::View& view) {
  get(reader, view.id);
  const std::size_t members = reader.get<std::uint32_t>();
  if (members > reader.remaining() / sizeof(Rank::rep)) {
    throw InputError("a view claims " + std::to_string(members) + " members in a shorter frame");
  }
  view.members.resize(members);
  for (Rank& member : view.members) get(reader, member);
}
DAIG_INLINE void get(ByteReader& reader, Work& work) {
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

DAIG_INLINE std::vector<std::byte> encode_frame(std::span<const Message> messages) {
  ByteWriter writer;
  for (const Message& message : messages) {
    writer.put(static_cast<std::uint8_t>(message.index()));
    std::visit(
        [&](const auto& body) {
          body.fields(body, [&](const auto&... field) { (detail::put(writer, field), ...); });
        },
        message);
  }
  std::vector<std::byte> frame = writer.take();
  expects(frame.size() <= max_frame_bytes, "messages that fit into a frame");
  return frame;
}

DAIG_INLINE std::vector<Message> decode_frame(std::span<const std::byte> frame) {
  if (frame.size() > max_frame_bytes) {
    throw InputError("a frame of control messages with " + std::to_string(frame.size()) +
                     " bytes; no frame has more than " + std::to_string(max_frame_bytes));
  }
  ByteReader reader(frame);
  std::vector<Message> messages;
  while (!reader.at_end()) {
    messages.push_back(detail::get_message(reader, reader.get<std::uint8_t>()));
  }
  return messages;
}

}  // namespace daig::control
