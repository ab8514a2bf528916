#pragma once

/// What a rank found wrong, as text: Boost.Test's macros are not thread-safe, so ranks that are
/// threads hand their problems to the main thread, which asserts that there are none.

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <daig/core/error.hpp>

namespace daig::test {

class Problems {
 public:
  void check(bool holds, const std::string& what, SourcePlace where = SourcePlace::here()) {
    if (!holds) add(fmt::format("line {}: {}", where.line, what));
  }

  /// Checks that `body` throws an E.
  template <class E, class Body>
  void check_throws(Body&& body, const std::string& what, SourcePlace where = SourcePlace::here()) {
    try {
      std::forward<Body>(body)();
    } catch (const E&) {
      return;
    }
    add(fmt::format("line {}: nothing was thrown: {}", where.line, what));
  }

  void add(std::string text) { texts_.push_back(std::move(text)); }
  void add_all(const std::string& prefix, const Problems& others) {
    for (const std::string& text : others.texts_) texts_.push_back(prefix + text);
  }

  bool none() const { return texts_.empty(); }
  /// One problem a line; the message of a failed assertion.
  std::string text() const { return fmt::format("{}", fmt::join(texts_, "\n")); }

 private:
  std::vector<std::string> texts_;
};

}  // namespace daig::test
