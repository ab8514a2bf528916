#pragma once

/// What a training run came to, for people and for programs.

#include <filesystem>
#include <optional>
#include <string>

#include <daig/store/audit.hpp>
#include <daig/train/evaluate.hpp>

namespace daig::launcher {

struct TrainReport {
  std::optional<train::Quality> test;        ///< nothing without test data
  std::optional<train::Quality> validation;  ///< nothing without validation data
  std::uint64_t best_epoch = 0;              ///< 0: nobody followed the epochs
  std::uint64_t samples = 0;                 ///< trained on, in this attempt
  double seconds = 0;                        ///< of training alone
  store::AuditReport audit;
  std::filesystem::path run_dir;
  std::filesystem::path model;  ///< in the run's folder
  std::filesystem::path out;    ///< where it was asked for, else as `model`

  double samples_per_second() const {
    return seconds > 0 ? static_cast<double>(samples) / seconds : 0;
  }
};

/// Several lines, a table of the volunteers' shares among them.
std::string text_of(const TrainReport& report);
/// One line.
std::string json_of(const TrainReport& report);

}  // namespace daig::launcher
