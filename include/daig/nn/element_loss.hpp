#pragma once

/// Losses that compare each output with a target of its own.

#include <array>
#include <string_view>
#include <utility>

namespace daig::nn {

/// A sample's loss is the mean over its outputs y with targets t, as Keras has it; epsilon is 1e-7:
///
/// squared_error                (y - t)^2
/// absolute_error               |y - t|
/// absolute_percentage_error    100 |y - t| / max(|t|, epsilon)
/// squared_logarithmic_error    (log(max(y, epsilon) + 1) - log(max(t, epsilon) + 1))^2
/// huber                        (y - t)^2 / 2 up to |y - t| = delta, beyond it
///                              delta (|y - t| - delta / 2)
/// log_cosh                     log(cosh(y - t))
/// poisson                      y - t log(y + epsilon)
/// hinge                        max(1 - t y, 0), a target of 0 being read as -1
/// squared_hinge                the square of that
/// kl_divergence                t log(t / y), both clipped to epsilon ... 1; the *sum* over the
/// outputs
struct ElementLoss {
  enum class Kind {
    squared_error,
    absolute_error,
    absolute_percentage_error,
    squared_logarithmic_error,
    huber,
    log_cosh,
    poisson,
    hinge,
    squared_hinge,
    kl_divergence
  };

  Kind kind = Kind::squared_error;
  double delta = 1;  ///< for huber: above 0
};

/// As Keras names the function; but "mse", as in a spec.
constexpr std::string_view name(ElementLoss::Kind kind);

// ---------------------------------------------------------------------------------------------

namespace detail {

inline constexpr std::array<std::pair<ElementLoss::Kind, std::string_view>, 10> element_loss_names{
    {{ElementLoss::Kind::squared_error, "mse"},
     {ElementLoss::Kind::absolute_error, "mean_absolute_error"},
     {ElementLoss::Kind::absolute_percentage_error, "mean_absolute_percentage_error"},
     {ElementLoss::Kind::squared_logarithmic_error, "mean_squared_logarithmic_error"},
     {ElementLoss::Kind::huber, "huber"},
     {ElementLoss::Kind::log_cosh, "log_cosh"},
     {ElementLoss::Kind::poisson, "poisson"},
     {ElementLoss::Kind::hinge, "hinge"},
     {ElementLoss::Kind::squared_hinge, "squared_hinge"},
     {ElementLoss::Kind::kl_divergence, "kl_divergence"}}};

}  // namespace detail

constexpr std::string_view name(ElementLoss::Kind kind) {
  for (const auto& [known, its_name] : detail::element_loss_names) {
    if (known == kind) return its_name;
  }
  return "unknown";
}

}  // namespace daig::nn
