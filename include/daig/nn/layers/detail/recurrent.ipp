// The bodies of nn/layers/recurrent.hpp.

#pragma once

#include <utility>

#include <daig/core/error.hpp>
#include <daig/nn/layers/dropout_mask.hpp>
#include <daig/nn/layers/recurrent.hpp>

namespace daig::nn {
namespace detail {

/// Random rows of length 1, each at right angles to the others: Gram and Schmidt's way, each row
/// taken twice, so that rounding does not add up. Expects no more rows than columns.
template <class T>
void draw_orthonormal_rows(Random& random, Matrix<T> rows) {
  const auto product = [](std::span<const T> a, std::span<const T> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    }
    return sum;
  };
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    const std::span<T> row = rows.row(r);
    for (T& value : row) value = static_cast<T>(random.normal());
    for (std::size_t i = 0; i < 2 * r; ++i) {
      const std::span<const T> other = rows.row(i % r);
      const double part = product(row, other);
      for (std::size_t c = 0; c < row.size(); ++c) {
        row[c] -= static_cast<T>(part * static_cast<double>(other[c]));
      }
    }
    const double length = std::sqrt(product(row, row));
    for (T& value : row) value = static_cast<T>(static_cast<double>(value) / length);
  }
}

}  // namespace detail

template <class T>
Recurrent<T>::Recurrent(std::string name, const Shape& input_shape, const RecurrentOptions& options,
                        const Cell& cell)
    : Layer<T>(checked(input_shape, options), output_of(input_shape, options)),
      name_(std::move(name)),
      options_(options),
      cell_(cell) {}

/// The bounds are far beyond what can be computed, and sizes below need no care.
template <class T>
const Shape& Recurrent<T>::checked(const Shape& input_shape, const RecurrentOptions& options) {
  constexpr std::size_t most_steps = std::size_t{1} << 22;
  constexpr std::size_t most_units = std::size_t{1} << 24;
  if (input_shape.size() != 2) {
    throw UsageError("a sample has " + std::to_string(input_shape.size()) +
                     " extents, not those of a sequence: steps, and values of a step");
  }
  if (input_shape[0] == 0 || input_shape[0] > most_steps) {
    throw UsageError("a sequence of " + std::to_string(input_shape[0]) +
                     " steps is not supported: there are 1 to " + std::to_string(most_steps));
  }
  if (options.units == 0 || options.units > most_units) {
    throw UsageError(std::to_string(options.units) + " units are not supported: there are 1 to " +
                     std::to_string(most_units));
  }
  check_dropout_rate(options.dropout);
  check_dropout_rate(options.recurrent_dropout);
  return input_shape;
}

template <class T>
Shape Recurrent<T>::output_of(const Shape& input_shape, const RecurrentOptions& options) {
  if (options.returned == Returned::last_state) return {options.units};
  return {input_shape[0], options.units};
}

template <class T>
void Recurrent<T>::declare(model::Layout& layout) const {
  const std::size_t columns = cell_.gates * units();
  layout.add(name_ + "/kernel", {in(), columns});
  layout.add(name_ + "/recurrent_kernel", {units(), columns});
  if (options_.bias == Bias::none) return;
  layout.add(name_ + "/bias", cell_.biases == 1 ? Shape{columns} : Shape{cell_.biases, columns});
}

template <class T>
void Recurrent<T>::initialise(std::span<T> weights, std::uint64_t seed,
                              std::uint32_t first_parameter) const {
  const std::size_t columns = cell_.gates * units();
  Random random(seed, Stream::weights, first_parameter);
  const double limit = std::sqrt(6.0 / static_cast<double>(in() + columns));
  for (T& weight : kernel(weights).values()) {
    weight = static_cast<T>(random.uniform(-limit, limit));
  }
  Random recurrent_random(seed, Stream::weights, first_parameter + 1);
  detail::draw_orthonormal_rows(recurrent_random, recurrent_kernel(weights));
  const std::span<T> biases = bias(weights);
  for (T& value : biases) value = 0;
  if (biases.empty() || !cell_.forget_gate) return;
  for (T& value : biases.subspan(*cell_.forget_gate * units(), units())) value = 1;
}

