#pragma once

/// From a Keras model's spec to layers and a loss.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <daig/nn/layer.hpp>
#include <daig/nn/loss_function.hpp>
#include <daig/nn/metrics.hpp>

namespace daig::nn {

template <class T>
struct KerasParts {
  std::vector<std::unique_ptr<Layer<T>>> layers;
  std::unique_ptr<LossFunction<T>> loss;
  Metrics metrics;
  std::string title;  ///< for people
};

/// @param spec  of keras_spec. @throws UsageError as keras_spec does.
template <class T>
KerasParts<T> keras_parts(std::string_view spec);

}  // namespace daig::nn
