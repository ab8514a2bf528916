#pragma once

/// The operations that recurrent layers, and the embeddings before them, are made of: a part of the
/// engine.

#include <cstddef>
#include <span>

#include <daig/nn/cell_activation.hpp>
#include <daig/nn/matrix.hpp>

namespace daig::nn {

/// The way in which a sequence is gone through.
enum class TimeOrder { forward, backward };

/// What becomes of two values of the same place: [a, b], a + b, a b, (a + b) / 2.
enum class Merge { concatenate, sum, product, mean };

/// A step of an LSTM for n samples: with gates i, f, g, o = the sums plus the bias, activated,
/// cell = f old_cell + i g, squashed = activated cell, state = o squashed.
template <class T>
struct LstmStep {
  CellActivations functions;
  std::span<const T> bias;   ///< of 4 units; empty when there is none
  Matrix<const T> old_cell;  ///< n x units
  Matrix<T> gates;           ///< n x 4 units: sums, which become the gates i, f, g, o
  Matrix<T> cell;            ///< n x units, as are those below
  Matrix<T> squashed;
  Matrix<T> state;
};

template <class T>
struct LstmStepBackward {
  CellActivations functions;
  Matrix<const T> old_cell;
  Matrix<const T> gates;  ///< as the step left them
  Matrix<const T> squashed;
  Matrix<const T> state_delta;  ///< d loss / d state
  Matrix<T> cell_delta;         ///< d loss / d cell by later steps; becomes that by old_cell
  Matrix<T> gate_delta;         ///< d loss / d sums
};

/// The second half of a GRU's step, when the gates z and r are known: with the candidate c =
/// activated (sums + bias), the sums being more by r (inner + recurrent_bias) where r is applied
/// after the recurrent product, state = z old_state + (1 - z) c.
template <class T>
struct GruUpdate {
  CellActivation function;
  std::span<const T> bias;            ///< of units; empty when there is none
  std::span<const T> recurrent_bias;  ///< the same; empty also where r is applied before
  Matrix<const T> gates;              ///< n x 2 units: z, r
  Matrix<const T> old_state;          ///< n x units, as are those below
  Matrix<T> inner;                    ///< gets the bias; empty where r is applied before
  Matrix<T> candidate;                ///< sums, which become the candidate
  Matrix<T> state;
};

template <class T>
struct GruUpdateBackward {
  CellActivations functions;
  Matrix<const T> gates;
  Matrix<const T> old_state;
  Matrix<const T> inner;      ///< as the step left it; empty where r is applied before
  Matrix<const T> candidate;  ///< as the step left it
  Matrix<T> state_delta;      ///< d loss / d state; becomes the part by old_state that passes z
  Matrix<T> gate_delta;       ///< d loss / d sums of z, and of r where it is applied after
  Matrix<T> candidate_delta;  ///< d loss / d sums of the candidate
  Matrix<T> inner_delta;      ///< empty where r is applied before
};

/// As Engine: any thread may call any operation, the same arguments give the same bits, matrices
/// that are not said to agree do not overlap, and what does not fit is a ContractViolation.
template <class T>
class RecurrentOperations {
 public:
  virtual ~RecurrentOperations() = default;

  /// From samples, n x (steps columns), to steps, (steps n) x columns: step by step, in this order,
  /// those of all samples.
  virtual void gather_steps(Matrix<const T> samples, TimeOrder order, Matrix<T> steps) const = 0;
  /// The other way round.
  virtual void scatter_steps(Matrix<const T> steps, TimeOrder order, Matrix<T> samples) const = 0;

  /// to = the columns of `from` from `first` on, as many as `to` has.
  virtual void copy_columns(Matrix<const T> from, std::size_t first, Matrix<T> to) const = 0;
  /// The columns of `to` from `first` on = from + beta of what they were. With beta 0 that is not
  /// read.
  virtual void add_columns(Matrix<const T> from, T beta, std::size_t first, Matrix<T> to) const = 0;

  /// Row by row; concatenation makes rows twice as long. For a sum `merged` may be one of the two.
  virtual void merge(Merge merge, Matrix<const T> a, Matrix<const T> b, Matrix<T> merged) const = 0;
  virtual void merge_backward(Merge merge, Matrix<const T> a, Matrix<const T> b,
                              Matrix<const T> delta, Matrix<T> a_delta,
                              Matrix<T> b_delta) const = 0;

  /// For each index the row of the table, side by side. Expects indices that count its rows.
  virtual void look_up(Matrix<const T> table, Matrix<const T> indices, Matrix<T> found) const = 0;
  /// gradient, of the table = what `delta` says of its rows + beta gradient.
  virtual void look_up_backward(Matrix<const T> indices, Matrix<const T> delta, T beta,
                                Matrix<T> gradient) const = 0;

  virtual void lstm_step(const LstmStep<T>& step) const = 0;
  virtual void lstm_step_backward(const LstmStepBackward<T>& step) const = 0;

  /// The gates z, r, n x 2 units = activated (sums + bias + recurrent_bias), either of which may be
  /// empty; and where `reset_state` is not empty, that = r state, n x units.
  virtual void gru_gates(CellActivation function, std::span<const T> bias,
                         std::span<const T> recurrent_bias, Matrix<const T> state, Matrix<T> gates,
                         Matrix<T> reset_state) const = 0;
  /// From d loss / d reset_state to that by the sums of r, the right half of gate_delta, and to its
  /// part of that by the state.
  virtual void gru_reset_backward(CellActivation function, Matrix<const T> gates,
                                  Matrix<const T> state, Matrix<const T> reset_delta,
                                  Matrix<T> gate_delta, Matrix<T> state_delta) const = 0;
  virtual void gru_update(const GruUpdate<T>& step) const = 0;
  virtual void gru_update_backward(const GruUpdateBackward<T>& step) const = 0;
};

}  // namespace daig::nn
