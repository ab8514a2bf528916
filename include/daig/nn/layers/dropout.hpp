#pragma once

/// Drops values at random while a model is trained.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <daig/core/random.hpp>
#include <daig/nn/layer.hpp>
#include <daig/nn/layers/dropout_mask.hpp>

namespace daig::nn {

/// In training each value is kept with probability 1 - rate and then divided by that, or else
/// becomes 0 (Srivastava et al., "Dropout: a simple way to prevent neural networks from
/// overfitting", 2014, section 10, there called "inverted"); without training they stay as they
/// are. Shapes: any -> the same. No parameters.
///
/// What is dropped follows from the batch's seed, the layer's index and the row in the batch alone,
/// however a batch is cut. Cost: a random word a value, and scratch of one factor a value.
template <class T>
class Dropout final : public Layer<T> {
 public:
  /// @param layer_index  a number that no other random layer of the network has.
  /// @throws UsageError for a rate that is not in [0, 1).
  Dropout(const Shape& shape, double rate, std::uint32_t layer_index);

  double rate() const { return rate_; }

  void forward(const Engine<T>& engine, const ForwardPass<T>& pass) override;
  /// By the factors of the forward pass before.
  void backward(const Engine<T>& engine, const BackwardPass<T>& pass) override;

 private:
  void draw(const Noise& noise, Matrix<T> factors) const;
  Matrix<T> factors(std::size_t rows);

  double rate_;
  std::uint32_t layer_index_;
  std::vector<T> factors_;  // 0 or 1 / (1 - rate) for each value of the last pass in training
  bool training_ = false;   // the last pass was one
};

// ---------------------------------------------------------------------------------------------

template <class T>
Dropout<T>::Dropout(const Shape& shape, double rate, std::uint32_t layer_index)
    : Layer<T>(shape, shape), rate_(rate), layer_index_(layer_index) {
  check_dropout_rate(rate);
}

template <class T>
void Dropout<T>::forward(const Engine<T>& engine, const ForwardPass<T>& pass) {
  training_ = pass.training.has_value();
  if (!training_) return engine.activate(Activation::linear, pass.inputs, pass.outputs);
  const Matrix<T> drawn = factors(pass.inputs.rows());
  draw(*pass.training, drawn);
  engine.multiply_elements(pass.inputs, drawn, pass.outputs);
}

template <class T>
void Dropout<T>::backward(const Engine<T>& engine, const BackwardPass<T>& pass) {
  if (pass.input_delta.empty()) return;
  if (!training_) return engine.activate(Activation::linear, pass.delta, pass.input_delta);
  engine.multiply_elements(pass.delta, factors(pass.delta.rows()), pass.input_delta);
}

template <class T>
void Dropout<T>::draw(const Noise& noise, Matrix<T> factors) const {
  for (std::size_t r = 0; r < factors.rows(); ++r) {
    Random random(noise.seed, Stream::noise, layer_index_,
                  static_cast<std::uint32_t>(noise.first_row + r));
    draw_dropout(random, rate_, factors.row(r));
  }
}

template <class T>
Matrix<T> Dropout<T>::factors(std::size_t rows) {
  const std::size_t columns = elements(this->input_shape());
  if (factors_.size() < rows * columns) factors_.resize(rows * columns);
  return {std::span<T>(factors_).first(rows * columns), rows, columns};
}

}  // namespace daig::nn
