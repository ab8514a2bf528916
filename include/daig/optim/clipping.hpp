#pragma once

/// Gradient clipping in front of any optimiser.
///
/// Of g = scale * gradient_sum, in Keras's three ways:
///
///     value         each number is brought into [-value, value]
///     norm          each parameter's array a becomes a * norm / max(norm, |a|)
///     global norm   the same for all arrays as one
///
/// From Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks"
/// (ICML 2013). Norms are sums of squares in double, in an order that depends on the lengths alone,
/// so that all ranks clip alike. A gradient that is no number stays so.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/optim/optimizer.hpp>

namespace daig::optim {

/// 0: not so. At most one is set.
struct ClippingOptions {
  double value = 0;
  double norm = 0;
  double global_norm = 0;

  bool clips() const { return value != 0 || norm != 0 || global_norm != 0; }
};

/// A part of the flat array of weights.
struct Range {
  std::size_t offset = 0;
  std::size_t size = 0;
};

/// An optimiser that is given clipped gradients. State: the inner one's. Cost: besides the inner
/// one's, a pass that reads the gradient and writes scratch memory, 4 bytes a weight; for norms, a
/// pass that reads it, and where they are too large, another that scales.
class Clipping {
 public:
  /// @param arrays  of the parameters: what lies in none of them is not clipped, and in no norm
  /// @throws UsageError for options outside their range, or more than one.
  Clipping(const ClippingOptions& options, std::vector<Range> arrays, std::size_t size,
           AnyOptimizer inner);

  void update(std::span<const float> weights, std::span<const float> gradient_sum, float scale,
              float learning_rate, std::span<float> new_weights);
  State state() { return inner_.state(); }

 private:
  void clip_values();
  void clip_norms();
  void clip_global_norm();
  std::span<float> part(const Range& range) {
    return std::span(gradient_).subspan(range.offset, range.size);
  }

  ClippingOptions options_;
  std::vector<Range> arrays_;
  std::vector<float> gradient_;  // clipped
  AnyOptimizer inner_;
};

// ---------------------------------------------------------------------------------------------

namespace detail {

/// Independent sums, so that the compiler can use vector registers.
inline double squared_norm(std::span<const float> values) {
  constexpr std::size_t lanes = 8;
  std::array<double, lanes> sums{};
  std::size_t at = 0;
  for (; at + lanes <= values.size(); at += lanes) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const double value = values[at + lane];
      sums[lane] += value * value;
    }
  }
  for (; at < values.size(); ++at) {
    const double value = values[at];
    sums[0] += value * value;
  }
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

inline void scale_by(std::span<float> values, double factor) {
  const auto rounded = static_cast<float>(factor);
  for (float& value : values) value *= rounded;
}

}  // namespace detail

inline Clipping::Clipping(const ClippingOptions& options, std::vector<Range> arrays,
                          std::size_t size, AnyOptimizer inner)
    : options_(options), arrays_(std::move(arrays)), gradient_(size), inner_(std::move(inner)) {
  int set = 0;
  for (const auto& [name, limit] :
       {std::pair{"clip value", options.value}, std::pair{"clip norm", options.norm},
        std::pair{"global clip norm", options.global_norm}}) {
    if (!(limit >= 0 && std::isfinite(limit))) {
      throw UsageError(
          fmt::format("{} {} makes no sense: gradients are brought down to it, it is a number "
                      "above 0, or 0 for no clipping",
                      name, limit));
    }
    set += limit != 0 ? 1 : 0;
  }
  if (set > 1) {
    throw UsageError("clip value, clip norm and global clip norm exclude each other: choose one");
  }
  for (const Range& range : arrays_) {
    expects(range.offset <= size && range.size <= size - range.offset, "arrays among the weights");
  }
}

inline void Clipping::update(std::span<const float> weights, std::span<const float> gradient_sum,
                             float scale, float learning_rate, std::span<float> new_weights) {
  detail::expect_update_arguments(gradient_.size(), weights, gradient_sum, new_weights);
  for (std::size_t i = 0; i < gradient_.size(); ++i) gradient_[i] = scale * gradient_sum[i];
  if (options_.value != 0) clip_values();
  if (options_.norm != 0) clip_norms();
  if (options_.global_norm != 0) clip_global_norm();
  inner_.update(weights, gradient_, 1, learning_rate, new_weights);
}

inline void Clipping::clip_values() {
  const auto limit = static_cast<float>(options_.value);
  for (const Range& range : arrays_) {
    for (float& value : part(range)) value = std::clamp(value, -limit, limit);
  }
}

inline void Clipping::clip_norms() {
  for (const Range& range : arrays_) {
    const double norm = std::sqrt(detail::squared_norm(part(range)));
    if (norm > options_.norm) detail::scale_by(part(range), options_.norm / norm);
  }
}

inline void Clipping::clip_global_norm() {
  double squares = 0;
  for (const Range& range : arrays_) squares += detail::squared_norm(part(range));
  const double norm = std::sqrt(squares);
  if (!(norm > options_.global_norm)) return;
  for (const Range& range : arrays_) detail::scale_by(part(range), options_.global_norm / norm);
}

}  // namespace daig::optim
