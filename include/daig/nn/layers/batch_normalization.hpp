#pragma once

/// Normalises each channel over the batch.

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/nn/layer.hpp>
#include <daig/nn/layers/gamma_and_beta.hpp>

namespace daig::nn {

/// outputs = gamma (inputs - mean) / sqrt(variance + epsilon) + beta, all per channel (Ioffe,
/// Szegedy, "Batch normalization: accelerating deep network training by reducing internal covariate
/// shift", ICML 2015). In training, mean and variance are those of the batch, over its samples and
/// their positions, and the derivative goes through them; otherwise, and for a frozen layer always,
/// they are the moving ones. Variances are sums divided by n, not n - 1, as in Keras 3.
///
/// Shapes: any -> the same; the last axis is the channels. Parameters as in Keras: "NAME/gamma" and
/// "NAME/beta", if used, "NAME/moving_mean", "NAME/moving_variance", each {channels}. The last two
/// are statistics: their place in the gradient holds samples (moving - batch's), so that a step
/// moves them by (1 - momentum) of the mean over its samples. With one batch a step that is Keras's
/// rule; with several, each batch is normalised by itself, and the mean of their statistics
/// counts.
///
/// Cost of a value: about 8 flops forward and 12 backward, in passes over memory: 3 and 2.
template <class T>
class BatchNormalization final : public Layer<T> {
 public:
  /// @param momentum  what a step keeps of the moving statistics, 0.99 in Keras
  /// @throws UsageError for a momentum outside [0, 1], an epsilon that is not above 0, and samples
  /// without axes.
  BatchNormalization(std::string name, const Shape& shape, double momentum, double epsilon,
                     Affine affine = {});

  void declare(model::Layout& layout) const override;
  /// Gamma and variance 1, beta and mean 0.
  void initialise(std::span<T> weights, std::uint64_t seed,
                  std::uint32_t first_parameter) const override;
  bool needs_whole_batch() const override { return !this->frozen(); }

  void forward(const Engine<T>& engine, const ForwardPass<T>& pass) override;
  /// By the statistics of the forward pass before.
  void backward(const Engine<T>& engine, const BackwardPass<T>& pass) override;

 private:
  /// Of the weights, or of a gradient.
  template <class U>
  std::span<U> moving_mean(std::span<U> weights) const {
    return weights.subspan(affine_.size(), affine_.channels());
  }
  template <class U>
  std::span<U> moving_variance(std::span<U> weights) const {
    return weights.subspan(affine_.size() + affine_.channels(), affine_.channels());
  }
  /// Samples, or their derivatives, with a position a row.
  template <class U>
  Matrix<U> positions(Matrix<U> samples) const {
    return {samples.values(), samples.values().size() / affine_.channels(), affine_.channels()};
  }
  Normalization<T> normalization(std::span<const T> weights) const;

  GammaAndBeta<T> affine_;
  double momentum_;
  T epsilon_;
  std::vector<T> mean_;  // of the last batch in training, as is the variance
  std::vector<T> variance_;
  bool by_batch_ = false;  // the last pass was in training
};

// ---------------------------------------------------------------------------------------------

template <class T>
BatchNormalization<T>::BatchNormalization(std::string name, const Shape& shape, double momentum,
                                          double epsilon, Affine affine)
    : Layer<T>(shape, shape),
      affine_(std::move(name), shape, affine),
      momentum_(momentum),
      epsilon_(detail::checked_epsilon<T>(epsilon)),
      mean_(affine_.channels()),
      variance_(affine_.channels()) {
  if (momentum >= 0 && momentum <= 1) return;
  throw UsageError(fmt::format(
      "momentum {} makes no sense: it is the part of the moving statistics that a step keeps, from "
      "0 to 1",
      momentum));
}

template <class T>
void BatchNormalization<T>::declare(model::Layout& layout) const {
  affine_.declare(layout);
  layout.add_statistic(affine_.parameter("moving_mean"), {affine_.channels()}, momentum_);
  layout.add_statistic(affine_.parameter("moving_variance"), {affine_.channels()}, momentum_);
}

template <class T>
void BatchNormalization<T>::initialise(std::span<T> weights, std::uint64_t /*seed*/,
                                       std::uint32_t /*first_parameter*/) const {
  affine_.initialise(weights);
  std::ranges::fill(moving_mean(weights), T{0});
  std::ranges::fill(moving_variance(weights), T{1});
}

template <class T>
Normalization<T> BatchNormalization<T>::normalization(std::span<const T> weights) const {
  using Moments = typename Normalization<T>::Moments;
  Normalization<T> by;
  by.moments = by_batch_ ? Moments::of_inputs : Moments::constant;
  by.mean = by_batch_ ? std::span<const T>(mean_) : moving_mean(weights);
  by.variance = by_batch_ ? std::span<const T>(variance_) : moving_variance(weights);
  by.gamma = affine_.gamma(weights);
  by.beta = affine_.beta(weights);
  by.epsilon = epsilon_;
  return by;
}

template <class T>
void BatchNormalization<T>::forward(const Engine<T>& engine, const ForwardPass<T>& pass) {
  by_batch_ = pass.training && !this->frozen();
  const Matrix<const T> inputs = positions(pass.inputs);
  if (by_batch_) engine.moments(Groups::columns, inputs, mean_, variance_);
  engine.normalize(normalization(pass.weights), inputs, positions(pass.outputs));
}

template <class T>
void BatchNormalization<T>::backward(const Engine<T>& engine, const BackwardPass<T>& pass) {
  const std::span<T> gradient = pass.wanted_gradient();
  engine.normalize_backward(
      normalization(pass.weights), positions(pass.inputs), positions(Matrix<const T>(pass.delta)),
      pass.beta, {affine_.gamma(gradient), affine_.beta(gradient)}, positions(pass.input_delta));
  if (gradient.empty()) return;
  expects(by_batch_, "statistics of a batch in training");
  const T samples = static_cast<T>(pass.inputs.rows());
  engine.add_difference(samples, moving_mean(pass.weights), mean_, pass.beta,
                        moving_mean(gradient));
  engine.add_difference(samples, moving_variance(pass.weights), variance_, pass.beta,
                        moving_variance(gradient));
}

}  // namespace daig::nn
