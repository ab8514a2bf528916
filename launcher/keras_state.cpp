#include "keras_state.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <string_view>

#include <daig/optim/nadam.hpp>

namespace daig::launcher {
namespace {

/// What an optimiser remembers of each weight, in our name and in Keras's.
struct SlotNames {
  const char* ours;
  const char* keras_3;
  const char* keras_2_11;  ///< to 2.15
  const char* keras_2_4;   ///< to 2.10
  const char* standalone;  ///< Keras 2.3, which was no part of TensorFlow
  bool used = true;        ///< with these options; where not, the file may have it all the same
  float sign = 1;
};

std::vector<SlotNames> slot_names(const optim::OptimizerOptions& options) {
  const std::string& name = options.name;
  if (name == "sgd") {  // Keras adds the steps, and we subtract them
    return {{"momentum_steps", "momentum", "m", "momentum", "moment", options.momentum != 0, -1}};
  }
  if (name == "adam" || name == "adamw") {
    return {{"adam_m", "momentum", "m", "m", "m"},
            {"adam_v", "velocity", "v", "v", "v"},
            {"adam_v_max", "velocity_hat", "vhat", "vhat", "vhat", options.amsgrad}};
  }
  if (name == "nadam") {
    return {{"nadam_m", "momentum", "m", "m", "m"}, {"nadam_v", "velocity", "v", "v", "v"}};
  }
  if (name == "rmsprop") {
    return {{"rmsprop_v", "velocity", "velocity", "rms", "accumulator"},
            {"rmsprop_momentum", "momentum", "momentum", "momentum", "", options.momentum != 0},
            {"rmsprop_mean", "average_gradient", "average_gradient", "mg", "", options.centered}};
  }
  if (name == "adagrad") {
    return {{"adagrad_accumulator", "accumulator", "accumulator", "accumulator", "accumulator"}};
  }
  return {{"adamax_m", "momentum", "m", "m", "m"}, {"adamax_u", "norm", "u", "v", "u"}};
}

/// "dense/kernel" of "dense/kernel:0".
std::string_view path_of(std::string_view name) {
  return name.ends_with(":0") ? name.substr(0, name.size() - 2) : name;
}

/// How the arrays of optimisers were named in Keras's times, less the optimiser's own name.
/// @param number  of the parameter, among those that are trained
using Naming = std::string (*)(const SlotNames& slot, std::string_view path, std::size_t number);

std::string name_of_keras_3(const SlotNames& slot, std::string_view path, std::size_t /*number*/) {
  std::string name(path);
  std::ranges::replace(name, '/', '_');
  return name + "_" + slot.keras_3;
}
std::string name_of_keras_2_11(const SlotNames& slot, std::string_view path,
                               std::size_t /*number*/) {
  return std::string(slot.keras_2_11) + "/" + std::string(path);
}
std::string name_of_keras_2_4(const SlotNames& slot, std::string_view path,
                              std::size_t /*number*/) {
  return std::string(path) + "/" + slot.keras_2_4;
}
std::string name_of_standalone(const SlotNames& slot, std::string_view /*path*/,
                               std::size_t number) {
  return std::string(slot.standalone) + "_" + std::to_string(number);
}

std::string_view last_part(std::string_view name) {
  return path_of(name.substr(name.rfind('/') + 1));  // npos + 1 is 0
}

/// The step counter, and the rate, which is in the configuration as well.
bool is_common(const store::KerasArray& array) {
  if (array.values.size() != 1) return false;
  const std::string_view name = last_part(array.name);
  return name == "iter" || name == "iteration" || name == "iterations" || name == "learning_rate";
}

/// Keras 3 gives it no name of its own, and 2.11 to 2.15 forget it.
bool is_momentum_product(const store::KerasArray& array) {
  const std::string_view name = last_part(array.name);
  return array.shape.empty() && array.values.front() >= 0 && array.values.front() <= 1 &&
         (name == "momentum_cache" || name == "m_schedule" || name.starts_with("variable") ||
          name.starts_with("Variable"));
}

/// base^exponent by multiplications alone, so that all C libraries agree.
double power(double base, std::uint64_t exponent) {
  double result = 1;
  for (; exponent != 0; exponent /= 2, base *= base) {
    if (exponent % 2 != 0) result *= base;
  }
  return result;
}

/// Nadam's product of the momenta of all steps before; they rise no more after so many.
double momentum_product(const optim::OptimizerOptions& options, std::uint64_t steps) {
  const std::uint64_t rising = std::min<std::uint64_t>(steps, 100'000);
  const double base = optim::nadam_base(options.schedule_decay);
  double product = power(options.beta1, steps - rising);
  double base_power = 1;
  for (std::uint64_t step = 0; step < rising; ++step) {
    base_power *= base;
    product *= options.beta1 * (1 - base_power / 2);
  }
  return product;
}

/// A value for each of the parameter's.
bool fits(const store::KerasArray& array, const store::KerasArray& parameter) {
  return array.shape == parameter.shape &&
         std::ranges::all_of(array.values, [](float value) { return std::isfinite(value); });
}

}  // namespace

/// The search by one naming.
struct KerasStateSearch {
  const store::KerasFile& file;
  std::span<const store::KerasArray* const> parameters;
  const optim::OptimizerOptions& options;

