#include "keras_stack.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <daig/model/layout.hpp>

#include "most_parameters.hpp"

namespace daig::nn {
namespace {

/// Whether HDF5 can hold an array of this name, as "a" or "a/b".
bool is_path(std::string_view name) {
  while (true) {
    const std::string_view part = name.substr(0, name.find('/'));
    const auto is_control = [](unsigned char letter) { return letter < 0x20; };
    if (part.empty() || part == "." || part == ".." || std::ranges::any_of(part, is_control)) {
      return false;
    }
    if (part.size() == name.size()) return true;
    name.remove_prefix(part.size() + 1);
  }
}

}  // namespace

/// What is larger is absurd, and sizes below need no care.
template <class T>
void LayerStack<T>::check_size(const LayerConfig& layer) {
  if (!is_sample_shape(shape_)) layer.refuse("what it gives for a sample is absurdly large");
  model::Layout own;
  layers_.back()->declare(own);
  parameters_ += own.size();
  if (parameters_ > most_parameters) layer.refuse("the model has absurdly many weights");
  if (own.size() == 0) return;
  if (!is_path(layer.name())) layer.refuse("its name cannot be that of an array in a file");
  if (!names_.insert(layer.name()).second) layer.refuse("another layer has the same name");
  for (const model::Parameter& parameter : own.parameters()) {
    if (parameter_names_.insert(parameter.name).second) continue;
    layer.refuse("another layer has an array '" + parameter.name + "', too");
  }
}

template <class T>
void LayerStack<T>::treat(const LayerConfig& layer, std::size_t first, bool model_is_trainable) {
  const auto made = std::span(layers_).subspan(first);
  for (const auto& [parameter, regularizer] : layer.regularizers()) {
    bool found = false;
    for (const auto& part : made) found = part->regularize(parameter, regularizer) || found;
    if (!found) layer.refuse(fmt::format("its {} is regularised, and there is none", parameter));
  }
  if (layer.trainable() && model_is_trainable) return;
  for (const auto& part : made) part->freeze();
}

template class LayerStack<float>;
template class LayerStack<double>;

}  // namespace daig::nn
