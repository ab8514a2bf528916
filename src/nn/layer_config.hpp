#pragma once

/// A layer as a Keras model's JSON describes it.

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <daig/model/regularizer.hpp>
#include <daig/nn/activation.hpp>
#include <daig/nn/layer.hpp>

namespace daig::nn {

/// Whether a sample may have this shape: below 2^31 values, and none of the extents 0.
bool is_sample_shape(const Shape& shape);

/// Reads a layer's options, and remembers which: what nobody has read is refused in the end, since
/// a model that is trained without it would be another model.
///
/// All throw UsageError naming the layer and the option. Keras 2 and 3 differ in how they write
/// some values; the members take both.
class LayerConfig {
 public:
  /// @param layer  {"class_name": ..., "config": {...}, ...}; must stay as long as this
  explicit LayerConfig(const nlohmann::json& layer);

  const std::string& kind() const { return kind_; }
  const std::string& name() const { return name_; }

  /// From 1 on.
  std::size_t count(const char* option);
  /// Two counts, or one that stands for both: {rows, columns}.
  std::array<std::size_t, 2> counts(const char* option);
  double real(const char* option);
  bool flag(const char* option, bool when_missing);
  std::string word(const char* option, std::string_view when_missing);
  /// One that can be named, see activation.hpp. @see keras_activation for what Keras has besides.
  Activation activation(const char* option = "activation");
  /// The name of a function, however it is written; nothing for what is no name.
  std::optional<std::string> function_name(const char* option);
  /// Extents behind the batch's, from [null, 28, 28].
  Shape sample_shape(const char* option);
  /// Of a layer that wraps another one, say.
  const nlohmann::json& object(const char* option);
  bool has(const char* option) const;

  /// Whether steps change the layer's weights.
  bool trainable() const { return trainable_; }
  /// To be counted in the loss, by the last part of a parameter's name, as Layer::regularize.
  void regularize(const std::string& parameter, const model::Regularizer& regularizer);
  const std::map<std::string, model::Regularizer>& regularizers() const { return regularizers_; }

  /// Accepts an option only as it is without an effect: missing, null, or this value.
  void only(const char* option, const nlohmann::json& value);
  /// Options without a meaning for a model that has its weights, initialisers among them.
  void ignore(std::initializer_list<const char*> options);
  /// Expects that all options have been read.
  void finish() const;

  /// Null when it is missing or null.
  const nlohmann::json* find(const char* option);
  const nlohmann::json& get(const char* option);

  [[noreturn]] void refuse(std::string_view what) const;
  /// Says what the option is, and after a comma or the like, what is wrong with that.
  [[noreturn]] void refuse_value(const char* option, std::string_view what) const;

 private:
  void check_dtype();

  std::string kind_;
  std::string name_;
  const nlohmann::json* config_;
  bool trainable_ = true;
  std::map<std::string, model::Regularizer> regularizers_;
  std::set<std::string, std::less<>> read_;
};

}  // namespace daig::nn
