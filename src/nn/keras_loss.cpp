#include "keras_loss.hpp"

#include <cmath>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <daig/core/error.hpp>
#include <daig/nn/losses/binary_cross_entropy.hpp>
#include <daig/nn/losses/categorical_cross_entropy.hpp>
#include <daig/nn/losses/elementwise_loss.hpp>
#include <daig/nn/losses/sigmoid_cross_entropy.hpp>
#include <daig/nn/losses/softmax_cross_entropy.hpp>

#include "parse_json.hpp"

namespace daig::nn {
namespace {

using nlohmann::json;

/// The one loss: several would be of several outputs.
const json& single(const json& written) {
  const bool named = written.is_object() && !written.contains("class_name");
  if ((!written.is_array() && !named) || written.empty()) return written;
  if (written.size() == 1) return single(*written.begin());
  throw UsageError(fmt::format(
      "the model was compiled with {} losses: one is supported, of one output", written.size()));
}

/// The names of functions, of classes, and short ones; of Keras 2 and 3.
const std::map<std::string_view, KerasLoss>& known_losses() {
  static const std::map<std::string_view, KerasLoss> known = [] {
    std::map<std::string_view, KerasLoss> all;
    const auto add = [&](const KerasLoss& loss, std::initializer_list<std::string_view> names) {
      for (const std::string_view name : names) all.emplace(name, loss);
    };
    using enum KerasLoss::Kind;
    add({categorical}, {"categorical_crossentropy", "CategoricalCrossentropy"});
    add({sparse_categorical}, {"sparse_categorical_crossentropy", "SparseCategoricalCrossentropy"});
    add({binary}, {"binary_crossentropy", "BinaryCrossentropy", "bce", "BCE"});
    using Point = ElementLoss::Kind;
    add({elementwise, {Point::squared_error}},
        {"mean_squared_error", "MeanSquaredError", "mse", "MSE"});
    add({elementwise, {Point::absolute_error}},
        {"mean_absolute_error", "MeanAbsoluteError", "mae", "MAE"});
    add({elementwise, {Point::absolute_percentage_error}},
        {"mean_absolute_percentage_error", "MeanAbsolutePercentageError", "mape", "MAPE"});
    add({elementwise, {Point::squared_logarithmic_error}},
        {"mean_squared_logarithmic_error", "MeanSquaredLogarithmicError", "msle", "MSLE"});
    add({elementwise, {Point::huber}}, {"huber", "Huber", "huber_loss"});
    add({elementwise, {Point::log_cosh}}, {"log_cosh", "LogCosh", "logcosh"});
    add({elementwise, {Point::poisson}}, {"poisson", "Poisson"});
    add({elementwise, {Point::hinge}}, {"hinge", "Hinge"});
    add({elementwise, {Point::squared_hinge}}, {"squared_hinge", "SquaredHinge"});
    add({elementwise, {Point::kl_divergence}},
        {"kl_divergence", "KLDivergence", "kld", "KLD", "kullback_leibler_divergence"});
    return all;
  }();
  return known;
}

/// Reads the options of a loss, and refuses what it does not know: a model that is trained without
/// it would be another model.
class LossOptions {
 public:
  explicit LossOptions(KerasLoss& loss) : loss_(loss) {}

  void read(const json& config) {
    if (!config.is_object()) return;
    for (const auto& item : config.items()) read(item.key(), item.value());
  }

 private:
  void read(const std::string& option, const json& value) {
    const bool categorical = loss_.kind == KerasLoss::Kind::categorical;
    const bool binary = loss_.kind == KerasLoss::Kind::binary;
    const bool huber = loss_.kind == KerasLoss::Kind::elementwise &&
                       loss_.elementwise.kind == ElementLoss::Kind::huber;
    if (option == "name" || value.is_null()) return;
    if (option == "from_logits" && value.is_boolean()) {
      loss_.of_logits = value.get<bool>();
    } else if (option == "label_smoothing" && value.is_number()) {
      const double smoothing = value.get<double>();
      if (!(smoothing >= 0 && smoothing <= 1)) refuse(option, value, "it is from 0 to 1");
      if (smoothing != 0 && !categorical && !binary) refuse(option, value, "this loss has none");
      loss_.label_smoothing = smoothing;
    } else if (option == "delta" && huber && value.is_number()) {
      loss_.elementwise.delta = value.get<double>();
      if (!(loss_.elementwise.delta > 0) || std::isinf(loss_.elementwise.delta)) {
        refuse(option, value, "it is a number above 0");
      }
    } else if (option == "reduction") {
      // "mean" is without weights, which there are none of, the mean over the batch, too.
      if (value != "sum_over_batch_size" && value != "auto" && value != "mean" &&
          value != "mean_with_sample_weight") {
        refuse(option, value, "steps take the mean over their samples: sum_over_batch_size");
      }
    } else if (option == "fn") {  // Keras 2.12 to 2.15 write what the class is made of
      const auto known =
          value.is_string() ? known_losses().find(value.get<std::string>()) : known_losses().end();
      if (known == known_losses().end() || known->second.kind != loss_.kind ||
          known->second.elementwise.kind != loss_.elementwise.kind) {
        refuse(option, value, "that is another loss than its class");
      }
    } else if (option == "axis") {
      if (value != -1) refuse(option, value, "classes are on the last axis, -1");
    } else if (option == "dtype") {
      check_dtype(value);
    } else {
      refuse(option, value, "it is not supported");
    }
  }

