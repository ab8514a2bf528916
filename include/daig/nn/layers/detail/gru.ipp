// The bodies of nn/layers/gru.hpp.

#pragma once

#include <daig/nn/layers/gru.hpp>

namespace daig::nn {

template <class T>
typename Gru<T>::Parts Gru<T>::parts(std::vector<T>& buffer, std::size_t rows) {
  const std::size_t units = this->units();
  const std::span<T> values = this->scratch(buffer, rows, 3 * units).values();
  return {{values.first(rows * 2 * units), rows, 2 * units},
          {values.subspan(rows * 2 * units), rows, units}};
}

template <class T>
void Gru<T>::take_apart(const Engine<T>& engine, Matrix<const T> kernel, const Parts& parts) {
  engine.recurrent().copy_columns(kernel, 0, parts.gates);
  engine.recurrent().copy_columns(kernel, parts.gates.columns(), parts.candidate);
}

template <class T>
std::span<const T> Gru<T>::bias_of(std::span<const T> weights, std::size_t first, std::size_t count,
                                   bool second) const {
  const std::span<const T> all = this->bias(weights);
  if (all.empty() || (second && !after_)) return {};
  return all.subspan((first + (second ? 3 : 0)) * this->units(), count * this->units());
}

template <class T>
void Gru<T>::begin(const Engine<T>& engine, std::span<const T> weights) {
  take_apart(engine, this->kernel(weights), kernel_parts());
  take_apart(engine, this->recurrent_kernel(weights), recurrent_parts());
  engine.multiply({this->inputs()}, {kernel_parts().gates}, 0, gates());
  engine.multiply({this->inputs()}, {kernel_parts().candidate}, 0, candidates());
}

template <class T>
void Gru<T>::step(const Engine<T>& engine, std::span<const T> weights, std::size_t t) {
  const Matrix<T> fed = this->fed(t);
  const Matrix<T> gates = this->at(this->gates(), t);
  const Matrix<T> inner = this->at(this->inner(), t);
  const Matrix<T> candidate = this->at(candidates(), t);
  engine.multiply({fed}, {recurrent_parts().gates}, 1, gates);
  engine.recurrent().gru_gates(functions_.gates, bias_of(weights, 0, 2, false),
                               bias_of(weights, 0, 2, true), fed, gates,
                               after_ ? Matrix<T>() : inner);
  if (after_) {
    engine.multiply({fed}, {recurrent_parts().candidate}, 0, inner);
  } else {
    engine.multiply({inner}, {recurrent_parts().candidate}, 1, candidate);
  }
  engine.recurrent().gru_update({functions_.candidate, bias_of(weights, 2, 1, false),
                                 bias_of(weights, 2, 1, true), gates, this->state(t),
                                 after_ ? inner : Matrix<T>(), candidate, this->state(t + 1)});
}

template <class T>
void Gru<T>::step_backward(const Engine<T>& engine, std::span<const T>, std::size_t t,
                           Matrix<T> state_delta, Matrix<T> fed_delta) {
  const Matrix<T> gates = this->at(this->gates(), t);
  const Matrix<T> gate_delta = this->at(gate_deltas(), t);
  const Matrix<T> inner_delta = this->at(inner_deltas(), t);
  const Factor<T> to_candidate{recurrent_parts().candidate, Transpose::yes};
  const Factor<T> to_gates{recurrent_parts().gates, Transpose::yes};
  engine.recurrent().gru_update_backward(
      {functions_, gates, this->state(t), after_ ? this->at(inner(), t) : Matrix<T>(),
       this->at(candidates(), t), state_delta, gate_delta, this->at(candidate_deltas(), t),
       after_ ? inner_delta : Matrix<T>()});
  if (after_) {
    if (fed_delta.empty()) return;
    engine.multiply({inner_delta}, to_candidate, 0, fed_delta);
    return engine.multiply({gate_delta}, to_gates, 1, fed_delta);
  }
  const Matrix<T> reset_delta = this->scratch(reset_delta_, this->rows(), 2 * this->units());
  const auto half = [&](std::size_t index) {
    const std::size_t size = this->rows() * this->units();
    return Matrix<T>(reset_delta.values().subspan(index * size, size), this->rows(), this->units());
  };
  const Matrix<T> by_fed = fed_delta.empty() ? half(1) : fed_delta;  // the gate's is wanted still
  engine.multiply({inner_delta}, to_candidate, 0, half(0));
  engine.recurrent().gru_reset_backward(functions_.gates, gates, this->fed(t), half(0), gate_delta,
                                        by_fed);
  if (!fed_delta.empty()) engine.multiply({gate_delta}, to_gates, 1, fed_delta);
}

template <class T>
void Gru<T>::finish_backward(const Engine<T>& engine, const BackwardPass<T>& pass,
                             Matrix<T> input_delta) {
  const auto product = [&](Matrix<const T> rows, Matrix<const T> delta, Matrix<T> into) {
    engine.multiply({rows, Transpose::yes}, {delta}, 0, into);
  };
  const Parts by_kernel = parts(products_, this->in());
  product(this->inputs(), gate_deltas(), by_kernel.gates);
  product(this->inputs(), candidate_deltas(), by_kernel.candidate);
  add_gradient(engine, by_kernel, pass.beta, this->kernel(pass.gradient));
  const Parts by_recurrent = parts(products_, this->units());
  product(this->all_fed(), gate_deltas(), by_recurrent.gates);
  product(after_ ? this->all_fed() : inner(), inner_deltas(), by_recurrent.candidate);
  add_gradient(engine, by_recurrent, pass.beta, this->recurrent_kernel(pass.gradient));
  bias_gradients(engine, pass.beta, this->bias(pass.gradient));
  if (input_delta.empty()) return;
  engine.multiply({gate_deltas()}, {kernel_parts().gates, Transpose::yes}, 0, input_delta);
  engine.multiply({candidate_deltas()}, {kernel_parts().candidate, Transpose::yes}, 1, input_delta);
}

template <class T>
void Gru<T>::add_gradient(const Engine<T>& engine, const Parts& products, T beta,
                          Matrix<T> gradient) {
  engine.recurrent().add_columns(products.gates, beta, 0, gradient);
  engine.recurrent().add_columns(products.candidate, beta, products.gates.columns(), gradient);
}

template <class T>
void Gru<T>::bias_gradients(const Engine<T>& engine, T beta, std::span<T> gradient) {
  if (gradient.empty()) return;
  const std::size_t units = this->units();
  engine.bias_gradient(gate_deltas(), beta, gradient.first(2 * units));
  engine.bias_gradient(candidate_deltas(), beta, gradient.subspan(2 * units, units));
  if (!after_) return;
  engine.bias_gradient(gate_deltas(), beta, gradient.subspan(3 * units, 2 * units));
  engine.bias_gradient(inner_deltas(), beta, gradient.subspan(5 * units, units));
}

}  // namespace daig::nn
