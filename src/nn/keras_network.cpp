#include "keras_network.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <daig/core/error.hpp>
#include <daig/nn/keras_spec.hpp>
#include <daig/nn/layers/activation.hpp>
#include <daig/nn/layers/average_pooling_2d.hpp>
#include <daig/nn/layers/conv_2d.hpp>
#include <daig/nn/layers/dense.hpp>
#include <daig/nn/layers/dropout.hpp>
#include <daig/nn/layers/flatten.hpp>
#include <daig/nn/layers/global_average_pooling_2d.hpp>
#include <daig/nn/layers/global_max_pooling_2d.hpp>
#include <daig/nn/layers/max_pooling_2d.hpp>
#include <daig/nn/losses/mean_squared_error.hpp>
#include <daig/nn/losses/softmax_cross_entropy.hpp>

#include "keras_chain.hpp"
#include "keras_loss.hpp"
#include "layer_config.hpp"
#include "parse_json.hpp"

namespace daig::nn {
namespace {

using nlohmann::json;

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

/// Makes the layers one after the other.
template <class T>
class Builder {
 public:
  explicit Builder(Shape input) : shape_(std::move(input)) {}

  /// @param drop_softmax  this is the last layer, and the loss holds its softmax
  void add(const json& described, bool drop_softmax) {
    static const std::map<std::string_view, void (Builder::*)(LayerConfig&)> known{
        {"InputLayer", &Builder::input},
        {"Dense", &Builder::dense},
        {"Conv2D", &Builder::conv_2d},
        {"MaxPooling2D", &Builder::template pooling_2d<MaxPooling2D<T>>},
        {"AveragePooling2D", &Builder::template pooling_2d<AveragePooling2D<T>>},
        {"GlobalMaxPooling2D", &Builder::template global_pooling_2d<GlobalMaxPooling2D<T>>},
        {"GlobalAveragePooling2D", &Builder::template global_pooling_2d<GlobalAveragePooling2D<T>>},
        {"Flatten", &Builder::flatten},
        {"Dropout", &Builder::dropout},
        {"Activation", &Builder::activation},
        {"ReLU", &Builder::relu},
        {"Softmax", &Builder::softmax},
    };
    LayerConfig layer(described);
    drop_softmax_ = drop_softmax;
    const auto kind = known.find(layer.kind());
    if (kind == known.end()) layer.refuse("layers of this kind are not supported");
    (this->*kind->second)(layer);
    layer.finish();
  }

  /// Whether the last layer's softmax was there to be dropped.
  bool dropped_softmax() const { return dropped_softmax_; }
  std::vector<std::unique_ptr<Layer<T>>> take() { return std::move(layers_); }

 private:
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

  /// What is larger is absurd, and sizes below need no care.
  void check_size(const LayerConfig& layer) {
    if (!is_sample_shape(shape_)) layer.refuse("what it gives for a sample is absurdly large");
    model::Layout own;
    layers_.back()->declare(own);
    parameters_ += own.size();
    if (parameters_ > most_parameters) layer.refuse("the model has absurdly many weights");
    if (own.size() == 0) return;
    if (!is_path(layer.name())) layer.refuse("its name cannot be that of an array in a file");
    if (!names_.insert(layer.name()).second) layer.refuse("another layer has the same name");
  }

  void input(LayerConfig& layer) {
    layer.only("sparse", false);
    layer.only("ragged", false);
    layer.only("optional", false);
  }

  void dense(LayerConfig& layer) {
    ignore_weights_options(layer);
    if (shape_.size() != 1) layer.refuse("its input is not flat: put a Flatten before it");
    put<Dense<T>>(layer, layer.name(), shape_, layer.count("units"),
                  last_activation(layer.activation()), bias(layer));
  }

  void conv_2d(LayerConfig& layer) {
    ignore_weights_options(layer);
    expect_image(layer);
    layer.only("groups", 1);
    WindowOptions options{extents(layer, "kernel_size"), {}, {}, padding(layer)};
    if (layer.has("strides")) options.stride = extents(layer, "strides");
    if (layer.has("dilation_rate")) options.dilation = extents(layer, "dilation_rate");
    put<Conv2D<T>>(layer, layer.name(), shape_, layer.count("filters"), options,
                   last_activation(layer.activation()), bias(layer));
  }

  template <class Pooling>
  void pooling_2d(LayerConfig& layer) {
    expect_image(layer);
    std::optional<Extents> strides;
    if (layer.has("strides")) strides = extents(layer, "strides");
    put<Pooling>(layer, shape_, extents(layer, "pool_size"), strides, padding(layer));
  }

  template <class Pooling>
  void global_pooling_2d(LayerConfig& layer) {
    expect_image(layer);
    layer.only("keepdims", false);
    put<Pooling>(layer, shape_);
  }

  void flatten(LayerConfig& layer) {
    layer.only("data_format", "channels_last");
    put<Flatten<T>>(layer, shape_);
  }

  void dropout(LayerConfig& layer) {
    layer.only("noise_shape", nullptr);
    layer.ignore({"seed"});  // draws come from the run's
    put<Dropout<T>>(layer, shape_, layer.real("rate"), static_cast<std::uint32_t>(layers_.size()));
  }