  std::optional<KerasState> find(Naming naming) const {
    std::map<std::string_view, std::size_t, std::less<>> left;  // less the optimiser's name
    KerasState state;
    state.iterations_ = *file.iterations;
    for (std::size_t i = 0; i < file.optimizer_weights.size(); ++i) {
      const store::KerasArray& array = file.optimizer_weights[i];
      if (is_common(array)) continue;
      if (options.name == "nadam" && !state.momentum_product_ && is_momentum_product(array)) {
        state.momentum_product_ = i;
        continue;
      }
      const std::string_view name = path_of(array.name);
      if (!left.emplace(name.substr(name.find('/') + 1), i).second) return std::nullopt;
    }
    for (const SlotNames& slot : slot_names(options)) {
      if (!take(slot, naming, left, state)) return std::nullopt;
    }
    return left.empty() ? std::optional(std::move(state)) : std::nullopt;
  }

  bool take(const SlotNames& slot, Naming naming,
            std::map<std::string_view, std::size_t, std::less<>>& left, KerasState& state) const {
    KerasState::Slot found{slot.ours, slot.sign, {}};
    std::size_t number = 0;
    for (const store::KerasArray* parameter : parameters) {
      if (parameter == nullptr) {
        found.arrays.emplace_back();
        continue;
      }
      const auto array = left.find(naming(slot, path_of(parameter->name), number++));
      if (!slot.used) {  // Keras 2.3 has an array of another shape then
        if (array != left.end()) left.erase(array);
        continue;
      }
      if (array == left.end() || !fits(file.optimizer_weights[array->second], *parameter)) {
        return false;
      }
      found.arrays.push_back(array->second);
      left.erase(array);
    }
    if (slot.used) state.slots_.push_back(std::move(found));
    return true;
  }
};

FoundState find_state(const store::KerasFile& file,
                      std::span<const store::KerasArray* const> arrays,
                      const optim::OptimizerOptions& options) {
  const bool has_slots = std::ranges::any_of(slot_names(options), &SlotNames::used);
  const bool bare = std::ranges::all_of(file.optimizer_weights, is_common);
  if (file.optimizer_weights.empty() || (bare && has_slots)) return {};  // it was never trained
  if (file.iterations) {
    const KerasStateSearch search{file, arrays, options};
    for (const Naming naming :
         {name_of_keras_3, name_of_keras_2_11, name_of_keras_2_4, name_of_standalone}) {
      if (auto state = search.find(naming)) return {std::move(state), false};
    }
  }
  return {std::nullopt, true};
}

train::OptimizerState KerasState::read(const store::KerasFile& file, const model::Layout& layout,
                                       const optim::OptimizerOptions& options) const {
  train::OptimizerState state;
  for (const Slot& slot : slots_) {
    std::vector<float>& values = state.arrays[slot.name];
    values.resize(layout.size());
    for (std::size_t i = 0; i < slot.arrays.size(); ++i) {
      if (!slot.arrays[i]) continue;
      const std::vector<float>& from = file.optimizer_weights[*slot.arrays[i]].values;
      std::ranges::transform(
          from, values.begin() + static_cast<std::ptrdiff_t>(layout.parameters()[i].offset),
          [&](float value) { return slot.sign * value; });
    }
  }
  auto& scalars = state.scalars;
  if (options.name == "adam" || options.name == "adamw") {
    scalars["adam_beta1_power"] = power(options.beta1, iterations_);
    scalars["adam_beta2_power"] = power(options.beta2, iterations_);
  } else if (options.name == "adamax") {
    scalars["adamax_beta1_power"] = power(options.beta1, iterations_);
  } else if (options.name == "nadam") {
    scalars["nadam_beta2_power"] = power(options.beta2, iterations_);
    scalars["nadam_base_power"] = power(optim::nadam_base(options.schedule_decay), iterations_);
    scalars["nadam_momentum_product"] =
        momentum_product_ ? file.optimizer_weights[*momentum_product_].values.front()
                          : momentum_product(options, iterations_);
  }
  return state;
}

void KerasState::write(const train::OptimizerState& state, const model::Layout& layout,
                       store::KerasFile& file) const {
  for (const Slot& slot : slots_) {
    const std::vector<float>& values = state.arrays.at(slot.name);
    for (std::size_t i = 0; i < slot.arrays.size(); ++i) {
      if (!slot.arrays[i]) continue;
      std::vector<float>& to = file.optimizer_weights[*slot.arrays[i]].values;
      const float* from = values.data() + layout.parameters()[i].offset;
      std::transform(from, from + to.size(), to.begin(),
                     [&](float value) { return slot.sign * value; });
    }
  }
  if (momentum_product_) {
    file.optimizer_weights[*momentum_product_].values.front() =
        static_cast<float>(state.scalars.at("nadam_momentum_product"));
  }
}

}  // namespace daig::launcher
