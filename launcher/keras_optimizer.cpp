#include "keras_optimizer.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/nn/keras_optimizer.hpp>
#include <daig/optim/make_optimizer.hpp>
#include <daig/optim/schedule.hpp>

namespace daig::launcher {
namespace {

/// The options of a Keras object, which are taken one by one: what is left has not been understood.
class OptionsLeft {
 public:
  /// @param what  named in errors: "the optimizer Adam"
  OptionsLeft(nn::KerasObject object, std::string what)
      : object_(std::move(object)), what_(std::move(what)) {}

  bool has(std::string_view option) const { return object_.options.contains(option); }

  std::optional<double> take(std::string_view option) {
    const auto found = object_.options.find(option);
    if (found == object_.options.end()) return std::nullopt;
    const double value = found->second;
    object_.options.erase(found);
    return value;
  }
  void take(std::string_view option, double& value) { value = take(option).value_or(value); }
  void take(std::string_view option, bool& value) { value = take(option).value_or(value) != 0; }
  double take_needed(std::string_view option) {
    if (const auto value = take(option)) return *value;
    throw UsageError(fmt::format("{}: {} is missing", what_, option));
  }
  std::vector<double> take_list(std::string_view option) {
    const auto found = object_.lists.find(option);
    if (found == object_.lists.end()) {
      throw UsageError(fmt::format("{}: {} is missing", what_, option));
    }
    std::vector<double> values = std::move(found->second);
    object_.lists.erase(found);
    return values;
  }
  void ignore(std::initializer_list<std::string_view> options) {
    for (const std::string_view option : options) static_cast<void>(take(option));
  }
  /// Options without an effect while they are 0 do not matter.
  void expect_none() const {
    for (const auto& [option, value] : object_.options) {
      if (value == 0) continue;
      throw UsageError(fmt::format("{}: {} = {} is not supported", what_, option, value));
    }
    if (!object_.lists.empty()) {
      throw UsageError(fmt::format("{}: {} is not supported", what_, object_.lists.begin()->first));
    }
  }

