#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <daig/core/error.hpp>
#include <daig/store/event_log.hpp>

namespace daig::store {

namespace {

using Json = nlohmann::ordered_json;

/// Whether a file was left in the middle of a line, by a process that was killed.
bool ends_within_a_line(int file) {
  char last = '\n';
  const off_t size = ::lseek(file, 0, SEEK_END);
  return size > 0 && ::pread(file, &last, 1, size - 1) == 1 && last != '\n';
}

}  // namespace

EventLog::EventLog(const std::filesystem::path& path, TimePoint began)
    : path_(path),
      began_(began),
      file_(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
  if (file_ < 0) {
    throw IoError(
        fmt::format("{}: events cannot be written: {}", path.string(), std::strerror(errno)));
  }
  if (ends_within_a_line(file_)) append("");
}

EventLog::~EventLog() {
  ::close(file_);
}

void EventLog::event(std::string_view kind, const metrics::Fields& fields) {
  Json line{{"event", kind}, {"t", seconds(Clock::now() - began_)}};
  for (const metrics::Field& field : fields) {
    expects(field.name != "event" && field.name != "t", "fields not named event or t");
    std::visit([&](const auto& value) { line[field.name] = value; }, field.value);
  }
  append(line.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void EventLog::step_committed(const metrics::StepRecord& step) {
  const auto by_epoch = [](const auto& a, const auto& b) { return a.epoch < b.epoch; };
  const auto [first, last] =
      std::minmax_element(step.batches.begin(), step.batches.end(), by_epoch);
  const auto whole = [](auto value) { return static_cast<std::int64_t>(value); };
  metrics::Fields fields{{"step", whole(step.step.value())},
                         {"view", whole(step.view.value())},
                         {"members", whole(step.members.size())},
                         {"batches", whole(step.batches.size())},
                         {"samples", whole(step.samples())},
                         {"loss", step.loss_sum() / static_cast<double>(step.samples())},
                         {"learning_rate", step.learning_rate},
                         {"gather_s", step.closed_s - step.opened_s},
                         {"reduce_s", step.committed_s - step.closed_s},
                         {"sum_digest", fmt::format("{:016x}", step.sum_digest)}};
  if (!step.batches.empty()) {
    fields.push_back({"first_epoch", whole(first->epoch.value())});
    fields.push_back({"last_epoch", whole(last->epoch.value())});
  }
  event("step_committed", fields);
}

void EventLog::append(std::string line) {
  line += '\n';
  for (std::size_t at = 0; at < line.size();) {
    const ssize_t written = ::write(file_, line.data() + at, line.size() - at);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      throw IoError(
          fmt::format("{}: events cannot be written: {}", path_.string(), std::strerror(errno)));
    }
    at += static_cast<std::size_t>(written);
  }
}

}  // namespace daig::store
