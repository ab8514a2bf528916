#pragma once

/// Normalises each position of a sample over its channels.

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <daig/nn/layer.hpp>
#include <daig/nn/layers/gamma_and_beta.hpp>

namespace daig::nn {

/// outputs = gamma (inputs - mean) / sqrt(variance + epsilon) + beta, with the mean and the
/// variance (over n, not n - 1) of a position's channels (Ba, Kiros, Hinton, "Layer normalization",
/// 2016). The same in training and without.
///
/// Shapes: any -> the same; the last axis is the channels. Parameters as in Keras: "NAME/gamma"
/// {channels} and "NAME/beta" {channels}, if used. Cost of a value: about 8 flops forward and 16
/// backward, and scratch of two numbers a position.
template <class T>
class LayerNormalization final : public Layer<T> {
 public:
  /// @throws UsageError for an epsilon that is not above 0, and samples without axes.
  LayerNormalization(std::string name, const Shape& shape, double epsilon, Affine affine = {})
      : Layer<T>(shape, shape),
        affine_(std::move(name), shape, affine),
        epsilon_(detail::checked_epsilon<T>(epsilon)) {}

  void declare(model::Layout& layout) const override { affine_.declare(layout); }
  /// Gamma 1, beta 0.
  void initialise(std::span<T> weights, std::uint64_t /*seed*/,
                  std::uint32_t /*first_parameter*/) const override {
    affine_.initialise(weights);
  }

  void forward(const Engine<T>& engine, const ForwardPass<T>& pass) override;
  /// By the moments of the forward pass before.
  void backward(const Engine<T>& engine, const BackwardPass<T>& pass) override;

 private:
  /// Samples, or their derivatives, with a position a row.
  template <class U>
  Matrix<U> positions(Matrix<U> samples) const {
    return {samples.values(), samples.values().size() / affine_.channels(), affine_.channels()};
  }
  /// For so many positions.
  Normalization<T> normalization(std::span<const T> weights, std::size_t count) const;

  GammaAndBeta<T> affine_;
  T epsilon_;
  std::vector<T> mean_;  // of each position in the last pass, as is the variance
  std::vector<T> variance_;
};

// ---------------------------------------------------------------------------------------------

template <class T>
Normalization<T> LayerNormalization<T>::normalization(std::span<const T> weights,
                                                      std::size_t count) const {
  Normalization<T> by;
  by.groups = Groups::rows;
  by.mean = std::span<const T>(mean_).first(count);
  by.variance = std::span<const T>(variance_).first(count);
  by.gamma = affine_.gamma(weights);
  by.beta = affine_.beta(weights);
  by.epsilon = epsilon_;
  return by;
}

template <class T>
void LayerNormalization<T>::forward(const Engine<T>& engine, const ForwardPass<T>& pass) {
  const Matrix<const T> inputs = positions(pass.inputs);
  const std::size_t count = inputs.rows();
  if (mean_.size() < count) {
    mean_.resize(count);
    variance_.resize(count);
  }
  engine.moments(Groups::rows, inputs, std::span(mean_).first(count),
                 std::span(variance_).first(count));
  engine.normalize(normalization(pass.weights, count), inputs, positions(pass.outputs));
}

template <class T>
void LayerNormalization<T>::backward(const Engine<T>& engine, const BackwardPass<T>& pass) {
  const Matrix<const T> inputs = positions(pass.inputs);
  const std::span<T> gradient = pass.wanted_gradient();
  engine.normalize_backward(
      normalization(pass.weights, inputs.rows()), inputs, positions(Matrix<const T>(pass.delta)),
      pass.beta, {affine_.gamma(gradient), affine_.beta(gradient)}, positions(pass.input_delta));
}

}  // namespace daig::nn
