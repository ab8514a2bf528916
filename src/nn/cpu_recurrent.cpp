/// Loops over the samples of a step, and within one over its units, which a compiler vectorises:
/// one loop for each function of the cell, over values that are still in the cache.

#include "cpu_recurrent.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include <daig/core/error.hpp>

#include "vector_math.hpp"

namespace daig::nn {
namespace {

template <class T>
T relu(T value) {
  return value < 0 ? T{0} : value;  // not "v > 0 ? v : 0", which would hide a NaN from the loss
}

template <class T>
T clip(T value) {
  value = value < 0 ? T{0} : value;
  return value > 1 ? T{1} : value;
}

template <class T, class Function>
void map(std::span<T> values, Function function) {
  for (T& value : values) value = function(value);
}

template <class T>
void activate(CellActivation activation, std::span<T> values) {
  switch (activation) {
    case CellActivation::linear:
      return;
    case CellActivation::relu:
      return map(values, relu<T>);
    case CellActivation::tanh:
      return map(values, [](T value) { return vector_tanh(value); });
    case CellActivation::sigmoid:
      return map(values, [](T value) { return 1 / (1 + vector_exp(-value)); });
    case CellActivation::hard_sigmoid_5:
      return map(values, [](T value) { return clip(value / 5 + T{0.5}); });
    case CellActivation::hard_sigmoid_6:
      return map(values, [](T value) { return clip(value / 6 + T{0.5}); });
  }
}

/// delta[i] = derivative(outputs[i], delta[i])
template <class T, class Derivative>
void map_delta(std::span<const T> outputs, std::span<T> delta, Derivative derivative) {
  const T* const y = outputs.data();
  T* __restrict__ const d = delta.data();
  for (std::size_t i = 0; i < delta.size(); ++i) d[i] = derivative(y[i], d[i]);
}

/// From d loss / d outputs to that by the sums, in place.
template <class T>
void activate_backward(CellActivation activation, std::span<const T> outputs, std::span<T> delta) {
  switch (activation) {
    case CellActivation::linear:
      return;
    case CellActivation::relu:
      return map_delta(outputs, delta, [](T y, T d) { return y <= 0 ? T{0} : d; });
    case CellActivation::tanh:
      return map_delta(outputs, delta, [](T y, T d) { return d * (1 - y * y); });
    case CellActivation::sigmoid:
      return map_delta(outputs, delta, [](T y, T d) { return d * (y * (1 - y)); });
    case CellActivation::hard_sigmoid_5:
      return map_delta(outputs, delta, [](T y, T d) { return y <= 0 || y >= 1 ? T{0} : d / 5; });
    case CellActivation::hard_sigmoid_6:
      return map_delta(outputs, delta, [](T y, T d) { return y <= 0 || y >= 1 ? T{0} : d / 6; });
  }
}

/// An empty bias adds nothing.
template <class T>
void add(std::span<const T> bias, std::span<T> sums) {
  const T* const from = bias.data();
  T* __restrict__ const to = sums.data();
  for (std::size_t i = 0; i < bias.size(); ++i) to[i] += from[i];
}

template <class T>
void expect_shape(Matrix<const T> matrix, std::size_t rows, std::size_t columns) {
  expects(matrix.rows() == rows && matrix.columns() == columns, "matrices that fit one another");
}

template <class T>
void expect_shape(Matrix<T> matrix, std::size_t rows, std::size_t columns) {
  expect_shape(Matrix<const T>(matrix), rows, columns);
}

template <class T>
void expect_bias(std::span<const T> bias, std::size_t size) {
  expects(bias.empty() || bias.size() == size, "as many biases as columns, or none");
}

/// Calls visit(row of the steps, sample, first column of the sample) for each step of each sample.
template <class T, class Visit>
void for_each_step(Matrix<const T> samples, TimeOrder order, Matrix<const T> steps, Visit visit) {
  const std::size_t count = samples.rows();
  expects(
      samples.values().size() == steps.values().size() && (count == 0 || steps.rows() % count == 0),
      "as many steps of all samples");
  const std::size_t length = count == 0 ? 0 : steps.rows() / count;
  for (std::size_t t = 0; t < length; ++t) {
    const std::size_t time = order == TimeOrder::forward ? t : length - 1 - t;
    for (std::size_t i = 0; i < count; ++i) visit(t * count + i, i, time * steps.columns());
  }
}

/// The row of a table that this is the index of. Expects that there is one.
template <class T>
std::size_t row_of(T index, std::size_t rows) {
  expects(index >= 0 && index < static_cast<T>(rows), "indices that count the table's rows");
  return static_cast<std::size_t>(index);
}

/// Calls visit(index, place in the matrix of what is found).
template <class T, class Visit>
void for_each_index(Matrix<const T> indices, Matrix<const T> table, Matrix<const T> found,
                    Visit visit) {
  expect_shape(found, indices.rows(), indices.columns() * table.columns());
  std::size_t place = 0;
  for (const T index : indices.values()) {
    visit(row_of(index, table.rows()), place);
    place += table.columns();
  }
}

}  // namespace

template <class T>
void CpuRecurrent<T>::gather_steps(Matrix<const T> samples, TimeOrder order,
                                   Matrix<T> steps) const {
  for_each_step<T>(samples, order, steps,
                   [&](std::size_t row, std::size_t sample, std::size_t first) {
                     const auto from = samples.row(sample).subspan(first, steps.columns());
                     std::ranges::copy(from, steps.row(row).begin());
                   });
}

template <class T>
void CpuRecurrent<T>::scatter_steps(Matrix<const T> steps, TimeOrder order,
                                    Matrix<T> samples) const {
  for_each_step<T>(samples, order, steps,
                   [&](std::size_t row, std::size_t sample, std::size_t first) {
                     const auto to = samples.row(sample).subspan(first, steps.columns());
                     std::ranges::copy(steps.row(row), to.begin());
                   });
}

template <class T>
void CpuRecurrent<T>::copy_columns(Matrix<const T> from, std::size_t first, Matrix<T> to) const {
  expects(from.rows() == to.rows() && first + to.columns() <= from.columns(),
          "columns that are there");
  for (std::size_t r = 0; r < to.rows(); ++r) {
    std::ranges::copy(from.row(r).subspan(first, to.columns()), to.row(r).begin());
  }
}

template <class T>
void CpuRecurrent<T>::add_columns(Matrix<const T> from, T beta, std::size_t first,
                                  Matrix<T> to) const {
  expects(from.rows() == to.rows() && first + from.columns() <= to.columns(),
          "columns that are there");
  for (std::size_t r = 0; r < from.rows(); ++r) {
    const std::span<T> sums = to.row(r).subspan(first, from.columns());
    if (beta == 0) {
      std::ranges::copy(from.row(r), sums.begin());
      continue;
    }
    std::ranges::transform(from.row(r), sums, sums.begin(),
                           [beta](T value, T old) { return value + beta * old; });
  }
}

template <class T>
void CpuRecurrent<T>::merge(Merge merge, Matrix<const T> a, Matrix<const T> b,
                            Matrix<T> merged) const {
  expect_shape(b, a.rows(), a.columns());
  expect_shape(merged, a.rows(), a.columns() * (merge == Merge::concatenate ? 2 : 1));
  const auto by = [&](auto operation) {
    std::ranges::transform(a.values(), b.values(), merged.values().begin(), operation);
  };
  switch (merge) {
    case Merge::concatenate:
      add_columns(a, 0, 0, merged);
      return add_columns(b, 0, a.columns(), merged);
    case Merge::sum:
      return by(std::plus<>());
    case Merge::product:
      return by(std::multiplies<>());
    case Merge::mean:
      return by([](T left, T right) { return (left + right) / 2; });
  }
}

template <class T>
void CpuRecurrent<T>::merge_backward(Merge merge, Matrix<const T> a, Matrix<const T> b,
                                     Matrix<const T> delta, Matrix<T> a_delta,
                                     Matrix<T> b_delta) const {
  for (const Matrix<const T> other : {b, Matrix<const T>(a_delta), Matrix<const T>(b_delta)}) {
    expect_shape(other, a.rows(), a.columns());
  }
  expect_shape(delta, a.rows(), a.columns() * (merge == Merge::concatenate ? 2 : 1));
  const std::span<const T> d = delta.values();
  switch (merge) {
    case Merge::concatenate:
      copy_columns(delta, 0, a_delta);
      return copy_columns(delta, a.columns(), b_delta);
    case Merge::sum:
      std::ranges::copy(d, a_delta.values().begin());
      std::ranges::copy(d, b_delta.values().begin());
      return;
    case Merge::product:
      std::ranges::transform(d, b.values(), a_delta.values().begin(), std::multiplies<>());
      std::ranges::transform(d, a.values(), b_delta.values().begin(), std::multiplies<>());
      return;
    case Merge::mean:
      std::ranges::transform(d, a_delta.values().begin(), [](T value) { return value / 2; });
      std::ranges::copy(a_delta.values(), b_delta.values().begin());
      return;
  }
}

template <class T>
void CpuRecurrent<T>::look_up(Matrix<const T> table, Matrix<const T> indices,
                              Matrix<T> found) const {
  for_each_index<T>(indices, table, found, [&](std::size_t row, std::size_t place) {
    std::ranges::copy(table.row(row), found.values().subspan(place).begin());
  });
}

template <class T>
void CpuRecurrent<T>::look_up_backward(Matrix<const T> indices, Matrix<const T> delta, T beta,
                                       Matrix<T> gradient) const {
  if (beta == 0) std::ranges::fill(gradient.values(), T{0});
  if (beta != 0 && beta != 1) map(gradient.values(), [beta](T value) { return beta * value; });
  for_each_index<T>(indices, gradient, delta, [&](std::size_t row, std::size_t place) {
    add(delta.values().subspan(place, gradient.columns()), gradient.row(row));
  });
}

template <class T>
void CpuRecurrent<T>::lstm_step(const LstmStep<T>& step) const {
  const std::size_t rows = step.state.rows();
  const std::size_t units = step.state.columns();
  expect_bias(step.bias, 4 * units);
  expect_shape(step.gates, rows, 4 * units);
  for (const Matrix<const T> other :
       {step.old_cell, Matrix<const T>(step.cell), Matrix<const T>(step.squashed)}) {
    expect_shape(other, rows, units);
  }
  for (std::size_t r = 0; r < rows; ++r) {
    const std::span<T> gates = step.gates.row(r);
    add(step.bias, gates);
    nn::activate(step.functions.gates, gates.first(2 * units));
    nn::activate(step.functions.candidate, gates.subspan(2 * units, units));
    nn::activate(step.functions.gates, gates.last(units));
    const T* const gate = gates.data();
    const T* const old_cell = step.old_cell.row(r).data();
    T* __restrict__ const cell = step.cell.row(r).data();
    T* __restrict__ const squashed = step.squashed.row(r).data();
    for (std::size_t i = 0; i < units; ++i) {
      cell[i] = gate[units + i] * old_cell[i] + gate[i] * gate[2 * units + i];
      squashed[i] = cell[i];
    }
    nn::activate(step.functions.candidate, step.squashed.row(r));
    T* __restrict__ const state = step.state.row(r).data();
    for (std::size_t i = 0; i < units; ++i) state[i] = gate[3 * units + i] * squashed[i];
  }
}

template <class T>
void CpuRecurrent<T>::lstm_step_backward(const LstmStepBackward<T>& step) const {
  const std::size_t rows = step.cell_delta.rows();
  const std::size_t units = step.cell_delta.columns();
  expect_shape(step.gates, rows, 4 * units);
  expect_shape(step.gate_delta, rows, 4 * units);
  for (const Matrix<const T> other : {step.old_cell, step.squashed, step.state_delta}) {
    expect_shape(other, rows, units);
  }
  for (std::size_t r = 0; r < rows; ++r) {
    const std::span<T> gate_delta = step.gate_delta.row(r);
    const T* const gate = step.gates.row(r).data();
    const T* const squashed = step.squashed.row(r).data();
    const T* const state_delta = step.state_delta.row(r).data();
    T* __restrict__ const delta = gate_delta.data();
    for (std::size_t i = 0; i < units; ++i) {
      delta[3 * units + i] = state_delta[i] * squashed[i];
      delta[2 * units + i] = state_delta[i] * gate[3 * units + i];
    }
    // Where that of g will be is that of the cell for a while, as far as this step's state goes.
    activate_backward(step.functions.candidate, step.squashed.row(r),
                      gate_delta.subspan(2 * units, units));
    const T* const old_cell = step.old_cell.row(r).data();
    T* __restrict__ const cell_delta = step.cell_delta.row(r).data();
    for (std::size_t i = 0; i < units; ++i) {
      const T by_cell = cell_delta[i] + delta[2 * units + i];
      delta[i] = by_cell * gate[2 * units + i];
      delta[units + i] = by_cell * old_cell[i];
      delta[2 * units + i] = by_cell * gate[i];
      cell_delta[i] = by_cell * gate[units + i];
    }
    const std::span<const T> gates = step.gates.row(r);
    activate_backward(step.functions.gates, gates.first(2 * units), gate_delta.first(2 * units));
    activate_backward(step.functions.candidate, gates.subspan(2 * units, units),
                      gate_delta.subspan(2 * units, units));
    activate_backward(step.functions.gates, gates.last(units), gate_delta.last(units));
  }
}

template <class T>
void CpuRecurrent<T>::gru_gates(CellActivation function, std::span<const T> bias,
                                std::span<const T> recurrent_bias, Matrix<const T> state,
                                Matrix<T> gates, Matrix<T> reset_state) const {
  const std::size_t units = state.columns();
  expect_bias(bias, 2 * units);
  expect_bias(recurrent_bias, 2 * units);
  expect_shape(gates, state.rows(), 2 * units);
  if (!reset_state.empty()) expect_shape(reset_state, state.rows(), units);
  for (std::size_t r = 0; r < gates.rows(); ++r) {
    add(bias, gates.row(r));
    add(recurrent_bias, gates.row(r));
    nn::activate(function, gates.row(r));
    if (reset_state.empty()) continue;
    std::ranges::transform(gates.row(r).last(units), state.row(r), reset_state.row(r).begin(),
                           std::multiplies<>());
  }
}

template <class T>
void CpuRecurrent<T>::gru_reset_backward(CellActivation function, Matrix<const T> gates,
                                         Matrix<const T> state, Matrix<const T> reset_delta,
                                         Matrix<T> gate_delta, Matrix<T> state_delta) const {
  const std::size_t units = state.columns();
  expect_shape(gates, state.rows(), 2 * units);
  expect_shape(gate_delta, state.rows(), 2 * units);
  expect_shape(reset_delta, state.rows(), units);
  expect_shape(state_delta, state.rows(), units);
  for (std::size_t r = 0; r < state.rows(); ++r) {
    const std::span<const T> reset = gates.row(r).last(units);
    const std::span<T> by_reset = gate_delta.row(r).last(units);
    const std::span<const T> delta = reset_delta.row(r);
    std::ranges::transform(delta, state.row(r), by_reset.begin(), std::multiplies<>());
    std::ranges::transform(delta, reset, state_delta.row(r).begin(), std::multiplies<>());
    activate_backward(function, reset, by_reset);
  }
}

template <class T>
void CpuRecurrent<T>::gru_update(const GruUpdate<T>& step) const {
  const std::size_t rows = step.state.rows();
  const std::size_t units = step.state.columns();
  expect_bias(step.bias, units);
  expect_bias(step.recurrent_bias, units);
  expect_shape(step.gates, rows, 2 * units);
  expect_shape(step.old_state, rows, units);
  expect_shape(step.candidate, rows, units);
  if (!step.inner.empty()) expect_shape(step.inner, rows, units);
  for (std::size_t r = 0; r < rows; ++r) {
    const T* const update = step.gates.row(r).data();
    T* __restrict__ const candidate = step.candidate.row(r).data();
    add(step.bias, step.candidate.row(r));
    if (!step.inner.empty()) {
      add(step.recurrent_bias, step.inner.row(r));
      const T* const inner = step.inner.row(r).data();
      for (std::size_t i = 0; i < units; ++i) candidate[i] += update[units + i] * inner[i];
    }
    nn::activate(step.function, step.candidate.row(r));
    const T* const old_state = step.old_state.row(r).data();
    T* __restrict__ const state = step.state.row(r).data();
    for (std::size_t i = 0; i < units; ++i) {
      state[i] = update[i] * old_state[i] + (1 - update[i]) * candidate[i];
    }
  }
}

template <class T>
void CpuRecurrent<T>::gru_update_backward(const GruUpdateBackward<T>& step) const {
  const std::size_t rows = step.state_delta.rows();
  const std::size_t units = step.state_delta.columns();
  expect_shape(step.gates, rows, 2 * units);
  expect_shape(step.gate_delta, rows, 2 * units);
  for (const Matrix<const T> other :
       {step.old_state, step.candidate, Matrix<const T>(step.candidate_delta)}) {
    expect_shape(other, rows, units);
  }
  const bool after = !step.inner.empty();
  if (after) expect_shape(step.inner, rows, units);
  if (after) expect_shape(step.inner_delta, rows, units);
  for (std::size_t r = 0; r < rows; ++r) {
    const T* const gate = step.gates.row(r).data();
    const T* const old_state = step.old_state.row(r).data();
    const T* const candidate = step.candidate.row(r).data();
    T* __restrict__ const state_delta = step.state_delta.row(r).data();
    T* __restrict__ const gate_delta = step.gate_delta.row(r).data();
    T* __restrict__ const candidate_delta = step.candidate_delta.row(r).data();
    for (std::size_t i = 0; i < units; ++i) {
      const T delta = state_delta[i];
      gate_delta[i] = delta * (old_state[i] - candidate[i]);
      candidate_delta[i] = delta * (1 - gate[i]);
      state_delta[i] = delta * gate[i];
    }
    activate_backward(step.functions.candidate, step.candidate.row(r), step.candidate_delta.row(r));
    if (after) {
      const T* const inner = step.inner.row(r).data();
      T* __restrict__ const inner_delta = step.inner_delta.row(r).data();
      for (std::size_t i = 0; i < units; ++i) {
        gate_delta[units + i] = candidate_delta[i] * inner[i];
        inner_delta[i] = candidate_delta[i] * gate[units + i];
      }
    }
    const std::size_t known = after ? 2 * units : units;
    activate_backward(step.functions.gates, step.gates.row(r).first(known),
                      step.gate_delta.row(r).first(known));
  }
}

template class CpuRecurrent<float>;
template class CpuRecurrent<double>;

}  // namespace daig::nn
