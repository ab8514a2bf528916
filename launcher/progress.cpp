#include "progress.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

namespace daig::launcher {

ProgressStyle progress_style(bool quiet) {
  if (quiet) return ProgressStyle::none;
  const char* told = std::getenv(terminal_variable);
  const bool terminal =
      told != nullptr ? std::string_view(told) == "1" : ::isatty(STDOUT_FILENO) == 1;
  return terminal ? ProgressStyle::rewritten : ProgressStyle::lines;
}

Progress::Progress(ProgressStyle style, std::uint64_t done, std::uint64_t steps,
                   std::uint64_t epochs)
    : style_(style), first_(done), steps_(steps), epochs_(epochs), done_(done) {
  // The first line of a log is worth reading once there is something to say.
  if (style == ProgressStyle::lines) shown_ = began_;
}

Progress::~Progress() {
  if (open_) std::fputs("\n", stdout);
}

void Progress::step_committed(const metrics::StepRecord& step) {
  done_ = step.step.value() + 1;
  samples_ += step.samples();
  shown_samples_ += step.samples();
  shown_loss_ += step.loss_sum();
  for (const metrics::BatchRecord& batch : step.batches) {
    volunteers_.insert(batch.volunteer);
    epoch_ = std::max<std::uint64_t>(epoch_, batch.epoch.value());
  }
  if (style_ == ProgressStyle::none) return;
  const bool rewrites = style_ == ProgressStyle::rewritten;
  const TimePoint now = Clock::now();
  const Duration pause =
      rewrites ? std::chrono::milliseconds(100) : std::chrono::milliseconds(5000);
  if (now - shown_ < pause && done_ < steps_) return;
  const std::string text = line(seconds(now - began_));
  // A line that cannot be shown is no reason to stop training.
  std::fputs((rewrites ? "\r" + text + "\x1b[K" : text + "\n").c_str(), stdout);
  std::fflush(stdout);
  shown_ = now;
  shown_loss_ = 0;
  shown_samples_ = 0;
  volunteers_.clear();
  open_ = rewrites;
}

std::string Progress::line(double elapsed_s) const {
  const double loss = shown_loss_ / static_cast<double>(std::max<std::uint64_t>(shown_samples_, 1));
  const double elapsed = std::max(elapsed_s, 1e-9);
  const double left = elapsed / static_cast<double>(std::max<std::uint64_t>(done_ - first_, 1)) *
                      static_cast<double>(steps_ - std::min(done_, steps_));
  return fmt::format("step {}/{}  epoch {}/{}  loss {:.3f}  {:.0f} samples/s  {} volunteer{}  {}",
                     done_, steps_, epoch_ + 1, epochs_, loss,
                     static_cast<double>(samples_) / elapsed, volunteers_.size(),
                     volunteers_.size() == 1 ? "" : "s",
                     done_ < steps_ ? fmt::format("{:.0f} s left", std::ceil(left)) : "done");
}

}  // namespace daig::launcher
