#pragma once

/// Layers of sequences as layers of images whose height is 1.

#include <memory>
#include <string>
#include <utility>

#include <daig/core/error.hpp>
#include <daig/nn/layer.hpp>

namespace daig::nn {

/// {steps, channels} as {1, steps, channels}. @throws UsageError for a shape of other than two
/// axes.
inline Shape image_of_height_one(const Shape& sequence) {
  if (sequence.size() == 2) return {1, sequence[0], sequence[1]};
  throw UsageError("a layer over sequences takes {steps, channels}, but the shape has " +
                   std::to_string(sequence.size()) +
                   " axes: put a Reshape before this layer, e.g. to {28, 1}");
}

/// A layer of images, under whose shapes and parameters there is no height. A sequence lies in
/// memory as the image of height 1 does, and so does a kernel: passes go to the layer of images as
/// they are.
template <class T>
class HeightOne : public Layer<T> {
 public:
  void declare(model::Layout& layout) const final {
    model::Layout of_images;
    of_images_->declare(of_images);
    for (const model::Parameter& parameter : of_images.parameters()) {
      layout.add(parameter.name, without_height(parameter.shape));
    }
  }
  void initialise(std::span<T> weights, std::uint64_t seed,
                  std::uint32_t first_parameter) const final {
    of_images_->initialise(weights, seed, first_parameter);
  }
  void forward(const Engine<T>& engine, const ForwardPass<T>& pass) final {
    of_images_->forward(engine, pass);
  }
  void backward(const Engine<T>& engine, const BackwardPass<T>& pass) final {
    of_images_->backward(engine, pass);
  }

 protected:
  /// @param of_images  made for an image_of_height_one
  explicit HeightOne(std::unique_ptr<Layer<T>> of_images)
      : Layer<T>(without_height(of_images->input_shape()),
                 without_height(of_images->output_shape())),
        of_images_(std::move(of_images)) {}

 private:
  /// Images and kernels have it first, vectors have none.
  static Shape without_height(Shape shape) {
    if (shape.size() > 2) shape.erase(shape.begin());
    return shape;
  }

  std::unique_ptr<Layer<T>> of_images_;
};

}  // namespace daig::nn