 private:
  nn::KerasObject object_;
  std::string what_;
};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return text;
}

/// Keras without TensorFlow, which ended with 2.3, took clipnorm for that of all arrays together.
bool clips_globally(const std::string& version) {
  return version.find("tf") == version.npos &&
         (version.starts_with("2.0.") || version.starts_with("2.1.") ||
          version.starts_with("2.2.") || version.starts_with("2.3."));
}

/// @throws UsageError unless it is a number of steps, from `least` on.
std::uint64_t steps_of(double steps, std::uint64_t least) {
  if (steps >= static_cast<double>(least) && steps < 9e15 && steps == std::floor(steps)) {
    return static_cast<std::uint64_t>(steps);
  }
  throw UsageError(fmt::format(
      "a learning-rate schedule with {} steps is not supported: it has whole ones, from {} on",
      steps, least));
}

/// A base rate, and what a schedule makes of it.
struct Rate {
  double base = 0;
  std::string schedule;
};

/// A later rate as a part of the base rate.
double part_of(double base, double rate) {
  if (base > 0) return rate / base;
  throw UsageError("a learning-rate schedule that starts from 0 is not supported");
}

std::string piecewise(OptionsLeft& options, double& base) {
  const std::vector<double> boundaries = options.take_list("boundaries");
  const std::vector<double> values = options.take_list("values");
  if (values.size() != boundaries.size() + 1) {
    throw UsageError(
        fmt::format("the learning-rate schedule PiecewiseConstantDecay has {} boundaries and {} "
                    "values, which should be one more",
                    boundaries.size(), values.size()));
  }
  base = values.front();
  std::string text;
  for (std::size_t i = 0; i < boundaries.size(); ++i) {
    // Keras changes behind the boundary, not at it.
    text += fmt::format("{}{}={}", text.empty() ? "piecewise:" : ",",
                        steps_of(boundaries[i], 0) + 1, part_of(base, values[i + 1]));
  }
  return text.empty() ? "constant" : text;
}

std::string cosine(OptionsLeft& options, double& base) {
  const double initial = options.take_needed("initial_learning_rate");
  const std::uint64_t steps = steps_of(options.take_needed("decay_steps"), 1);
  const double alpha = options.take("alpha").value_or(0);
  const std::uint64_t warmup = steps_of(options.take("warmup_steps").value_or(0), 0);
  const std::optional<double> target = options.take("warmup_target");
  base = target.value_or(initial);
  std::string text = fmt::format("cosine:steps={},final={}", steps, alpha);
  if (target) text += fmt::format(",warmup={},first={}", warmup, part_of(base, initial));
  return text;
}

Rate rate_of(const nn::KerasObject& schedule) {
  const std::string& kind = schedule.kind;
  OptionsLeft options(schedule, "the learning-rate schedule " + kind);
  Rate rate;
  if (kind == "PiecewiseConstantDecay") {
    rate.schedule = piecewise(options, rate.base);
  } else if (kind == "CosineDecay") {
    rate.schedule = cosine(options, rate.base);
  } else if (kind == "ExponentialDecay" || kind == "InverseTimeDecay") {
    rate.base = options.take_needed("initial_learning_rate");
    const std::uint64_t every = steps_of(options.take_needed("decay_steps"), 1);
    const double decay = options.take_needed("decay_rate");
    const int staircase = options.take("staircase").value_or(0) != 0 ? 1 : 0;
    rate.schedule =
        kind == "ExponentialDecay"
            ? fmt::format("exponential:every={},factor={},staircase={}", every, decay, staircase)
            : fmt::format("inverse:rate={},every={},staircase={}", decay, every, staircase);
  } else if (kind == "PolynomialDecay") {
    rate.base = options.take_needed("initial_learning_rate");
    const std::uint64_t steps = steps_of(options.take_needed("decay_steps"), 1);
    const double last = options.take("end_learning_rate").value_or(0.0001);
    const double power = options.take("power").value_or(1);
    const int cycle = options.take("cycle").value_or(0) != 0 ? 1 : 0;
    rate.schedule = fmt::format("polynomial:steps={},power={},final={},cycle={}", steps, power,
                                part_of(rate.base, last), cycle);
  } else {
    throw UsageError(
        fmt::format("the learning-rate schedule {} is not supported: there are "
                    "ExponentialDecay, CosineDecay, PolynomialDecay, "
                    "PiecewiseConstantDecay and InverseTimeDecay",
                    kind));
  }
  options.expect_none();
  static_cast<void>(optim::make_schedule(rate.schedule));
  return rate;
}

void take_own_options(const std::string& name, bool before_2_11, OptionsLeft& left,
                      optim::OptimizerOptions& options) {
  if (name == "sgd") {
    options.momentum_of_steps = true;
    left.take("momentum", options.momentum);
    left.take("nesterov", options.nesterov);
    // Keras ignores it then.
    if (options.momentum == 0) options.nesterov = false;
    return;
  }
  options.learning_rate = 0.001;
  options.epsilon = 1e-7;
  left.take("epsilon", options.epsilon);
  if (name == "rmsprop") {
    left.take("rho", options.rho);
    left.take("momentum", options.momentum);
    left.take("centered", options.centered);
    options.epsilon_outside = before_2_11 && options.momentum == 0;
    return;
  }
  if (name == "adagrad") {
    options.initial_accumulator = 0;  // as Keras without TensorFlow has it, and does not say
    left.take("initial_accumulator_value", options.initial_accumulator);
    options.epsilon_outside = before_2_11;
    return;
  }
  left.take("beta_1", options.beta1);
  left.take("beta_2", options.beta2);
  if (name == "adam" || name == "adamw") {
    options.epsilon_hat = true;
    left.take("amsgrad", options.amsgrad);
    if (name == "adamw") options.weight_decay = 0.004;
  }
  if (name == "nadam" && before_2_11) {
    options.schedule_decay = 0.004;
    left.take("decay", options.schedule_decay);  // TensorFlow's Keras calls it so
    left.take("schedule_decay", options.schedule_decay);
  }
}

KerasTraining understood(const store::KerasFile& file) {
  nn::KerasOptimizer optimizer = nn::keras_optimizer(file.training_config);
  const std::string name = lower(optimizer.kind);
  constexpr std::string_view known[] = {"sgd",     "adam",    "adamw", "nadam",
                                        "rmsprop", "adagrad", "adamax"};
  if (std::ranges::find(known, name) == std::end(known)) {
    throw UsageError(fmt::format("its optimizer {} is not supported: there are {}", optimizer.kind,
                                 "SGD, Adam, AdamW, Nadam, RMSprop, Adagrad and Adamax"));
  }
  OptionsLeft left(optimizer, "the optimizer " + optimizer.kind);
  // The optimisers before 2.11 always have one of these, and those since never.
  const bool before_2_11 = left.has("decay") || left.has("schedule_decay") || left.has("lr");
  KerasTraining training;
  optim::OptimizerOptions& options = training.optimizer;
  options.name = name;
  options.decoupled_decay = true;
  take_own_options(name, before_2_11, left, options);
  left.take("lr", options.learning_rate);  // Keras before 2.3
  left.take("learning_rate", options.learning_rate);
  left.take("weight_decay", options.weight_decay);
  left.take("clipvalue", options.clip_value);
  left.take("clipnorm",
            clips_globally(file.keras_version) ? options.global_clip_norm : options.clip_norm);
  left.take("global_clipnorm", options.global_clip_norm);
  const double decay = left.take("decay").value_or(0);
  if (optimizer.schedule) {
    if (decay != 0) throw UsageError("a decay and a learning-rate schedule are not supported");
    const Rate rate = rate_of(*optimizer.schedule);
    options.learning_rate = rate.base;
    training.schedule = rate.schedule;
  } else if (decay != 0) {
    training.schedule = fmt::format("inverse:rate={}", decay);
  }
  left.ignore({"is_legacy_optimizer", "jit_compile", "ema_momentum"});
  if (!left.has("use_ema") || left.take("use_ema").value_or(0) == 0) {
    left.ignore({"ema_overwrite_frequency"});
  } else {
    throw UsageError(fmt::format("the optimizer {}: use_ema is not supported", optimizer.kind));
  }
  left.expect_none();
  static_cast<void>(optim::make_optimizer(options, 0));
  static_cast<void>(optim::make_schedule(training.schedule));
  return training;
}

}  // namespace

KerasTraining optimizer_of(const store::KerasFile& file, const std::string& where) {
  try {
    return understood(file);
  } catch (const UsageError& error) {
    throw InputError(where, fmt::format("{}; choose another with --optimizer, --lr and --schedule",
                                        error.what()));
  }
}

}  // namespace daig::launcher
