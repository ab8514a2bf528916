#pragma once

/// What recurrent layers have in common: the way through the sequence.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <daig/core/random.hpp>
#include <daig/nn/layer.hpp>
#include <daig/nn/layers/kernel_and_bias.hpp>
#include <daig/nn/recurrent_operations.hpp>

namespace daig::nn {

/// What of a sequence's states is given.
enum class Returned { last_state, all_states };

struct RecurrentOptions {
  std::size_t units = 1;
  Bias bias = Bias::used;
  Returned returned = Returned::last_state;
  TimeOrder order = TimeOrder::forward;        ///< of the steps
  TimeOrder given_order = TimeOrder::forward;  ///< of all states, as compared with the steps
  double dropout = 0;                          ///< of the inputs
  double recurrent_dropout = 0;                ///< of the states that go into the next step
  std::uint32_t layer_index = 0;               ///< no other random layer of the network has it
};

/// Shapes: {steps, in} -> {units}, or {steps, units} for all states. A state follows from the one
/// before, at first 0, and from a step's inputs. Parameters as in Keras: "NAME/kernel" {in, gates
/// units}, "NAME/recurrent_kernel" {units, gates units}, "NAME/bias" {gates units} if used.
///
/// In training, values are dropped as by Dropout: an input, or a unit of the state, for the whole
/// of a sample's sequence and for all gates (Gal, Ghahramani, "A theoretically grounded application
/// of dropout in recurrent neural networks", 2016, there "tied"). What is dropped follows from the
/// batch's seed, the layer's index and the row in the batch alone.
///
/// The inputs' product with the kernel is one for all steps, and so is each derivative by weights;
/// the recurrent product is one a step, for all samples. Cost of a step of a sample: 2 (in + units)
/// gates units flops forward; as many again for the derivative by the kernels, and for that by what
/// they are multiplied with. Memory: what a cell keeps of all steps, a few times gates units values
/// each.
template <class T>
class Recurrent : public Layer<T> {
 public:
  const RecurrentOptions& options() const { return options_; }

  void declare(model::Layout& layout) const final;
  /// Biases 0, and those of a forget gate 1 (see forget_gate). Kernel: uniform, as in
  /// KernelAndBias. Recurrent kernel: orthonormal rows (Saxe, McClelland, Ganguli, "Exact solutions
  /// to the nonlinear dynamics of learning in deep linear neural networks", 2014).
  void initialise(std::span<T> weights, std::uint64_t seed,
                  std::uint32_t first_parameter) const final;
  void forward(const Engine<T>& engine, const ForwardPass<T>& pass) final;
  void backward(const Engine<T>& engine, const BackwardPass<T>& pass) final;

 protected:
  struct Cell {
    std::size_t gates = 1;
    std::size_t biases = 1;                    ///< a row of them for each product
    std::optional<std::size_t> forget_gate{};  ///< number of the gate whose biases begin as 1
  };

  /// @throws UsageError for an input that is no sequence, absurd extents, and rates that are not in
  /// [0, 1).
  Recurrent(std::string name, const Shape& input_shape, const RecurrentOptions& options,
            const Cell& cell);

  /// A pass begins: from inputs() to what the steps add their recurrent products to.
  virtual void begin(const Engine<T>& engine, std::span<const T> weights) = 0;
  /// From fed(t) and state(t) to state(t + 1).
  virtual void step(const Engine<T>& engine, std::span<const T> weights, std::size_t t) = 0;
  /// The way back begins.
  virtual void begin_backward(const Engine<T>& engine) = 0;
  /// From d loss / d state(t + 1) to the part of d loss / d state(t) that does not come through
  /// fed(t), in place; and that by fed(t), where `fed_delta` is not empty.
  virtual void step_backward(const Engine<T>& engine, std::span<const T> weights, std::size_t t,
                             Matrix<T> state_delta, Matrix<T> fed_delta) = 0;
  /// Makes gradient = d loss / d weights + beta gradient; and d loss / d inputs(), where
  /// `input_delta` is not empty.
  virtual void finish_backward(const Engine<T>& engine, const BackwardPass<T>& pass,
                               Matrix<T> input_delta) = 0;

