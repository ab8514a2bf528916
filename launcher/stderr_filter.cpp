#include "stderr_filter.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "mpirun.hpp"

namespace daig::launcher {
namespace {

/// What Open MPI puts above and below a page.
bool is_rule(std::string_view line) {
  constexpr std::size_t width = 74;
  return line.size() == width + 1 && line.find_first_not_of('-') == width;
}

bool tells_of_lost_host(std::string_view line) {
  constexpr std::array<std::string_view, 3> beginnings{
      "ORTE was unable to reliably start one or more daemons",
      "ORTE has lost communication with a remote daemon",
      "ORTE does not know how to route a message to the specified daemon"};
  return std::ranges::any_of(beginnings, [&](auto words) { return line.starts_with(words); });
}

}  // namespace

std::string StderrFilter::take(std::string_view piece) {
  std::string shown;
  while (true) {
    const std::size_t end = piece.find('\n');
    line_.append(piece.substr(0, end == piece.npos ? end : end + 1));
    if (end == piece.npos) return shown;
    shown += take_line(std::exchange(line_, {}));
    piece.remove_prefix(end + 1);
  }
}

std::string StderrFilter::rest() {
  return std::exchange(rule_, {}) + std::exchange(line_, {});
}

std::string StderrFilter::take_line(std::string_view line) {
  if (hides_) {
    hides_ = !is_rule(line);
    return {};
  }
  if (is_harmless(line)) return {};
  // The lower rule of a page that was shown looks like an upper one: it is held back, too.
  if (is_rule(line)) return std::exchange(rule_, std::string(line));
  const std::string before = std::exchange(rule_, {});
  if (!before.empty() && tells_of_lost_host(line)) {
    lost_host_ = true;
    hides_ = job_runs_;
    if (hides_) return lost_host_line;
  }
  return before + std::string(line);
}

}  // namespace daig::launcher
