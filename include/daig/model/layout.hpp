#pragma once

/// Where each named parameter lies in the flat array of weights.

#include <cstddef>
#include <string>
#include <vector>

#include <daig/core/error.hpp>

namespace daig::model {

/// One named array, e.g. "dense_1/kernel" of shape {784, 256}, row-major.
struct Parameter {
  std::string name;
  std::vector<std::size_t> shape;
  std::size_t offset = 0;  ///< of its first element in the flat array, in elements

  std::size_t size() const {
    std::size_t elements = 1;
    for (const std::size_t extent : shape) elements *= extent;
    return elements;
  }
};

/// The parameters of a model, one after the other without gaps, in the order they were added.
class Layout {
 public:
  /// Appends a parameter and returns its place. Expects a name not used before.
  const Parameter& add(std::string name, std::vector<std::size_t> shape);

  const std::vector<Parameter>& parameters() const { return parameters_; }
  /// Number of elements of the flat array.
  std::size_t size() const { return size_; }

 private:
  std::vector<Parameter> parameters_;
  std::size_t size_ = 0;
};

// ---------------------------------------------------------------------------------------------

inline const Parameter& Layout::add(std::string name, std::vector<std::size_t> shape) {
  for (const Parameter& known : parameters_) {
    expects(known.name != name, "parameter names that differ, not twice " + name);
  }
  parameters_.push_back({std::move(name), std::move(shape), size_});
  size_ += parameters_.back().size();
  return parameters_.back();
}

}  // namespace daig::model
