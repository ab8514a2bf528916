#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <daig/core/error.hpp>
#include <daig/data/npz.hpp>

#include "unpack.hpp"
#include "zip.hpp"

namespace daig::data {
namespace {

constexpr std::string_view suffix = ".npy";

std::string_view without_suffix(std::string_view name) {
  return name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size()) : name;
}

/// A name from the file, fit for a terminal, and for a line of Python that somebody may run.
std::string harmless(std::string_view name) {
  constexpr std::size_t longest = 60;
  constexpr std::string_view others = "_-+./ ";
  std::string text(without_suffix(name).substr(0, longest));
  std::ranges::replace_if(
      text,
      [others](char c) {
        const bool alphanumeric =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        return !alphanumeric && others.find(c) == others.npos;
      },
      '?');
  return text;
}

/// The first few.
std::string listed(const std::vector<detail::ZipMember>& members) {
  constexpr std::size_t most = 20;
  std::vector<std::string> names;
  for (const detail::ZipMember& member : members) {
    if (names.size() == most) {
      names.push_back(fmt::format("{} more", members.size() - most));
      break;
    }
    names.push_back(harmless(member.name));
  }
  return names.empty() ? "no array" : fmt::format("{}", fmt::join(names, ", "));
}

const detail::ZipMember& choose(const std::vector<detail::ZipMember>& members,
                                std::string_view wanted, const std::string& file) {
  if (wanted.empty()) {
    if (members.size() == 1) return members.front();
    throw InputError(file, fmt::format("holds {}; say which array is meant, as in {}:NAME",
                                       listed(members), file));
  }
  const auto found = std::ranges::find_if(members, [wanted](const detail::ZipMember& member) {
    return without_suffix(member.name) == without_suffix(wanted);
  });
  if (found != members.end()) return *found;
  throw InputError(file, fmt::format("has no array '{}'; it holds {}", wanted, listed(members)));
}

}  // namespace

bool is_npz(std::span<const std::byte> start) {
  return detail::is_zip(start);
}

std::vector<std::string> npz_names(const ByteSource& file) {
  std::vector<std::string> names;
  for (const detail::ZipMember& member : detail::read_zip_directory(file)) {
    names.emplace_back(without_suffix(member.name));
  }
  return names;
}

ArraySource open_npz(const ByteSourcePtr& file, std::string_view member) {
  const std::vector<detail::ZipMember> members = detail::read_zip_directory(*file);
  const detail::ZipMember& chosen = choose(members, member, file->name());
  const std::string name = fmt::format("{}:{}", file->name(), harmless(chosen.name));
  const bool stored = chosen.method == detail::ZipMethod::stored;
  if (chosen.encrypted || (!stored && chosen.method != detail::ZipMethod::deflated)) {
    throw InputError(name,
                     "is encrypted, or packed in another way than numpy.savez_compressed does; "
                     "write the file again with that");
  }
  const ByteSourcePtr packed = detail::packed_bytes_of(file, chosen, name);
  if (stored) {
    std::vector<std::byte> start(std::min<std::uint64_t>(packed->size(), max_header_bytes));
    packed->read(0, start);
    return {packed, parse_array_header(start, name)};
  }
  detail::Unpacked unpacked = detail::unpack(packed, detail::Wrapping::none);
  if (unpacked.bytes != chosen.bytes || unpacked.checksum != chosen.checksum) {
    throw InputError(
        name, "comes out otherwise than its checksum says; the file is damaged: get it again");
  }
  return std::move(unpacked.array);
}

}  // namespace daig::data
