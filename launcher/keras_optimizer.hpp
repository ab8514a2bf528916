#pragma once

/// The optimiser that a Keras model was compiled with, in our terms.

#include <string>

#include <daig/optim/optimizer_options.hpp>
#include <daig/store/keras_file.hpp>

namespace daig::launcher {

struct KerasTraining {
  optim::OptimizerOptions optimizer;
  std::string schedule = "constant";  ///< optim::make_schedule
};

/// SGD, Adam, AdamW, Nadam, RMSprop, Adagrad and Adamax, as the Keras that wrote the file computes
/// them: some had other formulas before Keras 2.11. Schedules are ExponentialDecay, CosineDecay,
/// PolynomialDecay, PiecewiseConstantDecay and InverseTimeDecay.
/// @param file   its arrays are not needed
/// @param where  named in errors. @throws InputError when it is one that is not known here, or has
/// options that are not.
KerasTraining optimizer_of(const store::KerasFile& file, const std::string& where);

}  // namespace daig::launcher
