#include "hostfile.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <daig/core/error.hpp>

namespace daig::launcher {
namespace {

constexpr int most_slots = 100'000;

/// The words of a line, as far as its comment.
std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line.substr(0, line.find('#')));
  return {std::istream_iterator<std::string>(stream), {}};
}

Host parse_host(const std::vector<std::string>& words, const std::string& place) {
  Host host{words[0], 1};
  std::string slots;
  if (const auto colon = host.name.find(':'); colon != std::string::npos) {
    slots = host.name.substr(colon + 1);
    host.name.resize(colon);
    if (slots.empty()) slots = "(nothing)";
  }
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (!words[i].starts_with("slots=") || !slots.empty()) {
      throw InputError(place, fmt::format("'{}' is not understood; a line is 'host', 'host:4' or "
                                          "'host slots=4'",
                                          words[i]));
    }
    slots = words[i].substr(6);
    if (slots.empty()) slots = "(nothing)";
  }
  // No comma, which would make two hosts of one, and no dash that mpirun takes for an option.
  constexpr std::string_view letters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  if (host.name.empty() || host.name.find_first_not_of(letters) != std::string::npos ||
      host.name.front() == '-') {
    throw InputError(place, fmt::format("'{}' is no host name", host.name));
  }
  if (slots.empty()) return host;
  const char* end = slots.data() + slots.size();
  const auto [stop, error] = std::from_chars(slots.data(), end, host.slots);
  if (error != std::errc() || stop != end || host.slots < 1 || host.slots > most_slots) {
    throw InputError(place, fmt::format("{} has '{}' slots; slots are a number from 1 to {}",
                                        host.name, slots, most_slots));
  }
  return host;
}

}  // namespace

std::vector<Host> read_hostfile(const std::filesystem::path& path) {
  return parse_hostfile(text_of_hostfile(path), path.string(), own_host_name());
}

std::string text_of_hostfile(const std::filesystem::path& path) {
  std::error_code unknown;
  std::ifstream stream(path);
  if (!stream.is_open() || std::filesystem::is_directory(path, unknown)) {
    throw InputError(path.string(), "the hostfile cannot be read");
  }
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::string own_host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) name[0] = '\0';
  return name.data();
}

std::vector<Host> parse_hostfile(const std::string& text, const std::string& name,
                                 const std::string& own_name) {
  std::vector<Host> hosts;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    const std::vector<std::string> words = words_of(line);
    if (words.empty()) continue;
    const std::string place = fmt::format("{}:{}", name, number);
    Host host = parse_host(words, place);
    if (std::ranges::any_of(hosts, [&](const Host& h) { return h.name == host.name; })) {
      throw InputError(
          place, fmt::format("{} is there twice; give it all its slots on one line", host.name));
    }
    hosts.push_back(std::move(host));
  }
  if (hosts.empty()) throw InputError(name, "no host is named; write one on each line");
  const auto is_here = [&](const Host& host) {
    return host.name == "localhost" || host.name == "127.0.0.1" || host.name == own_name ||
           host.name == own_name.substr(0, own_name.find('.'));
  };
  const auto here = std::ranges::find_if(hosts, is_here);
  if (here == hosts.end()) {
    hosts.insert(hosts.begin(), {"localhost", 1});
  } else {
    std::rotate(hosts.begin(), here, here + 1);
  }
  return hosts;
}

std::string host_list(const std::vector<Host>& hosts) {
  std::vector<std::string> words;
  for (const Host& host : hosts) words.push_back(fmt::format("{}:{}", host.name, host.slots));
  return fmt::format("{}", fmt::join(words, ","));
}

}  // namespace daig::launcher
