#pragma once

/// Where each named parameter lies in the flat array of weights.

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <daig/core/error.hpp>
#include <daig/model/regularizer.hpp>

namespace daig::model {

/// What a step does to a parameter.
enum class Role {
  trained,   ///< the optimiser moves it
  frozen,    ///< nothing
  statistic  ///< it follows what the batches' samples are like; see Parameter::momentum
};

/// One named array, e.g. "dense_1/kernel" of shape {784, 256}, row-major.
struct Parameter {
  std::string name;
  std::vector<std::size_t> shape;
  std::size_t offset = 0;  ///< of its first element in the flat array, in elements
  Role role = Role::trained;
  /// Of a statistic, what a step keeps: new = momentum old + (1 - momentum) batch's. In a gradient
  /// its place holds samples (old - batch's), so that sums of gradients are sums of these, too.
  double momentum = 0;
  Regularizer regularizer;  ///< of a trained one

  /// Number of elements; 1 for a scalar, whose shape is {}.
  std::size_t size() const;
};

/// The parameters of a model, one after the other without gaps, in the order they were added.
class Layout {
 public:
  /// Appends a parameter and returns its place, valid until the next is added. Expects a name not
  /// used before and a number of elements that a size can count: check shapes from files first.
  /// Cost: compares with every earlier name.
  const Parameter& add(std::string name, std::vector<std::size_t> shape);
  /// The same for a statistic. Expects a momentum from 0 to 1.
  const Parameter& add_statistic(std::string name, std::vector<std::size_t> shape, double momentum);
  /// Freezes a parameter, whatever it was. Expects an index of `parameters`, here and below.
  void freeze(std::size_t index);
  /// Expects a trained one.
  void regularize(std::size_t index, const Regularizer& regularizer);

  const std::vector<Parameter>& parameters() const { return parameters_; }
  /// Number of elements of the flat array.
  std::size_t size() const { return size_; }
  /// Whether there is none of this role.
  bool has_none(Role role) const;

 private:
  std::vector<Parameter> parameters_;
  std::size_t size_ = 0;
};

// ---------------------------------------------------------------------------------------------

inline std::size_t Parameter::size() const {
  std::size_t elements = 1;
  for (const std::size_t extent : shape) elements *= extent;
  return elements;
}

inline const Parameter& Layout::add(std::string name, std::vector<std::size_t> shape) {
  for (const Parameter& known : parameters_) {
    expects(known.name != name, "parameter names that differ");
  }
  std::size_t elements = 1;
  for (const std::size_t extent : shape) {
    expects(extent == 0 || elements <= std::numeric_limits<std::size_t>::max() / extent,
            "a shape whose elements can be counted");
    elements *= extent;
  }
  expects(elements <= std::numeric_limits<std::size_t>::max() - size_,
          "a model whose elements can be counted");
  parameters_.push_back({std::move(name), std::move(shape), size_, Role::trained, 0, {}});
  size_ += elements;
  return parameters_.back();
}

inline const Parameter& Layout::add_statistic(std::string name, std::vector<std::size_t> shape,
                                              double momentum) {
  expects(momentum >= 0 && momentum <= 1, "a momentum from 0 to 1");
  add(std::move(name), std::move(shape));
  parameters_.back().role = Role::statistic;
  parameters_.back().momentum = momentum;
  return parameters_.back();
}

inline void Layout::freeze(std::size_t index) {
  expects(index < parameters_.size(), "a parameter of the layout");
  Parameter& parameter = parameters_[index];
  parameter.role = Role::frozen;
  parameter.momentum = 0;
  parameter.regularizer = {};
}

inline void Layout::regularize(std::size_t index, const Regularizer& regularizer) {
  expects(index < parameters_.size() && parameters_[index].role == Role::trained,
          "a trained parameter of the layout");
  parameters_[index].regularizer = regularizer;
}

inline bool Layout::has_none(Role role) const {
  return std::ranges::none_of(parameters_,
                              [role](const Parameter& known) { return known.role == role; });
}

}  // namespace daig::model
