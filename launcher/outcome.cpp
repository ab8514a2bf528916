#include "outcome.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>

#include <fmt/format.h>

namespace daig::launcher {

Outcome outcome_of(const std::exception_ptr& error) {
  Outcome outcome{ExitCode::failure, {}};
  try {
    std::rethrow_exception(error);
  } catch (const Error& known) {
    outcome = {known.exit_code(), known.what()};
  } catch (const std::bad_alloc&) {
    outcome.text = "there is not enough memory for this";
  } catch (const std::exception& other) {
    outcome.text = other.what();
  } catch (...) {
    outcome.text = "an exception of unknown type";
  }
  std::ranges::replace(outcome.text, '\n', ' ');
  return outcome;
}

void complain(const std::string& text) {
  const std::string line = fmt::format("daig: error: {}\n", text);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void warn(const std::string& text) {
  const std::string line = fmt::format("daig: warning: {}\n", text);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void note(const std::string& text) {
  const std::string line = fmt::format("daig: {}\n", text);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void say(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) {
    return;
  }
  throw IoError(fmt::format("standard output cannot be written: {}", std::strerror(errno)));
}

}  // namespace daig::launcher
