#pragma once

/// What the size of a parameter's values costs.

namespace daig::model {

/// Adds l1 |w| + l2 w^2 for each value w to the loss of every sample, as Keras means it: weight
/// decay of an optimiser counts half of that, (l2 / 2) w^2.
struct Regularizer {
  double l1 = 0;
  double l2 = 0;

  bool any() const { return l1 != 0 || l2 != 0; }
  bool operator==(const Regularizer&) const = default;
};

}  // namespace daig::model
