#pragma once

/// What layers that normalise have in common: a factor gamma and a summand beta for each channel.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/model/layout.hpp>
#include <daig/nn/layer.hpp>
#include <daig/nn/normalization.hpp>

namespace daig::nn {

/// Which of the two there are.
struct Affine {
  bool gamma = true;  ///< Keras: scale
  bool beta = true;   ///< Keras: center
};

/// The meaning of such a layer's first weights: "NAME/gamma" {channels} and "NAME/beta" {channels},
/// as far as they are used. Channels are a sample's last axis.
template <class T>
class GammaAndBeta {
 public:
  /// @throws UsageError for a shape without axes.
  GammaAndBeta(std::string name, const Shape& shape, Affine affine);

  std::size_t channels() const { return channels_; }
  /// "NAME/part".
  std::string parameter(const char* part) const { return name_ + "/" + part; }

  /// Number of weights.
  std::size_t size() const {
    return (affine_.gamma ? channels_ : 0) + (affine_.beta ? channels_ : 0);
  }
  void declare(model::Layout& layout) const;
  /// Gamma 1, beta 0.
  void initialise(std::span<T> weights) const;

  /// The layer's part, or nothing when it is not used, as Normalization has it; also of a gradient,
  /// and of nothing at all.
  template <class U>
  std::span<U> gamma(std::span<U> weights) const {
    return affine_.gamma && !weights.empty() ? weights.first(channels_) : std::span<U>();
  }
  template <class U>
  std::span<U> beta(std::span<U> weights) const {
    return affine_.beta && !weights.empty() ? weights.first(size()).last(channels_)
                                            : std::span<U>();
  }

 private:
  std::string name_;
  std::size_t channels_;
  Affine affine_;
};

namespace detail {

/// @throws UsageError unless it keeps a division from being by zero.
template <class T>
T checked_epsilon(double epsilon) {
  const T value = static_cast<T>(epsilon);
  if (value > 0 && std::isfinite(value)) return value;
  throw UsageError(fmt::format(
      "epsilon {} makes no sense: it keeps a division from being by zero, 0.001 is usual",
      epsilon));
}

}  // namespace detail

// ---------------------------------------------------------------------------------------------

template <class T>
GammaAndBeta<T>::GammaAndBeta(std::string name, const Shape& shape, Affine affine)
    : name_(std::move(name)), channels_(shape.empty() ? 0 : shape.back()), affine_(affine) {
  if (elements(shape) == 0 || channels_ == 0) {
    throw UsageError("what has no channels cannot be normalised: its last axis has none");
  }
}

template <class T>
void GammaAndBeta<T>::declare(model::Layout& layout) const {
  if (affine_.gamma) layout.add(parameter("gamma"), {channels_});
  if (affine_.beta) layout.add(parameter("beta"), {channels_});
}

template <class T>
void GammaAndBeta<T>::initialise(std::span<T> weights) const {
  std::ranges::fill(gamma(weights), T{1});
  std::ranges::fill(beta(weights), T{0});
}

}  // namespace daig::nn