template <class T>
void Recurrent<T>::forward(const Engine<T>& engine, const ForwardPass<T>& pass) {
  rows_ = pass.inputs.rows();
  training_ = pass.training.has_value();
  const Matrix<T> inputs = scratch(inputs_, steps() * rows_, in());
  engine.recurrent().gather_steps(pass.inputs, options_.order, inputs);
  if (training_) draw(*pass.training);
  drop(engine, inputs);
  begin(engine, pass.weights);
  engine.clear(state(0).values());
  for (std::size_t t = 0; t < steps(); ++t) {
    if (drops_states()) {
      engine.multiply_elements(state(t), scratch(state_factors_, rows_, units()), fed(t));
    }
    step(engine, pass.weights, t);
  }
  give(engine, pass.outputs);
}

template <class T>
void Recurrent<T>::backward(const Engine<T>& engine, const BackwardPass<T>& pass) {
  expects(pass.delta.rows() == rows_, "the rows of the forward pass before");
  const bool by_all = options_.returned == Returned::all_states;
  Matrix<T> deltas;
  if (by_all) {
    deltas = scratch(deltas_, steps() * rows_, units());
    engine.recurrent().gather_steps(pass.delta, options_.given_order, deltas);
  }
  const Matrix<T> state_delta = scratch(state_delta_, rows_, units());
  engine.activate(Activation::linear, by_all ? at(deltas, steps() - 1) : pass.delta, state_delta);
  const Matrix<T> fed_delta = scratch(fed_delta_, rows_, units());
  begin_backward(engine);
  for (std::size_t t = steps() - 1; t > 0; --t) {
    step_backward(engine, pass.weights, t, state_delta, fed_delta);
    if (drops_states()) {
      engine.multiply_elements(fed_delta, scratch(state_factors_, rows_, units()), fed_delta);
    }
    engine.recurrent().merge(Merge::sum, state_delta, fed_delta, state_delta);
    if (by_all) {
      engine.recurrent().merge(Merge::sum, state_delta, at(deltas, t - 1), state_delta);
    }
  }
  step_backward(engine, pass.weights, 0, state_delta, {});
  if (pass.input_delta.empty()) return finish_backward(engine, pass, {});
  const Matrix<T> input_delta = scratch(input_delta_, steps() * rows_, in());
  finish_backward(engine, pass, input_delta);
  drop(engine, input_delta);
  engine.recurrent().scatter_steps(input_delta, options_.order, pass.input_delta);
}

template <class T>
void Recurrent<T>::add_products(const Engine<T>& engine, const BackwardPass<T>& pass,
                                Matrix<const T> delta, Matrix<T> input_delta) {
  engine.multiply({inputs(), Transpose::yes}, {delta}, pass.beta, kernel(pass.gradient));
  engine.multiply({all_fed(), Transpose::yes}, {delta}, pass.beta, recurrent_kernel(pass.gradient));
  const std::span<T> of_bias = bias(pass.gradient);
  if (!of_bias.empty()) engine.bias_gradient(delta, pass.beta, of_bias);
  if (input_delta.empty()) return;
  engine.multiply({delta}, {kernel(pass.weights), Transpose::yes}, 0, input_delta);
}

/// First the factors of a sample's inputs, then those of its states.
template <class T>
void Recurrent<T>::draw(const Noise& noise) {
  const Matrix<T> of_inputs = scratch(input_factors_, rows_, drops_inputs() ? in() : 0);
  const Matrix<T> of_states = scratch(state_factors_, rows_, drops_states() ? units() : 0);
  for (std::size_t r = 0; r < rows_; ++r) {
    Random random(noise.seed, Stream::noise, options_.layer_index,
                  static_cast<std::uint32_t>(noise.first_row + r));
    draw_dropout(random, options_.dropout, of_inputs.row(r));
    draw_dropout(random, options_.recurrent_dropout, of_states.row(r));
  }
}

/// The same values of each step.
template <class T>
void Recurrent<T>::drop(const Engine<T>& engine, Matrix<T> inputs) {
  if (!drops_inputs()) return;
  const Matrix<T> factors = scratch(input_factors_, rows_, in());
  for (std::size_t t = 0; t < steps(); ++t) {
    engine.multiply_elements(at(inputs, t), factors, at(inputs, t));
  }
}

template <class T>
void Recurrent<T>::give(const Engine<T>& engine, Matrix<T> outputs) {
  if (options_.returned == Returned::last_state) {
    return engine.activate(Activation::linear, state(steps()), outputs);
  }
  engine.recurrent().scatter_steps(new_states(), options_.given_order, outputs);
}

}  // namespace daig::nn
