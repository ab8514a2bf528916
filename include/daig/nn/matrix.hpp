#pragma once

/// A view of a row-major matrix: in this folder mostly a batch, one sample a row.

#include <cstddef>
#include <span>

#include <daig/core/error.hpp>

namespace daig::nn {

/// Rows without gaps between them. T is const for a matrix that is only read.
template <class T>
class Matrix {
 public:
  Matrix() = default;
  /// Expects rows * columns values.
  Matrix(std::span<T> values, std::size_t rows, std::size_t columns)
      : values_(values), rows_(rows), columns_(columns) {
    expects(values.size() == rows * columns, "rows * columns values");
  }
  /// A Matrix<T> is read as a Matrix<const T>.
  operator Matrix<const T>() const { return {values_, rows_, columns_}; }

  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }
  std::span<T> values() const { return values_; }
  std::span<T> row(std::size_t index) const { return values_.subspan(index * columns_, columns_); }
  /// `count` rows from `first` on.
  Matrix slice(std::size_t first, std::size_t count) const {
    return {values_.subspan(first * columns_, count * columns_), count, columns_};
  }
  /// The same values as rows of this many columns. Expects that they are whole rows.
  Matrix by_columns(std::size_t columns) const {
    return {values_, values_.size() / columns, columns};
  }
  bool empty() const { return values_.empty(); }

 private:
  std::span<T> values_;
  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
};

}  // namespace daig::nn
