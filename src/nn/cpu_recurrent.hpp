#pragma once

/// The part of the engine over BLAS that recurrent layers need.

#include <cstddef>
#include <span>

#include <daig/nn/recurrent_operations.hpp>

namespace daig::nn {

template <class T>
class CpuRecurrent final : public RecurrentOperations<T> {
 public:
  void gather_steps(Matrix<const T> samples, TimeOrder order, Matrix<T> steps) const override;
  void scatter_steps(Matrix<const T> steps, TimeOrder order, Matrix<T> samples) const override;
  void copy_columns(Matrix<const T> from, std::size_t first, Matrix<T> to) const override;
  void add_columns(Matrix<const T> from, T beta, std::size_t first, Matrix<T> to) const override;
  void merge(Merge merge, Matrix<const T> a, Matrix<const T> b, Matrix<T> merged) const override;
  void merge_backward(Merge merge, Matrix<const T> a, Matrix<const T> b, Matrix<const T> delta,
                      Matrix<T> a_delta, Matrix<T> b_delta) const override;
  void look_up(Matrix<const T> table, Matrix<const T> indices, Matrix<T> found) const override;
  void look_up_backward(Matrix<const T> indices, Matrix<const T> delta, T beta,
                        Matrix<T> gradient) const override;
  void lstm_step(const LstmStep<T>& step) const override;
  void lstm_step_backward(const LstmStepBackward<T>& step) const override;
  void gru_gates(CellActivation function, std::span<const T> bias,
                 std::span<const T> recurrent_bias, Matrix<const T> state, Matrix<T> gates,
                 Matrix<T> reset_state) const override;
  void gru_reset_backward(CellActivation function, Matrix<const T> gates, Matrix<const T> state,
                          Matrix<const T> reset_delta, Matrix<T> gate_delta,
                          Matrix<T> state_delta) const override;
  void gru_update(const GruUpdate<T>& step) const override;
  void gru_update_backward(const GruUpdateBackward<T>& step) const override;
};

extern template class CpuRecurrent<float>;
extern template class CpuRecurrent<double>;

}  // namespace daig::nn
