#pragma once

/// Where each named parameter lies in the flat array of weights.

#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <daig/core/error.hpp>

namespace daig::model {

/// One named array, e.g. "dense_1/kernel" of shape {784, 256}, row-major.
struct Parameter {
  std::string name;
  std::vector<std::size_t> shape;
  std::size_t offset = 0;  ///< of its first element in the flat array, in elements

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

  const std::vector<Parameter>& parameters() const { return parameters_; }
  /// Number of elements of the flat array.
  std::size_t size() const { return size_; }

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
  parameters_.push_back({std::move(name), std::move(shape), size_});
  size_ += elements;
  return parameters_.back();
}

}  // namespace daig::model
