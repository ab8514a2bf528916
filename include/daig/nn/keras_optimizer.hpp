#pragma once

/// The optimiser that a Keras model was compiled with.

#include <map>
#include <string>
#include <string_view>

namespace daig::nn {

/// What Keras calls it, and its options as they are written: numbers, and 1 and 0 for true and
/// false. Options that are null are left out.
struct KerasOptimizer {
  std::string kind;  ///< "SGD", "Adam", ...
  std::map<std::string, double, std::less<>> options;
};

/// @param training_config  JSON, as in the attribute of a Keras file
/// @throws UsageError when it names no optimiser, or one with an option that is no number, such as
/// a schedule of learning rates
KerasOptimizer keras_optimizer(std::string_view training_config);

}  // namespace daig::nn
