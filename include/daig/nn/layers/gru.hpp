#pragma once

/// Gated recurrent units.

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <daig/nn/layers/recurrent.hpp>

namespace daig::nn {

/// Where the reset gate r stands in the candidate's sums: before the recurrent product, (r state)
/// kernel, as in the paper; or after it, r (state kernel + recurrent bias), as in cuDNN.
enum class Reset { before_product, after_product };

/// Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine
/// translation", 2014. See Recurrent, with 3 gates in Keras's order: z (update), r (reset), h (the
/// candidate); the arithmetic is that of gru_gates and GruUpdate. With the reset after the product,
/// the bias is {2, 3 units}: that of the inputs' product, and that of the recurrent one.
///
/// The kernels are taken apart, into the columns of z and r and those of h, for each pass.
template <class T>
class Gru final : public Recurrent<T> {
 public:
  /// @throws UsageError as Recurrent does.
  Gru(std::string name, const Shape& input_shape, const RecurrentOptions& options,
      Reset reset = Reset::after_product, const CellActivations& functions = {})
      : Recurrent<T>(std::move(name), input_shape, options,
                     {3, reset == Reset::after_product ? std::size_t{2} : 1, {}}),
        functions_(functions),
        after_(reset == Reset::after_product) {}

 private:
  /// A kernel's columns of the gates z and r, and those of the candidate h.
  struct Parts {
    Matrix<T> gates;
    Matrix<T> candidate;
  };

  void begin(const Engine<T>& engine, std::span<const T> weights) override;
  void step(const Engine<T>& engine, std::span<const T> weights, std::size_t t) override;
  void begin_backward(const Engine<T>&) override {}
  void step_backward(const Engine<T>& engine, std::span<const T> weights, std::size_t t,
                     Matrix<T> state_delta, Matrix<T> fed_delta) override;
  void finish_backward(const Engine<T>& engine, const BackwardPass<T>& pass,
                       Matrix<T> input_delta) override;

  Parts parts(std::vector<T>& buffer, std::size_t rows);
  Parts kernel_parts() { return parts(kernel_parts_, this->in()); }
  Parts recurrent_parts() { return parts(recurrent_parts_, this->units()); }
  static void take_apart(const Engine<T>& engine, Matrix<const T> kernel, const Parts& parts);
  /// gradient, of a kernel = rows^T (gate_delta, candidate_delta) + beta gradient, where the rows
  /// that the two parts are multiplied with may differ.
  void add_gradient(const Engine<T>& engine, const Parts& products, T beta, Matrix<T> gradient);
  void bias_gradients(const Engine<T>& engine, T beta, std::span<T> gradient);

  /// The values of a bias from gate `first` on; of the bias of the recurrent product, where there
  /// is one, when `second`.
  std::span<const T> bias_of(std::span<const T> weights, std::size_t first, std::size_t count,
                             bool second) const;

  /// Of all steps, one after the other.
  Matrix<T> of_steps(std::vector<T>& buffer, std::size_t gates) {
    return this->scratch(buffer, this->steps() * this->rows(), gates * this->units());
  }
  Matrix<T> gates() { return of_steps(gates_, 2); }
  Matrix<T> candidates() { return of_steps(candidates_, 1); }
  /// What the candidate's recurrent kernel gives, r after; or what it is multiplied with, r before.
  Matrix<T> inner() { return of_steps(inner_, 1); }
  Matrix<T> gate_deltas() { return of_steps(gate_deltas_, 2); }
  Matrix<T> candidate_deltas() { return of_steps(candidate_deltas_, 1); }
  /// By what the candidate's recurrent kernel gives.
  Matrix<T> inner_deltas() { return after_ ? of_steps(inner_deltas_, 1) : candidate_deltas(); }

  CellActivations functions_;
  bool after_;
  std::vector<T> kernel_parts_;
  std::vector<T> recurrent_parts_;
  std::vector<T> gates_;
  std::vector<T> candidates_;
  std::vector<T> inner_;
  std::vector<T> gate_deltas_;
  std::vector<T> candidate_deltas_;
  std::vector<T> inner_deltas_;
  std::vector<T> reset_delta_;
  std::vector<T> products_;
};

}  // namespace daig::nn

#include <daig/nn/layers/detail/gru.ipp>
