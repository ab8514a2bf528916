#pragma once

/// A convolution of each channel of an image on its own.

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include <daig/core/random.hpp>
#include <daig/nn/layer.hpp>
#include <daig/nn/layers/kernel_and_bias.hpp>
#include <daig/nn/window.hpp>

namespace daig::nn {

/// Shapes: {height, width, channels} -> {rows.out, columns.out, channels multiplier} of
/// make_window; those that come from one channel lie side by side. Parameters as in Keras:
/// "NAME/kernel" {kernel height, kernel width, channels, multiplier}, "NAME/bias" {channels
/// multiplier} if used. Softmax goes over the last axis.
///
/// Cost of a sample: 2 positions patch_size multiplier flops forward; as many again for the
/// kernel's gradient, and for the input's where that is wanted. As there are few of them for each
/// value that is read, the engine goes over the images as they lie, without patches.
template <class T>
class DepthwiseConv2D final : public Layer<T> {
 public:
  /// @param multiplier  outputs of a channel.
  /// @throws UsageError as make_window does, and for a multiplier of 0, or with which there are
  /// more than 2^31 - 1 outputs at a position.
  DepthwiseConv2D(std::string name, const Shape& image, std::size_t multiplier,
                  const WindowOptions& options, Activation activation, Bias bias = Bias::used)
      : DepthwiseConv2D(std::move(name), make_window(image, options), multiplier, activation,
                        bias) {}

  const Window& window() const { return window_; }

  void declare(model::Layout& layout) const override;
  /// Biases 0; the kernel by draw_kernel, whose fans are those that Keras has.
  void initialise(std::span<T> weights, std::uint64_t seed,
                  std::uint32_t first_parameter) const override;
  void forward(const Engine<T>& engine, const ForwardPass<T>& pass) override;
  void backward(const Engine<T>& engine, const BackwardPass<T>& pass) override;

 private:
  DepthwiseConv2D(std::string name, const Window& window, std::size_t multiplier,
                  Activation activation, Bias bias);

  std::size_t kernel_size() const { return window_.patch_size() * multiplier_; }
  template <class U>
  Matrix<U> kernel(std::span<U> weights) const {
    return {weights.first(kernel_size()), window_.patch_size(), multiplier_};
  }
  template <class U>
  Matrix<U> positions(Matrix<U> outputs) const {
    return outputs.by_columns(this->output_shape().back());
  }

  std::string name_;
  Window window_;
  std::size_t multiplier_;
  Activation activation_;
  Bias bias_;
};

// ---------------------------------------------------------------------------------------------

namespace detail {

inline std::size_t checked_multiplier(std::size_t channels, std::size_t multiplier) {
  if (can_count(channels, checked_extent(multiplier, "depth multiplier"), 1)) return multiplier;
  throw UsageError("a depth multiplier of " + std::to_string(multiplier) +
                   " makes more than 2^31 - 1"
                   " outputs of " +
                   std::to_string(channels) + " channels: use a smaller one");
}

}  // namespace detail

template <class T>
DepthwiseConv2D<T>::DepthwiseConv2D(std::string name, const Window& window, std::size_t multiplier,
                                    Activation activation, Bias bias)
    : Layer<T>({window.rows.in, window.columns.in, window.channels},
               {window.rows.out, window.columns.out,
                window.channels * detail::checked_multiplier(window.channels, multiplier)}),
      name_(std::move(name)),
      window_(window),
      multiplier_(multiplier),
      activation_(activation),
      bias_(bias) {}

template <class T>
void DepthwiseConv2D<T>::declare(model::Layout& layout) const {
  layout.add(name_ + "/kernel",
             {window_.rows.kernel, window_.columns.kernel, window_.channels, multiplier_});
  if (bias_ == Bias::used) layout.add(name_ + "/bias", {window_.channels * multiplier_});
}

template <class T>
void DepthwiseConv2D<T>::initialise(std::span<T> weights, std::uint64_t seed,
                                    std::uint32_t first_parameter) const {
  Random random(seed, Stream::weights, first_parameter);
  draw_kernel({window_.rows.kernel, window_.columns.kernel, window_.channels, multiplier_},
              activation_, random, weights.first(kernel_size()));
  std::ranges::fill(weights.subspan(kernel_size()), T{0});
}

template <class T>
void DepthwiseConv2D<T>::forward(const Engine<T>& engine, const ForwardPass<T>& pass) {
  engine.convolve_depthwise(window_, pass.inputs, kernel(pass.weights), pass.outputs);
  const Matrix<T> outputs = positions(pass.outputs);
  if (bias_ == Bias::used) {
    engine.bias_activate(pass.weights.subspan(kernel_size()), activation_, outputs);
  } else if (activation_ != Activation::linear) {
    engine.activate(activation_, outputs, outputs);
  }
}

template <class T>
void DepthwiseConv2D<T>::backward(const Engine<T>& engine, const BackwardPass<T>& pass) {
  const Matrix<T> delta = positions(pass.delta);
  engine.activate_backward(activation_, positions(pass.outputs), delta, delta);
  if (bias_ == Bias::used) {
    engine.bias_gradient(delta, pass.beta, pass.gradient.subspan(kernel_size()));
  }
  engine.convolve_depthwise_backward(window_, pass.inputs, kernel(pass.weights), pass.delta,
                                     pass.beta, kernel(pass.gradient), pass.input_delta);
}

}  // namespace daig::nn
