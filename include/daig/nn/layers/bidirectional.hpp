#pragma once

/// A sequence read in both directions.

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <daig/core/error.hpp>
#include <daig/nn/layers/recurrent.hpp>

namespace daig::nn {

/// Schuster, Paliwal, "Bidirectional recurrent neural networks", 1997: two recurrent layers of the
/// same inputs, whose outputs are merged, step by step. Shapes: those of the two; concatenation
/// makes the last extent twice as large. Parameters: those of the first, then those of the second.
/// Cost: that of the two, and scratch of their outputs and inputs.
template <class T>
class Bidirectional final : public Layer<T> {
 public:
  /// @throws UsageError for layers whose shapes differ, or that read in the same direction.
  Bidirectional(std::unique_ptr<Recurrent<T>> first, std::unique_ptr<Recurrent<T>> second,
                Merge merge);

  void declare(model::Layout& layout) const override;
  void initialise(std::span<T> weights, std::uint64_t seed,
                  std::uint32_t first_parameter) const override;
  void forward(const Engine<T>& engine, const ForwardPass<T>& pass) override;
  void backward(const Engine<T>& engine, const BackwardPass<T>& pass) override;

 private:
  /// One of the two layers.
  struct Reader {
    std::unique_ptr<Recurrent<T>> layer;
    std::size_t weights = 0;     // where its weights begin
    std::size_t size = 0;        // how many they are
    std::size_t parameters = 0;  // how many there are before its own
    std::vector<T> outputs{};
    std::vector<T> delta{};

    template <class U>
    std::span<U> of(std::span<U> all) const {
      return all.subspan(weights, size);
    }
  };

  static Shape merged_shape(const Recurrent<T>& first, const Recurrent<T>& second, Merge merge);
  static Matrix<T> scratch(std::vector<T>& buffer, std::size_t rows, std::size_t columns);
  /// The same values, what is merged of a step a row.
  template <class U>
  Matrix<U> by_steps(Matrix<U> values, std::size_t last_extent) const {
    return {values.values(), values.values().size() / last_extent, last_extent};
  }
  std::size_t units() const { return readers_[0].layer->output_shape().back(); }

  Reader readers_[2];
  Merge merge_;
  std::vector<T> second_input_delta_;
};

// ---------------------------------------------------------------------------------------------

template <class T>
Bidirectional<T>::Bidirectional(std::unique_ptr<Recurrent<T>> first,
                                std::unique_ptr<Recurrent<T>> second, Merge merge)
    : Layer<T>(first->input_shape(), merged_shape(*first, *second, merge)),
      readers_{{std::move(first)}, {std::move(second)}},
      merge_(merge) {
  model::Layout layout;
  for (Reader& reader : readers_) {
    reader.weights = layout.size();
    reader.parameters = layout.parameters().size();
    reader.layer->declare(layout);
    reader.size = layout.size() - reader.weights;
  }
}

template <class T>
Shape Bidirectional<T>::merged_shape(const Recurrent<T>& first, const Recurrent<T>& second,
                                     Merge merge) {
  if (first.input_shape() != second.input_shape() ||
      first.output_shape() != second.output_shape()) {
    throw UsageError(
        "the two directions differ in what they give: they need the same number of units, and both "
        "or neither of them all states");
  }
  if (first.options().order == second.options().order) {
    throw UsageError("both layers read in the same direction: one of them has to go backwards");
  }
  Shape shape = first.output_shape();
  if (merge == Merge::concatenate) shape.back() *= 2;
  return shape;
}

template <class T>
void Bidirectional<T>::declare(model::Layout& layout) const {
  for (const Reader& reader : readers_) reader.layer->declare(layout);
}

template <class T>
void Bidirectional<T>::initialise(std::span<T> weights, std::uint64_t seed,
                                  std::uint32_t first_parameter) const {
  for (const Reader& reader : readers_) {
    reader.layer->initialise(reader.of(weights), seed,
                             first_parameter + static_cast<std::uint32_t>(reader.parameters));
  }
}

template <class T>
void Bidirectional<T>::forward(const Engine<T>& engine, const ForwardPass<T>& pass) {
  const std::size_t columns = elements(readers_[0].layer->output_shape());
  Matrix<const T> outputs[2];
  for (std::size_t i = 0; i < 2; ++i) {
    Reader& reader = readers_[i];
    const Matrix<T> own = scratch(reader.outputs, pass.inputs.rows(), columns);
    reader.layer->forward(engine, {reader.of(pass.weights), pass.inputs, own, pass.training});
    outputs[i] = by_steps(own, units());
  }
  engine.recurrent().merge(merge_, outputs[0], outputs[1],
                           by_steps(pass.outputs, this->output_shape().back()));
}

template <class T>
void Bidirectional<T>::backward(const Engine<T>& engine, const BackwardPass<T>& pass) {
  const std::size_t rows = pass.inputs.rows();
  const std::size_t columns = elements(readers_[0].layer->output_shape());
  BackwardPass<T> own[2];
  for (std::size_t i = 0; i < 2; ++i) {
    Reader& reader = readers_[i];
    own[i].weights = reader.of(pass.weights);
    own[i].inputs = pass.inputs;
    own[i].outputs = scratch(reader.outputs, rows, columns);
    own[i].delta = scratch(reader.delta, rows, columns);
    own[i].beta = pass.beta;
    own[i].gradient = reader.of(pass.gradient);
    own[i].input_delta = pass.input_delta;
  }
  if (!pass.input_delta.empty()) {
    own[1].input_delta = scratch(second_input_delta_, rows, pass.input_delta.columns());
  }
  engine.recurrent().merge_backward(
      merge_, by_steps(own[0].outputs, units()), by_steps(own[1].outputs, units()),
      by_steps(Matrix<const T>(pass.delta), this->output_shape().back()),
      by_steps(own[0].delta, units()), by_steps(own[1].delta, units()));
  for (std::size_t i = 0; i < 2; ++i) readers_[i].layer->backward(engine, own[i]);
  if (pass.input_delta.empty()) return;
  engine.recurrent().merge(Merge::sum, own[0].input_delta, own[1].input_delta, pass.input_delta);
}

template <class T>
Matrix<T> Bidirectional<T>::scratch(std::vector<T>& buffer, std::size_t rows, std::size_t columns) {
  if (buffer.size() < rows * columns) buffer.resize(rows * columns);
  return {std::span<T>(buffer).first(rows * columns), rows, columns};
}

}  // namespace daig::nn
