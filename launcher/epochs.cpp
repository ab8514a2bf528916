#include "epochs.hpp"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include <daig/store/event_reader.hpp>

namespace daig::launcher {

EpochCounter::EpochCounter(std::uint64_t batches, const std::map<Epoch, std::uint64_t>& done,
                           bool judged)
    : batches_(batches), judged_(judged) {
  for (const auto& [epoch, count] : done) {
    if (count < batches) open_[epoch].batches = count;
  }
}

std::vector<EpochRecord> EpochCounter::add(const metrics::StepRecord& step) {
  std::vector<EpochRecord> complete;
  for (const metrics::BatchRecord& batch : step.batches) {
    Sum& sum = open_[batch.epoch];
    ++sum.batches;
    sum.samples += batch.samples;
    sum.correct += batch.correct;
    sum.loss += batch.loss_sum;
    if (sum.batches < batches_) continue;
    const auto samples = static_cast<double>(sum.samples);
    complete.push_back({.epoch = std::uint64_t{batch.epoch.value()} + 1,
                        .version = Version{step.step.value() + 1},
                        .seconds = step.committed_s,
                        .loss = sum.loss / samples,
                        .accuracy = {},
                        .validation = {}});
    if (judged_) complete.back().accuracy = static_cast<double>(sum.correct) / samples;
    open_.erase(batch.epoch);
  }
  return complete;
}

Validator::Validator(std::function<train::Quality(std::span<const float>)> evaluate)
    : evaluate_(std::move(evaluate)),
      thread_([this](const std::stop_token& stop) { work(stop); }) {}

Validator::~Validator() {
  thread_.request_stop();
}

void Validator::give(EpochRecord epoch, train::Weights weights) {
  const std::scoped_lock lock(mutex_);
  if (waiting_.size() == most_waiting) {
    finished_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  waiting_.push_back({std::move(epoch), std::move(weights)});
  changed_.notify_all();
}

std::vector<Validator::Item> Validator::take() {
  const std::scoped_lock lock(mutex_);
  return take_finished();
}

std::vector<Validator::Item> Validator::take_all() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return failure_ || (waiting_.empty() && !busy_); });
  return take_finished();
}

std::vector<Validator::Item> Validator::take_finished() {
  if (failure_) std::rethrow_exception(failure_);
  return std::exchange(finished_, {});
}

void Validator::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
    Item item = std::move(waiting_.front());
    waiting_.pop_front();
    busy_ = true;
    lock.unlock();
    std::exception_ptr failure;
    try {
      item.epoch.validation = evaluate_(*item.weights);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    busy_ = false;
    finished_.push_back(std::move(item));
    if (failure) failure_ = failure;
    changed_.notify_all();
    if (failure || stop.stop_requested()) return;
  }
}

bool BestEpoch::is_best(const EpochRecord& epoch, bool validates) {
  if (validates && !epoch.validation) return false;
  const double loss = validates ? epoch.validation->loss : epoch.loss;
  // A loss that is no number is no improvement on anything.
  if (std::isfinite(loss) && (!best_loss_ || loss < *best_loss_ - least_gain_)) {
    best_loss_ = loss;
    best_epoch_ = epoch.epoch;
    without_gain_ = 0;
    return true;
  }
  ++without_gain_;
  return false;
}

std::string history_csv(const std::vector<EpochRecord>& epochs, bool has_accuracy) {
  std::string text = has_accuracy ? "epoch,step,seconds,loss,accuracy,val_loss,val_accuracy\n"
                                  : "epoch,step,seconds,loss,val_loss\n";
  for (const EpochRecord& epoch : epochs) {
    text += fmt::format("{},{},{:.3f},{}", epoch.epoch, epoch.version.value(), epoch.seconds,
                        epoch.loss);
    const auto cell = [&text](std::optional<double> value) {
      text += value ? fmt::format(",{}", *value) : ",";
    };
    const auto& validation = epoch.validation;
    if (has_accuracy) cell(epoch.accuracy);
    cell(validation ? std::optional(validation->loss) : std::nullopt);
    if (has_accuracy) cell(validation ? validation->accuracy : std::nullopt);
    text += '\n';
  }
  return text;
}

metrics::Fields fields_of(const EpochRecord& epoch) {
  metrics::Fields fields{{"epoch", static_cast<std::int64_t>(epoch.epoch)},
                         {"step", static_cast<std::int64_t>(epoch.version.value())},
                         {"seconds", epoch.seconds},
                         {"loss", epoch.loss}};
  if (epoch.accuracy) fields.push_back({"accuracy", *epoch.accuracy});
  if (epoch.validation) {
    fields.push_back({"val_loss", epoch.validation->loss});
    fields.push_back({"val_samples", static_cast<std::int64_t>(epoch.validation->samples)});
    if (epoch.validation->accuracy) {
      fields.push_back({"val_accuracy", *epoch.validation->accuracy});
    }
  }
  return fields;
}

std::vector<EpochRecord> read_epochs(const std::filesystem::path& events, Version last) {
  std::map<std::uint64_t, EpochRecord> epochs;
  store::EventReader reader(events, {"epoch"});
  while (const auto event = reader.next()) {
    const auto known = [&](const char* name) {
      const double value = event->number(name);
      return std::isnan(value) ? std::nullopt : std::optional(value);
    };
    const auto whole = [&](const char* name) -> std::uint64_t {
      const double value = event->number(name);
      return value >= 0 && value < 0x1p53 ? static_cast<std::uint64_t>(value) : 0;
    };
    EpochRecord epoch{.epoch = whole("epoch"),
                      .version = Version{whole("step")},
                      .seconds = known("seconds").value_or(0),
                      .loss = event->number("loss"),
                      .accuracy = known("accuracy"),
                      .validation = {}};
    if (const auto loss = known("val_loss")) {
      epoch.validation = train::Quality{*loss, known("val_accuracy"), whole("val_samples")};
    }
    if (epoch.epoch > 0 && epoch.version <= last) epochs[epoch.epoch] = epoch;
  }
  std::vector<EpochRecord> read;
  for (auto& [number, epoch] : epochs) read.push_back(std::move(epoch));
  return read;
}

}  // namespace daig::launcher
