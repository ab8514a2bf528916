#pragma once

/// Long short-term memory.

#include <string>
#include <utility>
#include <vector>

#include <daig/nn/layers/recurrent.hpp>

namespace daig::nn {

/// Hochreiter, Schmidhuber, "Long short-term memory", 1997, with the forget gate of Gers,
/// Schmidhuber, Cummins, "Learning to forget", 2000. See Recurrent, with 4 gates in Keras's order:
/// i (input), f (forget), g (the candidate, which Keras calls c), o (output); the arithmetic is
/// that of LstmStep. Biases of the forget gate begin as 1.
template <class T>
class Lstm final : public Recurrent<T> {
 public:
  /// @throws UsageError as Recurrent does.
  Lstm(std::string name, const Shape& input_shape, const RecurrentOptions& options,
       const CellActivations& functions = {})
      : Recurrent<T>(std::move(name), input_shape, options, {4, 1, 1}), functions_(functions) {}

 private:
  void begin(const Engine<T>& engine, std::span<const T> weights) override {
    engine.multiply({this->inputs()}, {this->kernel(weights)}, 0, gates());
    engine.clear(cell(0).values());
  }
  void step(const Engine<T>& engine, std::span<const T> weights, std::size_t t) override;
  void begin_backward(const Engine<T>& engine) override { engine.clear(cell_delta().values()); }
  void step_backward(const Engine<T>& engine, std::span<const T> weights, std::size_t t,
                     Matrix<T> state_delta, Matrix<T> fed_delta) override;
  void finish_backward(const Engine<T>& engine, const BackwardPass<T>& pass,
                       Matrix<T> input_delta) override {
    this->add_products(engine, pass, gate_deltas(), input_delta);
  }

  /// Of all steps, one after the other, as are squashed() and gate_deltas().
  Matrix<T> gates() { return of_steps(gates_, 4); }
  Matrix<T> squashed() { return of_steps(squashed_, 1); }
  Matrix<T> gate_deltas() { return of_steps(gate_deltas_, 4); }
  /// Before step t.
  Matrix<T> cell(std::size_t t) {
    return this->at(this->scratch(cells_, (this->steps() + 1) * this->rows(), this->units()), t);
  }
  Matrix<T> cell_delta() { return this->scratch(cell_delta_, this->rows(), this->units()); }
  Matrix<T> of_steps(std::vector<T>& buffer, std::size_t gates) {
    return this->scratch(buffer, this->steps() * this->rows(), gates * this->units());
  }

  CellActivations functions_;
  std::vector<T> gates_;
  std::vector<T> cells_;
  std::vector<T> squashed_;  // activation(cell)
  std::vector<T> gate_deltas_;
  std::vector<T> cell_delta_;
};

// ---------------------------------------------------------------------------------------------

template <class T>
void Lstm<T>::step(const Engine<T>& engine, std::span<const T> weights, std::size_t t) {
  const Matrix<T> gates = this->at(this->gates(), t);
  if (t > 0) engine.multiply({this->fed(t)}, {this->recurrent_kernel(weights)}, 1, gates);
  engine.recurrent().lstm_step({functions_, this->bias(weights), cell(t), gates, cell(t + 1),
                                this->at(squashed(), t), this->state(t + 1)});
}

template <class T>
void Lstm<T>::step_backward(const Engine<T>& engine, std::span<const T> weights, std::size_t t,
                            Matrix<T> state_delta, Matrix<T> fed_delta) {
  const Matrix<T> gate_delta = this->at(gate_deltas(), t);
  engine.recurrent().lstm_step_backward({functions_, cell(t), this->at(gates(), t),
                                         this->at(squashed(), t), state_delta, cell_delta(),
                                         gate_delta});
  engine.clear(state_delta.values());  // all comes through fed(t)
  if (fed_delta.empty()) return;
  engine.multiply({gate_delta}, {this->recurrent_kernel(weights), Transpose::yes}, 0, fed_delta);
}

}  // namespace daig::nn