  /// What finish_backward is where all gates are sums of inputs() kernel, fed recurrent_kernel and
  /// a bias: from d loss / d sums of all steps.
  void add_products(const Engine<T>& engine, const BackwardPass<T>& pass, Matrix<const T> delta,
                    Matrix<T> input_delta);

  std::size_t units() const { return options_.units; }
  std::size_t steps() const { return this->input_shape()[0]; }
  std::size_t in() const { return this->input_shape()[1]; }
  std::size_t rows() const { return rows_; }  ///< samples of the pass at hand

  /// Here and below, one step's rows after the other's: (steps rows) x in. As dropout left them.
  Matrix<const T> inputs() { return scratch(inputs_, steps() * rows_, in()); }
  /// The state before step t, rows x units; so is that of the last one with t = steps.
  Matrix<T> state(std::size_t t) { return all_states().slice(t * rows_, rows_); }
  /// After each step, (steps rows) x units.
  Matrix<T> new_states() { return all_states().slice(rows_, steps() * rows_); }
  /// The states before each step, as dropout leaves them for the recurrent product.
  Matrix<T> fed(std::size_t t) { return all_fed().slice(t * rows_, rows_); }
  Matrix<T> all_fed() {
    return drops_states() ? scratch(fed_, steps() * rows_, units())
                          : all_states().slice(0, steps() * rows_);
  }
  /// The rows of step t.
  template <class U>
  Matrix<U> at(Matrix<U> all, std::size_t t) const {
    return all.slice(t * rows_, rows_);
  }

  template <class U>
  Matrix<U> kernel(std::span<U> weights) const {
    return {weights.first(kernel_size()), in(), cell_.gates * units()};
  }
  template <class U>
  Matrix<U> recurrent_kernel(std::span<U> weights) const {
    return {weights.subspan(kernel_size(), recurrent_size()), units(), cell_.gates * units()};
  }
  /// Empty when there is none.
  template <class U>
  std::span<U> bias(std::span<U> weights) const {
    return weights.subspan(kernel_size() + recurrent_size());
  }

  /// The beginning of a buffer, which grows as need be.
  static Matrix<T> scratch(std::vector<T>& buffer, std::size_t rows, std::size_t columns) {
    if (buffer.size() < rows * columns) buffer.resize(rows * columns);
    return {std::span<T>(buffer).first(rows * columns), rows, columns};
  }

 private:
  static const Shape& checked(const Shape& input_shape, const RecurrentOptions& options);
  static Shape output_of(const Shape& input_shape, const RecurrentOptions& options);

  std::size_t kernel_size() const { return in() * cell_.gates * units(); }
  std::size_t recurrent_size() const { return units() * cell_.gates * units(); }
  bool drops_inputs() const { return training_ && options_.dropout > 0; }
  bool drops_states() const { return training_ && options_.recurrent_dropout > 0; }
  Matrix<T> all_states() { return scratch(states_, (steps() + 1) * rows_, units()); }
  void draw(const Noise& noise);
  void drop(const Engine<T>& engine, Matrix<T> inputs);
  void give(const Engine<T>& engine, Matrix<T> outputs);

  std::string name_;
  RecurrentOptions options_;
  Cell cell_;
  std::size_t rows_ = 0;
  bool training_ = false;  // the last pass was one
  std::vector<T> inputs_;
  std::vector<T> states_;
  std::vector<T> fed_;
  std::vector<T> input_factors_;  // of the last pass in training
  std::vector<T> state_factors_;
  std::vector<T> deltas_;  // by all states, when these are given
  std::vector<T> state_delta_;
  std::vector<T> fed_delta_;
  std::vector<T> input_delta_;
};

}  // namespace daig::nn

#include <daig/nn/layers/detail/recurrent.ipp>
