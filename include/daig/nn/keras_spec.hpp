#pragma once

/// A Keras model's architecture and loss as one text.

#include <string>
#include <string_view>

namespace daig::nn {

/// What specs of Keras models begin with; JSON follows.
inline constexpr std::string_view keras_spec_prefix = "keras:";

/// The spec of a Sequential model, or of a functional one that is a plain chain, with the loss that
/// it was compiled for. Takes what Keras 2.2 to 3.x write.
/// @param model_config, training_config  JSON, as in the attributes of a Keras file
/// @throws UsageError naming the layer and the option, or the loss, that is not supported; it also
/// says so of a model that was not compiled, as only that tells its loss.
std::string keras_spec(std::string_view model_config, std::string_view training_config);

}  // namespace daig::nn
