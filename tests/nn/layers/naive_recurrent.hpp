#pragma once

/// Recurrent layers by their formulas, a sample, a step and a unit at a time.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include <daig/nn/layers/gru.hpp>
#include <daig/nn/layers/recurrent.hpp>

namespace daig::nn::test {

inline double naive_activation(CellActivation activation, double x) {
  switch (activation) {
    case CellActivation::linear:
      return x;
    case CellActivation::relu:
      return std::max(x, 0.0);
    case CellActivation::tanh:
      return std::tanh(x);
    case CellActivation::sigmoid:
      return 1 / (1 + std::exp(-x));
    case CellActivation::hard_sigmoid_5:
      return std::clamp(0.2 * x + 0.5, 0.0, 1.0);
    case CellActivation::hard_sigmoid_6:
      return std::clamp(x + 3, 0.0, 6.0) / 6;
  }
  return std::nan("");
}

/// A layer's weights, and what single sums are made of them.
struct NaiveCell {
  std::span<const double> weights;
  std::size_t in;
  std::size_t units;
  std::size_t gates;
  bool biased;
  CellActivations functions{};
  Reset reset = Reset::after_product;

  std::size_t column(std::size_t gate, std::size_t unit) const { return gate * units + unit; }
  double product(std::span<const double> kernel, std::span<const double> by, std::size_t c) const {
    double sum = 0;
    for (std::size_t i = 0; i < by.size(); ++i) sum += by[i] * kernel[i * gates * units + c];
    return sum;
  }
  double of_inputs(std::span<const double> x, std::size_t c) const {
    return product(weights, x, c) + bias(c);
  }
  double of_state(std::span<const double> h, std::size_t c) const {
    return product(weights.subspan(in * gates * units), h, c);
  }
  double bias(std::size_t c) const {
    return biased ? weights[(in + units) * gates * units + c] : 0;
  }
  double recurrent_bias(std::size_t c) const { return bias(c + gates * units); }
};

/// The next state, of inputs x and state h; of an LSTM the cell's, too, in place.
using NaiveStep =
    std::function<std::vector<double>(const NaiveCell& cell, std::span<const double> x,
                                      std::span<const double> h, std::vector<double>& carried)>;

inline std::vector<double> naive_lstm(const NaiveCell& cell, std::span<const double> x,
                                      std::span<const double> h, std::vector<double>& carried) {
  std::vector<double> next(cell.units);
  for (std::size_t u = 0; u < cell.units; ++u) {
    const auto gate = [&](std::size_t g, CellActivation function) {
      const std::size_t c = cell.column(g, u);
      return naive_activation(function, cell.of_inputs(x, c) + cell.of_state(h, c));
    };
    carried[u] = gate(1, cell.functions.gates) * carried[u] +
                 gate(0, cell.functions.gates) * gate(2, cell.functions.candidate);
    next[u] =
        gate(3, cell.functions.gates) * naive_activation(cell.functions.candidate, carried[u]);
  }
  return next;
}

inline std::vector<double> naive_gru(const NaiveCell& cell, std::span<const double> x,
                                     std::span<const double> h, std::vector<double>&) {
  const bool after = cell.reset == Reset::after_product;
  const auto gate = [&](std::size_t g, std::size_t u) {
    const std::size_t c = cell.column(g, u);
    const double more = after ? cell.recurrent_bias(c) : 0;
    return naive_activation(cell.functions.gates,
                            cell.of_inputs(x, c) + cell.of_state(h, c) + more);
  };
  std::vector<double> reset_state(h.begin(), h.end());
  for (std::size_t u = 0; u < cell.units; ++u) reset_state[u] *= gate(1, u);
  std::vector<double> next(cell.units);
  for (std::size_t u = 0; u < cell.units; ++u) {
    const std::size_t c = cell.column(2, u);
    const double inner = after ? gate(1, u) * (cell.of_state(h, c) + cell.recurrent_bias(c))
                               : cell.of_state(reset_state, c);
    const double candidate =
        naive_activation(cell.functions.candidate, cell.of_inputs(x, c) + inner);
    const double z = gate(0, u);
    next[u] = z * h[u] + (1 - z) * candidate;
  }
  return next;
}

inline std::vector<double> naive_simple(const NaiveCell& cell, std::span<const double> x,
                                        std::span<const double> h, std::vector<double>&) {
  std::vector<double> next(cell.units);
  for (std::size_t u = 0; u < cell.units; ++u) {
    next[u] =
        naive_activation(cell.functions.candidate, cell.of_inputs(x, u) + cell.of_state(h, u));
  }
  return next;
}

/// What the layer gives for samples of so many steps.
inline std::vector<double> naive_recurrent(const NaiveCell& cell, const NaiveStep& step,
                                           std::span<const double> samples, std::size_t steps,
                                           TimeOrder order, Returned returned) {
  std::vector<double> outputs;
  for (; !samples.empty(); samples = samples.subspan(steps * cell.in)) {
    std::vector<double> state(cell.units);
    std::vector<double> carried(cell.units);
    for (std::size_t t = 0; t < steps; ++t) {
      const std::size_t time = order == TimeOrder::forward ? t : steps - 1 - t;
      state = step(cell, samples.subspan(time * cell.in, cell.in), state, carried);
      if (returned == Returned::all_states || t + 1 == steps) {
        outputs.insert(outputs.end(), state.begin(), state.end());
      }
    }
  }
  return outputs;
}

}  // namespace daig::nn::test
