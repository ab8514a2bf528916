#pragma once

/// Brings the ranks of a training run into being.

#include <string>
#include <vector>

#include "train_settings.hpp"

namespace daig::launcher {

/// Checks what can be checked, then trains: alone, with ranks that are threads, or by starting
/// mpirun with the same words. Under an mpirun this process is one of the ranks, and does its part.
/// Returns the run's exit code, which is the coordinator's.
/// @param words  of the command line, after the program's name
int start_training(const TrainSettings& settings, const RunManner& manner,
                   const std::vector<std::string>& words);

}  // namespace daig::launcher