  /// A name, or a policy: {"class_name": "DTypePolicy", "config": {"name": "float32"}}.
  static void check_dtype(const json& value) {
    const json* name = &value;
    if (name->is_object() && name->contains("config")) name = &name->at("config");
    if (name->is_object() && name->contains("name")) name = &name->at("name");
    if (*name != "float32") refuse("dtype", value, "models are trained in float32");
  }

  [[noreturn]] static void refuse(std::string_view option, const json& value,
                                  std::string_view why) {
    throw UsageError(fmt::format("the loss's {} is {}: {}", option, shown(value), why));
  }

  KerasLoss& loss_;
};

}  // namespace

std::optional<Activation> KerasLoss::activation() const {
  if (of_logits || kind == Kind::elementwise) return std::nullopt;
  return kind == Kind::binary ? Activation::sigmoid : Activation::softmax;
}

bool KerasLoss::is_of_rows() const {
  if (kind == Kind::elementwise) return elementwise.kind == ElementLoss::Kind::kl_divergence;
  return kind != Kind::binary;
}

KerasLoss keras_loss(const json& written) {
  const json& loss = single(written);
  json config;
  std::string name;
  if (loss.is_string()) {
    name = loss.get<std::string>();
  } else if (loss.is_object() && loss.contains("class_name") && loss.at("class_name").is_string()) {
    name = loss.at("class_name").get<std::string>();
    config = loss.value("config", json::object());
    if (name == "function" && config.is_string()) name = config.get<std::string>();
  }
  const auto known = known_losses().find(name);
  if (known == known_losses().end()) {
    throw UsageError(
        fmt::format("the loss {} is not supported: there are categorical, sparse categorical and "
                    "binary cross-entropy; mean squared, absolute, percentage and logarithmic "
                    "error, huber and log_cosh; KL divergence, poisson, hinge and squared_hinge",
                    shown(written)));
  }
  KerasLoss read = known->second;
  LossOptions(read).read(config);
  return read;
}

template <class T>
std::unique_ptr<LossFunction<T>> make_loss(const KerasLoss& loss, const Shape& output,
                                           bool has_activation) {
  if (loss.is_of_rows() && output.size() != 1) {
    throw UsageError(
        fmt::format("the loss compares one row of outputs a sample with its label, and the last "
                    "layer gives the shape ({}): put a Flatten or a global pooling before it",
                    fmt::join(output, ", ")));
  }
  if (loss.kind == KerasLoss::Kind::elementwise) {
    return std::make_unique<ElementwiseLoss<T>>(loss.elementwise);
  }
  const Prediction prediction = loss.of_logits ? Prediction::logits : Prediction::probabilities;
  const bool takes_logits = loss.of_logits || has_activation;
  if (loss.kind == KerasLoss::Kind::binary) {
    if (!takes_logits) return std::make_unique<BinaryCrossEntropy<T>>(loss.label_smoothing);
    return std::make_unique<SigmoidCrossEntropy<T>>(prediction, loss.label_smoothing);
  }
  using Kinds = CategoricalLabels::Kinds;
  const bool sparse = loss.kind == KerasLoss::Kind::sparse_categorical;
  const CategoricalLabels labels{sparse ? Kinds::classes : Kinds::classes_or_targets,
                                 loss.label_smoothing};
  if (!takes_logits) return std::make_unique<CategoricalCrossEntropy<T>>(labels);
  return std::make_unique<SoftmaxCrossEntropy<T>>(prediction, labels);
}

template std::unique_ptr<LossFunction<float>> make_loss<float>(const KerasLoss&, const Shape&,
                                                               bool);
template std::unique_ptr<LossFunction<double>> make_loss<double>(const KerasLoss&, const Shape&,
                                                                 bool);

}  // namespace daig::nn