  void activation(LayerConfig& layer) { put_activation(layer, layer.activation()); }

  void relu(LayerConfig& layer) {
    layer.only("max_value", nullptr);
    layer.only("negative_slope", 0.0);
    layer.only("threshold", 0.0);
    put_activation(layer, Activation::relu);
  }

  void softmax(LayerConfig& layer) {
    layer.only("axis", -1);
    put_activation(layer, Activation::softmax);
  }

  void put_activation(const LayerConfig& layer, Activation activation) {
    if (activation == Activation::softmax && shape_.size() != 1) {
      layer.refuse("softmax of what is not flat is not supported");
    }
    put<ActivationLayer<T>>(layer, shape_, last_activation(activation));
  }

  Activation last_activation(Activation activation) {
    if (!drop_softmax_ || activation != Activation::softmax) return activation;
    dropped_softmax_ = true;
    return Activation::linear;
  }

  void expect_image(LayerConfig& layer) {
    layer.only("data_format", "channels_last");
    if (shape_.size() == 3) return;
    layer.refuse(
        fmt::format("its input has {} extents, not rows, columns and channels", shape_.size()));
  }

  static Extents extents(LayerConfig& layer, const char* option) {
    const auto [height, width] = layer.counts(option);
    return {height, width};
  }

  static Padding padding(LayerConfig& layer) {
    const std::string word = layer.word("padding", "valid");
    if (word == "valid") return Padding::valid;
    if (word == "same") return Padding::same;
    layer.refuse(fmt::format("padding is '{}': there are valid and same", word));
  }

  static Bias bias(LayerConfig& layer) {
    return layer.flag("use_bias", true) ? Bias::used : Bias::none;
  }

  static void ignore_weights_options(LayerConfig& layer) {
    layer.ignore({"kernel_initializer", "bias_initializer"});
    for (const char* option :
         {"kernel_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint",
          "bias_constraint", "lora_rank", "lora_alpha", "quantization_config"}) {
      layer.only(option, nullptr);
    }
  }

  static constexpr std::size_t most_parameters = std::size_t{1} << 40;

  Shape shape_;
  std::vector<std::unique_ptr<Layer<T>>> layers_;
  std::size_t parameters_ = 0;
  std::set<std::string> names_;  ///< of layers with weights
  bool drop_softmax_ = false;
  bool dropped_softmax_ = false;
};

template <class T>
std::unique_ptr<LossFunction<T>> make_loss(const KerasLoss& loss) {
  if (loss.kind == KerasLoss::Kind::mean_squared_error) {
    return std::make_unique<MeanSquaredError<T>>();
  }
  return std::make_unique<SoftmaxCrossEntropy<T>>(loss.of_logits ? Prediction::logits
                                                                 : Prediction::probabilities);
}

}  // namespace

std::string keras_spec(std::string_view model_config, std::string_view training_config) {
  if (training_config.empty()) {
    throw UsageError(
        "the model was not compiled, so that its loss is not known: compile it in Keras before it "
        "is saved");
  }
  const json training = parse_json(training_config, "the Keras model's training_config");
  if (!training.is_object() || !training.contains("loss")) {
    throw UsageError("the Keras model's training_config names no loss");
  }
  const json spec{{"model", parse_json(model_config, "the Keras model's model_config")},
                  {"loss", training.at("loss")}};
  std::string text = std::string(keras_spec_prefix) + spec.dump();
  static_cast<void>(keras_parts<float>(text));
  return text;
}

template <class T>
KerasParts<T> keras_parts(std::string_view spec) {
  expects(spec.starts_with(keras_spec_prefix), "a Keras model's spec");
  const json parsed = parse_json(spec.substr(keras_spec_prefix.size()), "a Keras model's spec");
  if (!parsed.is_object() || !parsed.contains("model") || !parsed.contains("loss")) {
    throw UsageError("a Keras model's spec lacks a model or a loss");
  }
  const KerasLoss loss = keras_loss(parsed.at("loss"));
  const KerasChain chain = keras_chain(parsed.at("model"));
  const bool loss_has_softmax = loss.kind == KerasLoss::Kind::cross_entropy && !loss.of_logits;
  Builder<T> builder(chain.input);
  for (std::size_t i = 0; i < chain.layers.size(); ++i) {
    builder.add(*chain.layers[i], loss_has_softmax && i + 1 == chain.layers.size());
  }
  if (loss_has_softmax && !builder.dropped_softmax()) {
    throw UsageError(
        "categorical cross-entropy of a model whose last layer is no softmax: it must "
        "be one, or the loss be compiled with from_logits=True");
  }
  KerasParts<T> parts;
  parts.layers = builder.take();
  if (parts.layers.empty()) throw UsageError("the Keras model has no layers");
  parts.loss = make_loss<T>(loss);
  parts.title = fmt::format("Keras model '{}'", chain.name);
  return parts;
}

template KerasParts<float> keras_parts<float>(std::string_view spec);
template KerasParts<double> keras_parts<double>(std::string_view spec);

}  // namespace daig::nn
