#pragma once

/// The wire format of the control plane.
///
/// A frame is one message of the communicator: one or more control messages to the same rank, each
/// a byte that numbers its type followed by its fields, little-endian and unpadded. Texts and lists
/// carry their length first.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <daig/control/message.hpp>
#include <daig/core/bytes.hpp>
#include <daig/core/error.hpp>

namespace daig::control {

/// No frame is larger; a receiver refuses more. Room for a view of 65,000 members.
inline constexpr std::size_t max_frame_bytes = std::size_t{1} << 18;
/// Texts are reasons, for people to read: what is longer is cut off when it is written.
inline constexpr std::size_t max_text_bytes = std::size_t{1} << 12;

/// Expects the messages to fit into max_frame_bytes.
/// Cost: one pass over the messages; a Grant takes 46 bytes.
std::vector<std::byte> encode_frame(std::span<const Message> messages);

/// The inverse of encode_frame, byte for byte: whatever it accepts, encode_frame would have
/// written.
/// @throws InputError on an unknown type, a field that is cut off, or an absurd length.
std::vector<Message> decode_frame(std::span<const std::byte> frame);

}  // namespace daig::control

#ifndef DAIG_COMPILED
#include <daig/control/detail/wire.ipp>
#endif
