#pragma once

/// What a layer is to a network.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <daig/model/layout.hpp>
#include <daig/model/regularizer.hpp>
#include <daig/nn/engine.hpp>
#include <daig/nn/matrix.hpp>

namespace daig::nn {

/// Extents of one sample, e.g. {784} or {28, 28, 1}; a batch of n samples is a matrix of n rows,
/// one flattened sample each.
using Shape = std::vector<std::size_t>;

/// Number of elements. Expects extents that were checked before.
inline std::size_t elements(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
}

/// Says that a pass is part of training, and what a layer that draws at random draws from: the same
/// for whoever computes the batch.
struct Noise {
  std::uint64_t seed = 0;     ///< the batch's
  std::size_t first_row = 0;  ///< in the batch, of the rows at hand
};

/// What a layer's forward pass reads and writes.
template <class T>
struct ForwardPass {
  std::span<const T> weights;  ///< of this layer
  Matrix<const T> inputs;
  Matrix<T> outputs;
  std::optional<Noise> training;  ///< nothing when the model is used, not trained
};

/// What a layer's backward pass reads and writes.
template <class T>
struct BackwardPass {
  std::span<const T> weights;  ///< of this layer
  Matrix<const T> inputs;      ///< as they were in the forward pass
  Matrix<const T> outputs;     ///< as the forward pass left them
  Matrix<T> delta;             ///< d loss / d outputs; the layer may overwrite it
  T beta = 0;                  ///< what the old gradient is multiplied with before adding: 0 or 1
  std::span<T> gradient;       ///< d loss / d weights
  bool frozen = false;         ///< nobody wants the gradient: whatever is left there will do

  /// The gradient, or nothing when nobody wants it.
  std::span<T> wanted_gradient() const { return frozen ? std::span<T>() : gradient; }
  Matrix<T> input_delta;  ///< d loss / d inputs; empty when nobody wants it
};

/// A layer knows its shapes and the meaning of its weights, but holds no weights: it is lent its
/// part of the network's flat array. It belongs to one network, and so to one thread at a time; it
/// may keep scratch memory between a forward pass and its backward pass.
template <class T>
class Layer {
 public:
  Layer(Shape input_shape, Shape output_shape)
      : input_shape_(std::move(input_shape)), output_shape_(std::move(output_shape)) {}
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;
  Layer(Layer&&) = delete;
  Layer& operator=(Layer&&) = delete;
  virtual ~Layer() = default;

  const Shape& input_shape() const { return input_shape_; }
  const Shape& output_shape() const { return output_shape_; }

  /// Appends this layer's parameters; the weights lent later are theirs, one after the other.
  virtual void declare(model::Layout&) const {}
  /// The same, with what `freeze` and `regularize` say of them. A regulariser of a parameter that
  /// is not trained has no effect, as in Keras.
  void declare_as_trained(model::Layout& layout) const;

  // To be called before a network is made of the layer.

  /// From now on no step changes its parameters.
  void freeze() { frozen_ = true; }
  bool frozen() const { return frozen_; }
  /// Lets the size of a parameter count in the loss. `parameter` is the last part of its name, such
  /// as "kernel". False when there is none of the name.
  [[nodiscard]] bool regularize(const std::string& parameter,
                                const model::Regularizer& regularizer);

  /// Whether a batch must not be cut in training, as what one sample gives depends on the others.
  virtual bool needs_whole_batch() const { return false; }
  /// Fills this layer's weights for a fresh start. `first_parameter` is the index of its first
  /// parameter in the network's layout: the detail of the random stream.
  virtual void initialise(std::span<T> weights, std::uint64_t seed,
                          std::uint32_t first_parameter) const {
    static_cast<void>(weights), static_cast<void>(seed), static_cast<void>(first_parameter);
  }

  virtual void forward(const Engine<T>& engine, const ForwardPass<T>& pass) = 0;
  virtual void backward(const Engine<T>& engine, const BackwardPass<T>& pass) = 0;

 private:
  Shape input_shape_;
  Shape output_shape_;
  bool frozen_ = false;
  std::map<std::string, model::Regularizer, std::less<>> regularizers_;  // by the parameter's name
};

/// The last part of a parameter's name: "kernel" of "dense_1/kernel".
inline std::string_view last_part(std::string_view name) {
  return name.substr(name.rfind('/') + 1);  // npos + 1 is 0
}

// ---------------------------------------------------------------------------------------------

template <class T>
bool Layer<T>::regularize(const std::string& parameter, const model::Regularizer& regularizer) {
  model::Layout own;
  declare(own);
  const auto is_meant = [&](const model::Parameter& known) {
    return last_part(known.name) == parameter;
  };
  if (std::ranges::none_of(own.parameters(), is_meant)) return false;
  regularizers_[parameter] = regularizer;
  return true;
}

template <class T>
void Layer<T>::declare_as_trained(model::Layout& layout) const {
  std::size_t index = layout.parameters().size();
  declare(layout);
  for (; index < layout.parameters().size(); ++index) {
    const model::Parameter& parameter = layout.parameters()[index];
    const auto found = regularizers_.find(last_part(parameter.name));
    if (frozen_) {
      layout.freeze(index);
    } else if (found != regularizers_.end() && parameter.role == model::Role::trained) {
      layout.regularize(index, found->second);
    }
  }
}

}  // namespace daig::nn
