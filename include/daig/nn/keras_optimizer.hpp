#pragma once

/// The optimiser that a Keras model was compiled with.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace daig::nn {

/// What Keras calls something, and its options as they are written: numbers, and 1 and 0 for true
/// and false. Options that are null are left out, and so is a "name".
struct KerasObject {
  std::string kind;  ///< "SGD", "ExponentialDecay", ...
  std::map<std::string, double, std::less<>> options;
  std::map<std::string, std::vector<double>, std::less<>> lists;  ///< of numbers
};

struct KerasOptimizer : KerasObject {
  std::optional<KerasObject> schedule;  ///< when the learning rate is no number
};

/// @param training_config  JSON, as in the attribute of a Keras file
/// @throws UsageError when it names no optimiser, or one with an option that is no number
KerasOptimizer keras_optimizer(std::string_view training_config);

}  // namespace daig::nn
