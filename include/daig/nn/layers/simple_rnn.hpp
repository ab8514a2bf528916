#pragma once

/// The plain recurrent layer: state = activation(inputs kernel + old state recurrent_kernel +
/// bias).

#include <string>
#include <utility>
#include <vector>

#include <daig/nn/layers/recurrent.hpp>

namespace daig::nn {

/// Elman, "Finding structure in time", 1990. See Recurrent, with 1 gate.
template <class T>
class SimpleRnn final : public Recurrent<T> {
 public:
  /// @throws UsageError as Recurrent does.
  SimpleRnn(std::string name, const Shape& input_shape, const RecurrentOptions& options,
            Activation activation = Activation::tanh)
      : Recurrent<T>(std::move(name), input_shape, options, {}), activation_(activation) {}

 private:
  void begin(const Engine<T>& engine, std::span<const T> weights) override {
    engine.multiply({this->inputs()}, {this->kernel(weights)}, 0, this->new_states());
  }
  void step(const Engine<T>& engine, std::span<const T> weights, std::size_t t) override;
  void begin_backward(const Engine<T>&) override {}
  void step_backward(const Engine<T>& engine, std::span<const T> weights, std::size_t t,
                     Matrix<T> state_delta, Matrix<T> fed_delta) override;
  void finish_backward(const Engine<T>& engine, const BackwardPass<T>& pass,
                       Matrix<T> input_delta) override {
    this->add_products(engine, pass, sum_deltas(), input_delta);
  }

  /// d loss / d sums, of all steps.
  Matrix<T> sum_deltas() {
    return this->scratch(sum_deltas_, this->steps() * this->rows(), this->units());
  }

  Activation activation_;
  std::vector<T> sum_deltas_;
};

// ---------------------------------------------------------------------------------------------

template <class T>
void SimpleRnn<T>::step(const Engine<T>& engine, std::span<const T> weights, std::size_t t) {
  const Matrix<T> state = this->state(t + 1);
  if (t > 0) engine.multiply({this->fed(t)}, {this->recurrent_kernel(weights)}, 1, state);
  const std::span<const T> bias = this->bias(weights);
  if (bias.empty()) return engine.activate(activation_, state, state);
  engine.bias_activate(bias, activation_, state);
}

template <class T>
void SimpleRnn<T>::step_backward(const Engine<T>& engine, std::span<const T> weights, std::size_t t,
                                 Matrix<T> state_delta, Matrix<T> fed_delta) {
  const Matrix<T> sum_delta = this->at(sum_deltas(), t);
  engine.activate_backward(activation_, this->state(t + 1), state_delta, sum_delta);
  engine.clear(state_delta.values());
  if (fed_delta.empty()) return;
  engine.multiply({sum_delta}, {this->recurrent_kernel(weights), Transpose::yes}, 0, fed_delta);
}

}  // namespace daig::nn
