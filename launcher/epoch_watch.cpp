#include "epoch_watch.hpp"

#include <fstream>
#include <string>
#include <utility>

#include <daig/core/error.hpp>
#include <daig/store/whole_file.hpp>
#include <daig/train/evaluate.hpp>

namespace daig::launcher {

EpochWatch::EpochWatch(const TrainingJob& job, const std::map<Epoch, std::uint64_t>& done,
                       std::vector<EpochRecord> before, metrics::Recorder& events, Actions actions)
    : job_(job),
      network_(job.spec),
      counter_(job.plan.data.batches(), done, network_.judges_samples()),
      best_(job.settings.early_stop, job.settings.min_delta),
      events_(events),
      actions_(std::move(actions)) {
  if (job.validation) {
    validator_.emplace([this](std::span<const float> weights) {
      return train::evaluate(network_, weights, *job_.validation);
    });
  }
  for (const EpochRecord& epoch : before) best_.is_best(epoch, job.validation.has_value());
  epochs_ = std::move(before);
}

void EpochWatch::step_committed(const metrics::StepRecord& step) {
  for (EpochRecord& epoch : counter_.add(step)) complete_.push_back(std::move(epoch));
}

void EpochWatch::on_version(const train::Weights& weights, Version version) {
  for (EpochRecord& epoch : std::exchange(complete_, {})) {
    expects(epoch.version == version, "the weights after the step that was told of last");
    if (validator_) {
      validator_->give(std::move(epoch), weights);
    } else {
      take(epoch, weights);
    }
  }
  if (!validator_) return;
  for (const auto& [epoch, its_weights] : validator_->take()) take(epoch, its_weights);
}

void EpochWatch::finish() {
  if (!validator_) return;
  for (const auto& [epoch, weights] : validator_->take_all()) take(epoch, weights);
}

std::optional<train::Quality> EpochWatch::validation_of(Version version) const {
  const bool is_last = !epochs_.empty() && epochs_.back().version == version;
  return is_last ? epochs_.back().validation : std::nullopt;
}

void EpochWatch::take(const EpochRecord& epoch, const train::Weights& weights) {
  events_.event("epoch", fields_of(epoch));
  epochs_.push_back(epoch);
  if (!job_.settings.history.empty()) {
    const bool has_accuracy = network_.metrics().accuracy != nn::Accuracy::none;
    const std::string table = history_csv(epochs_, has_accuracy);
    store::write_whole(job_.settings.history, [&table](const std::filesystem::path& temporary) {
      std::ofstream file(temporary, std::ios::binary);
      file << table;
      if (!file.flush()) throw IoError(temporary.string() + ": the history cannot be written");
    });
  }
  if (best_.is_best(epoch, validator_.has_value()) && actions_.save_best) {
    actions_.save_best(*weights, epoch.version);
  }
  if (best_.is_time_to_stop() && !std::exchange(stopped_, true)) actions_.stop();
}

}  // namespace daig::launcher
