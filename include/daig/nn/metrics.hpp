#pragma once

/// What a network is judged by, besides its loss.

namespace daig::nn {

/// How predictions are judged right or wrong.
enum class Accuracy {
  none,         ///< they are numbers: neither
  categorical,  ///< a sample is right when its largest output is at its class, or largest target
  binary        ///< an output is right when it is above a half where its target is 1, else not
};

struct Metrics {
  Accuracy accuracy = Accuracy::none;
  bool squared_error = false;   ///< of the predictions, where labels are targets
  bool absolute_error = false;  ///< likewise
};

}  // namespace daig::nn
