#include "inflate.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <zlib.h>

#include <daig/core/error.hpp>

namespace daig::data::detail {

bool is_gzip(std::span<const std::byte> start) {
  return start.size() >= 2 && start[0] == std::byte{0x1F} && start[1] == std::byte{0x8B};
}

struct Inflater::State {
  ByteSourcePtr packed;
  std::uint64_t taken = 0;  ///< bytes of `packed` that went into `window`
  std::vector<std::byte> window = std::vector<std::byte>(std::size_t{1} << 16);
  z_stream stream{};
  Wrapping wrapping = Wrapping::gzip;
  uLong checksum = 0;
  bool between_members = false;  ///< where the stream may end
  const char* kind() const { return wrapping == Wrapping::gzip ? "gzip" : "deflated"; }

  bool exhausted() const { return stream.avail_in == 0 && taken == packed->size(); }

  void refill() {
    const std::size_t piece = std::min<std::uint64_t>(window.size(), packed->size() - taken);
    packed->read(taken, std::span(window).first(piece));
    taken += piece;
    stream.next_in = reinterpret_cast<Bytef*>(window.data());
    stream.avail_in = static_cast<uInt>(piece);
  }
};

Inflater::Inflater(ByteSourcePtr packed, Wrapping wrapping) : state_(std::make_unique<State>()) {
  state_->packed = std::move(packed);
  state_->wrapping = wrapping;
  constexpr int gzip_only = 16;  // added to the window bits: no raw or zlib streams
  const int bits = wrapping == Wrapping::gzip ? gzip_only + MAX_WBITS : -MAX_WBITS;
  if (inflateInit2(&state_->stream, bits) != Z_OK) throw std::bad_alloc();
}

std::uint32_t Inflater::checksum() const {
  return static_cast<std::uint32_t>(state_->checksum);
}

Inflater::~Inflater() {
  inflateEnd(&state_->stream);
}

std::size_t Inflater::read(std::span<std::byte> into) {
  z_stream& stream = state_->stream;
  std::size_t filled = 0;
  while (filled < into.size()) {
    if (state_->exhausted()) {
      if (state_->between_members) break;
      throw InputError(state_->packed->name(),
                       fmt::format("the {} stream is truncated: it goes on after byte {}, where "
                                   "the file ends; get the file again",
                                   state_->kind(), state_->packed->size()));
    }
    if (stream.avail_in == 0) state_->refill();
    if (state_->between_members) {
      if (state_->wrapping == Wrapping::none) {
        throw InputError(state_->packed->name(),
                         "more bytes follow the deflated stream; the file is damaged");
      }
      inflateReset(&stream);
      state_->between_members = false;
    }
    const std::size_t wanted =
        std::min<std::size_t>(into.size() - filled, std::numeric_limits<uInt>::max());
    stream.next_out = reinterpret_cast<Bytef*>(into.data() + filled);
    stream.avail_out = static_cast<uInt>(wanted);
    const int result = inflate(&stream, Z_NO_FLUSH);
    filled += wanted - stream.avail_out;
    if (result == Z_STREAM_END) {
      state_->between_members = true;
    } else if (result == Z_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (result != Z_OK && result != Z_BUF_ERROR) {  // the latter only asks for more room
      throw InputError(state_->packed->name(),
                       fmt::format("the {} stream is corrupt before byte {} ({}); get the file "
                                   "again",
                                   state_->kind(), state_->taken - stream.avail_in,
                                   stream.msg == nullptr ? "no reason given" : stream.msg));
    }
  }
  if (state_->wrapping == Wrapping::gzip) return filled;  // zlib compares a gzip file's own
  for (auto rest = into.first(filled); !rest.empty();) {
    const auto piece = rest.first(std::min<std::size_t>(rest.size(), 1U << 30));
    state_->checksum = crc32(state_->checksum, reinterpret_cast<const Bytef*>(piece.data()),
                             static_cast<uInt>(piece.size()));
    rest = rest.subspan(piece.size());
  }
  return filled;
}

}  // namespace daig::data::detail
