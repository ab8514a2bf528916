#pragma once

/// What a categorical cross-entropy makes of labels.

#include <daig/nn/loss.hpp>

namespace daig::nn {

/// Classes are always taken, as what they are or in the place of one-hot targets.
struct CategoricalLabels {
  enum class Kinds { classes, classes_or_targets };

  Kinds kinds = Kinds::classes;
  /// From 0 to 1: the part of each target that is spread evenly over the classes. Source: Szegedy
  /// et al., Rethinking the Inception Architecture for Computer Vision (2016), section 7.
  double smoothing = 0;

  bool take(LabelKind kind) const {
    return kind == LabelKind::classes || kinds == Kinds::classes_or_targets;
  }
};

}  // namespace daig::nn
