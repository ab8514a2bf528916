#pragma once

/// The layers of a Keras model, as they come one after the other.

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <daig/core/error.hpp>
#include <daig/nn/activation.hpp>
#include <daig/nn/layer.hpp>

#include "layer_config.hpp"

namespace daig::nn {

/// Grows by a layer at a time; knows what shape the next one gets, and what would be absurd.
template <class T>
class LayerStack {
 public:
  explicit LayerStack(Shape input) : shape_(std::move(input)) {}

  /// Of a sample, as the next layer gets it.
  const Shape& shape() const { return shape_; }
  /// How many there are: a number that no other layer of the stack has.
  std::size_t size() const { return layers_.size(); }

  /// Makes a layer and lays it on top. What its constructor refuses is refused in the name of the
  /// layer as Keras has it.
  template <class Made, class... Arguments>
  void put(const LayerConfig& layer, Arguments&&... arguments) {
    try {
      layers_.push_back(std::make_unique<Made>(std::forward<Arguments>(arguments)...));
    } catch (const UsageError& error) {
      layer.refuse(error.what());
    }
    shape_ = layers_.back()->output_shape();
    check_size(layer);
  }

  /// Freezes the layers from `first` on, of which this is the description, if it says so, and gives
  /// them the regularisers that it names. @throws UsageError when there is no such parameter.
  void treat(const LayerConfig& layer, std::size_t first, bool model_is_trainable);

  /// What is added next is the last layer, and the loss holds this activation of it: `applied`
  /// then leaves it out.
  void leave_to_loss(Activation activation) { left_to_loss_ = activation; }
  /// The activation that a layer applies itself.
  Activation applied(Activation activation) {
    if (left_to_loss_ != activation) return activation;
    left_to_loss_.reset();
    return Activation::linear;
  }
  /// Whether the activation that was left to the loss was there.
  bool loss_has_its_activation() const { return !left_to_loss_; }

  std::vector<std::unique_ptr<Layer<T>>> take() { return std::move(layers_); }

 private:
  void check_size(const LayerConfig& layer);

  Shape shape_;
  std::vector<std::unique_ptr<Layer<T>>> layers_;
  std::size_t parameters_ = 0;
  std::set<std::string> names_;  // of layers with weights
  std::optional<Activation> left_to_loss_;
};

extern template class LayerStack<float>;
extern template class LayerStack<double>;

}  // namespace daig::nn
