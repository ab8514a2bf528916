#pragma once

/// A small model with something in every place that a model file has.

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <daig/store/model_file.hpp>

namespace daig::test {

/// Every value is 32-bit exact, and known from its place: weights i / 4, momentum -i, square i / 8.
inline store::SavedModel sample_model() {
  store::SavedModel model;
  model.spec = "mlp:3-5-2";
  // Interleaved on purpose: the order of parameters is not the order of HDF5's groups.
  model.layout.add("dense_1/kernel", {3, 5});
  model.layout.add("dense_2/kernel", {5, 2});
  model.layout.add("dense_1/bias", {5});
  model.layout.add("dense_2/bias", {2});
  model.layout.add("scale", {});
  model.weights.resize(model.layout.size());
  std::vector<float> momentum(model.weights.size());
  std::vector<float> square(model.weights.size());
  for (std::size_t i = 0; i < model.weights.size(); ++i) {
    const auto value = static_cast<float>(i);
    model.weights[i] = value / 4;
    momentum[i] = -value;
    square[i] = value / 8;
  }
  model.optimizer = {"adam",
                     "learning_rate=0.001",
                     {{"momentum", momentum}, {"square", square}},
                     {{"beta1_power", 0.81}, {"updates", 120}}};
  model.version = Version{120};
  model.epoch = Epoch{2};
  model.seed = 0xFEDCBA9876543210;
  return model;
}

inline bool same_layout(const model::Layout& left, const model::Layout& right) {
  if (left.parameters().size() != right.parameters().size()) return false;
  for (std::size_t i = 0; i < left.parameters().size(); ++i) {
    const model::Parameter& a = left.parameters()[i];
    const model::Parameter& b = right.parameters()[i];
    if (a.name != b.name || a.shape != b.shape || a.offset != b.offset) return false;
  }
  return true;
}

inline bool same_model(const store::SavedModel& left, const store::SavedModel& right) {
  return left.spec == right.spec && same_layout(left.layout, right.layout) &&
         left.weights == right.weights && left.optimizer == right.optimizer &&
         left.version == right.version && left.epoch == right.epoch && left.seed == right.seed;
}

}  // namespace daig::test
