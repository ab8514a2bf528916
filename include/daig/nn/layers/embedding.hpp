#pragma once

/// A table of vectors, one for each word, say.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <daig/core/error.hpp>
#include <daig/core/random.hpp>
#include <daig/nn/layer.hpp>

namespace daig::nn {

/// Shapes: {n, ...} -> {n, ..., size}: in the place of each index, from 0 on, comes the vector of
/// that index. Parameter: "NAME/embeddings" {count, size}.
///
/// Indices come as the floats that features are. Only a network's first layer gets features, and so
/// only there is an index that is none, or one that is too large, an InputError. Cost of a sample:
/// a copy of its vectors forward, an addition of them backward; and the first part of a batch
/// clears a whole table of gradients.
template <class T>
class Embedding final : public Layer<T> {
 public:
  /// A float counts to there and not further.
  static constexpr std::size_t most_vectors = std::size_t{1} << 24;

  /// @throws UsageError for no vectors, or more than most_vectors, and for vectors without values.
  Embedding(std::string name, const Shape& indices, std::size_t count, std::size_t size);

  void declare(model::Layout& layout) const override {
    layout.add(name_ + "/embeddings", {count_, size_});
  }
  /// Uniform within +- 0.05, as in Keras.
  void initialise(std::span<T> weights, std::uint64_t seed,
                  std::uint32_t first_parameter) const override;
  bool checks_features() const override { return true; }
  /// @throws InputError naming the sample, the place in it, the value and the layer.
  void check_features(Matrix<const T> features, std::uint64_t first) const override;
  /// Expects indices of the table's rows.
  void forward(const Engine<T>& engine, const ForwardPass<T>& pass) override {
    engine.recurrent().look_up({pass.weights, count_, size_}, pass.inputs, pass.outputs);
  }
  /// Nobody can want a derivative by an index: it is 0.
  void backward(const Engine<T>& engine, const BackwardPass<T>& pass) override {
    engine.recurrent().look_up_backward(pass.inputs, pass.delta, pass.beta,
                                        {pass.gradient, count_, size_});
    engine.clear(pass.input_delta.values());
  }

 private:
  static Shape with_vectors(Shape shape, std::size_t size) {
    shape.push_back(size);
    return shape;
  }

  std::string name_;
  std::size_t count_;
  std::size_t size_;
};

// ---------------------------------------------------------------------------------------------

template <class T>
Embedding<T>::Embedding(std::string name, const Shape& indices, std::size_t count, std::size_t size)
    : Layer<T>(indices, with_vectors(indices, size)),
      name_(std::move(name)),
      count_(count),
      size_(size) {
  if (count > 0 && count <= most_vectors && size > 0) return;
  throw UsageError("an embedding of " + std::to_string(count) + " vectors of " +
                   std::to_string(size) + " values makes no sense: there are 1 to " +
                   std::to_string(most_vectors) +
                   " vectors, as far as single precision counts, of at least 1 value");
}

template <class T>
void Embedding<T>::initialise(std::span<T> weights, std::uint64_t seed,
                              std::uint32_t first_parameter) const {
  Random random(seed, Stream::weights, first_parameter);
  for (T& weight : weights) weight = static_cast<T>(random.uniform(-0.05, 0.05));
}

template <class T>
void Embedding<T>::check_features(Matrix<const T> features, std::uint64_t first) const {
  for (std::size_t r = 0; r < features.rows(); ++r) {
    const std::span<const T> sample = features.row(r);
    for (std::size_t i = 0; i < sample.size(); ++i) {
      const T index = sample[i];
      if (index >= 0 && index < static_cast<T>(count_) && index == std::floor(index)) continue;
      throw InputError("sample " + std::to_string(first + r) + " has " + std::to_string(index) +
                       " at position " + std::to_string(i) + ", but the embedding '" + name_ +
                       "' has vectors for the whole numbers 0 to " + std::to_string(count_ - 1) +
                       ": check the features, or give the layer a greater input_dim");
    }
  }
}

}  // namespace daig::nn
