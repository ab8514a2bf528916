#pragma once

/// Log lines for people: level, rank, text, one whole line at a time to stderr.
///
/// Machine-readable facts do not go here but to the run's events (metrics/recorder.hpp).

#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include <daig/core/id.hpp>

namespace daig::log {

enum class Level : int { debug, info, warning, error, off };

/// Least level that is written. Starts from the environment variable DAIG_LOG
/// (debug, info, warning, error, off); without it, or with another word there, warning. Any thread
/// may set it.
inline void set_level(Level level);
inline Level level();

/// Whose lines these are: the prefix of every line the calling *thread* writes from now on.
/// A rank of the in-process backend is a thread, hence not a property of the process.
inline void set_rank(Rank rank);

/// Writes one line if its level is wanted. Any thread. Cost when not wanted: one atomic load.
template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args);
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args);
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args);
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args);

// ---------------------------------------------------------------------------------------------

namespace detail {

inline Level level_from_environment() {
  const char* wanted = std::getenv("DAIG_LOG");
  const std::string_view name = wanted == nullptr ? "warning" : wanted;
  if (name == "debug") return Level::debug;
  if (name == "info") return Level::info;
  if (name == "error") return Level::error;
  if (name == "off") return Level::off;
  return Level::warning;
}

inline std::atomic<Level>& threshold() {
  static std::atomic<Level> value{level_from_environment()};
  return value;
}

inline Rank& thread_rank() {
  thread_local Rank rank{-1};
  return rank;
}

inline void write(Level level, std::string_view text) {
  static constexpr const char* names[] = {"debug", "info", "warning", "error"};
  const Rank rank = thread_rank();
  const std::string who = rank.value() < 0 ? std::string() : fmt::format("[{}] ", rank.value());
  const std::string line =
      fmt::format("daig {}{}: {}\n", who, names[static_cast<int>(level)], text);
  // One write(2) a line, so that the lines of several ranks on one terminal do not mix. Whether it
  // could be written is not looked at: there is nowhere to say that it could not.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

template <class... Args>
void format_and_write(Level level, fmt::format_string<Args...> format, Args&&... args) {
  if (level < threshold().load(std::memory_order_relaxed)) return;
  write(level, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace detail

inline void set_level(Level level) {
  detail::threshold().store(level, std::memory_order_relaxed);
}
inline Level level() {
  return detail::threshold().load(std::memory_order_relaxed);
}
inline void set_rank(Rank rank) {
  detail::thread_rank() = rank;
}

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  detail::format_and_write(Level::debug, format, std::forward<Args>(args)...);
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  detail::format_and_write(Level::info, format, std::forward<Args>(args)...);
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  detail::format_and_write(Level::warning, format, std::forward<Args>(args)...);
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  detail::format_and_write(Level::error, format, std::forward<Args>(args)...);
}

}  // namespace daig::log
