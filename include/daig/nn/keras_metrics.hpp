#pragma once

/// The metrics that a Keras model was compiled with.

#include <string>
#include <string_view>
#include <vector>

namespace daig::nn {

/// The names of those metrics that are not computed here, sorted; none when there is nothing to
/// read. They have no part in training. @param training_config  JSON, as Keras files have it
/// @throws UsageError when it is no JSON
std::vector<std::string> ignored_keras_metrics(std::string_view training_config);

}  // namespace daig::nn
