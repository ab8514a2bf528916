#pragma once

/// A convolution over images: outputs = activation(patches kernel + bias).

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <daig/nn/layer.hpp>
#include <daig/nn/layers/kernel_and_bias.hpp>
#include <daig/nn/window.hpp>

namespace daig::nn {

/// Shapes: {height, width, channels} -> {rows.out, columns.out, filters} of make_window. Parameters
/// as in Keras: "NAME/kernel" {kernel height, kernel width, channels, filters}, "NAME/bias"
/// {filters} if used. Softmax goes over the filters.
///
/// What lies under the kernel is copied side by side, so that convolution is a product of matrices
/// (Chellapilla, Puri, Simard, "High performance convolutional neural networks for document
/// processing", 2006), some lines of positions at a time: they are few enough to stay in a cache.
/// A 1 x 1 kernel with stride 1 needs no copy. Cost of a sample: 2 positions patch_size filters
/// flops forward; as many again for the kernel's gradient, and for the input's where that is
/// wanted.
template <class T>
class Conv2D final : public Layer<T> {
 public:
  /// @throws UsageError as make_window does, and for a number of filters of 0 or above 2^31 - 1.
  Conv2D(std::string name, const Shape& image, std::size_t filters, const WindowOptions& options,
         Activation activation, Bias bias = Bias::used)
      : Conv2D(std::move(name), image, make_window(image, options), filters, activation, bias) {}

  const Window& window() const { return window_; }
  Activation activation() const { return weights_.activation(); }

  void declare(model::Layout& layout) const override { weights_.declare(layout); }
  /// See KernelAndBias::initialise.
  void initialise(std::span<T> weights, std::uint64_t seed,
                  std::uint32_t first_parameter) const override {
    weights_.initialise(weights, seed, first_parameter);
  }
  void forward(const Engine<T>& engine, const ForwardPass<T>& pass) override;
  void backward(const Engine<T>& engine, const BackwardPass<T>& pass) override;

 private:
  /// For patches, unless a single line has more.
  static constexpr std::size_t scratch_bytes = std::size_t{1} << 19;

  Conv2D(std::string name, const Shape& image, const Window& window, std::size_t filters,
         Activation activation, Bias bias);

  /// Calls visit(first_line, lines) until all lines of so many images had their turn.
  template <class Visit>
  void for_each_part(std::size_t images, Visit visit) const;
  /// The values of some lines, a position a row.
  template <class U>
  Matrix<U> lines_of(Matrix<U> values, std::size_t columns, std::size_t first_line,
                     std::size_t lines) const;
  Matrix<const T> gather(const Engine<T>& engine, Matrix<const T> images, std::size_t first_line,
                         std::size_t lines);
  Matrix<T> scratch(std::size_t lines);

  Window window_;
  std::size_t filters_ = 0;
  KernelAndBias<T> weights_;
  std::vector<T> scratch_;
};

// ---------------------------------------------------------------------------------------------

template <class T>
Conv2D<T>::Conv2D(std::string name, const Shape& image, const Window& window, std::size_t filters,
                  Activation activation, Bias bias)
    : Layer<T>(image, {window.rows.out, window.columns.out, filters}),
      window_(window),
      filters_(detail::checked_extent(filters, "number of filters")),
      weights_(std::move(name),
               {window.rows.kernel, window.columns.kernel, window.channels, filters}, activation,
               bias) {}

template <class T>
void Conv2D<T>::forward(const Engine<T>& engine, const ForwardPass<T>& pass) {
  for_each_part(pass.inputs.rows(), [&](std::size_t first_line, std::size_t lines) {
    weights_.forward(engine, pass.weights, gather(engine, pass.inputs, first_line, lines),
                     lines_of(pass.outputs, filters_, first_line, lines));
  });
}

template <class T>
void Conv2D<T>::backward(const Engine<T>& engine, const BackwardPass<T>& pass) {
  const bool wants_input_delta = !pass.input_delta.empty();
  if (wants_input_delta && !window_.is_identity()) engine.clear(pass.input_delta.values());
  const Matrix<const T> kernel = weights_.kernel(pass.weights);
  for_each_part(pass.inputs.rows(), [&](std::size_t first_line, std::size_t lines) {
    const Matrix<T> delta = lines_of(pass.delta, filters_, first_line, lines);
    weights_.backward(engine, gather(engine, pass.inputs, first_line, lines),
                      lines_of(pass.outputs, filters_, first_line, lines), delta,
                      first_line == 0 ? pass.beta : T{1}, pass.wanted_gradient());
    if (!wants_input_delta) return;
    if (window_.is_identity()) {
      engine.multiply({delta}, {kernel, Transpose::yes}, 0,
                      lines_of(pass.input_delta, window_.channels, first_line, lines));
      return;
    }
    const Matrix<T> patch_delta = scratch(lines);  // the patches are no longer needed
    engine.multiply({delta}, {kernel, Transpose::yes}, 0, patch_delta);
    engine.scatter_patches(window_, patch_delta, first_line, pass.input_delta);
  });
}

template <class T>
template <class Visit>
void Conv2D<T>::for_each_part(std::size_t images, Visit visit) const {
  const std::size_t line_bytes = window_.columns.out * window_.patch_size() * sizeof(T);
  const std::size_t most_lines = std::max<std::size_t>(1, scratch_bytes / line_bytes);
  const std::size_t all_lines = images * window_.rows.out;
  for (std::size_t first = 0; first < all_lines; first += most_lines) {
    visit(first, std::min(most_lines, all_lines - first));
  }
}

template <class T>
template <class U>
Matrix<U> Conv2D<T>::lines_of(Matrix<U> values, std::size_t columns, std::size_t first_line,
                              std::size_t lines) const {
  const std::size_t width = window_.columns.out;
  return Matrix<U>(values.values(), values.values().size() / columns, columns)
      .slice(first_line * width, lines * width);
}

template <class T>
Matrix<const T> Conv2D<T>::gather(const Engine<T>& engine, Matrix<const T> images,
                                  std::size_t first_line, std::size_t lines) {
  if (window_.is_identity()) return lines_of(images, window_.channels, first_line, lines);
  const Matrix<T> patches = scratch(lines);
  engine.gather_patches(window_, images, first_line, patches);
  return patches;
}

template <class T>
Matrix<T> Conv2D<T>::scratch(std::size_t lines) {
  const std::size_t rows = lines * window_.columns.out;
  const std::size_t size = rows * window_.patch_size();
  if (scratch_.size() < size) scratch_.resize(size);
  return {std::span<T>(scratch_).first(size), rows, window_.patch_size()};
}

}  // namespace daig::nn
