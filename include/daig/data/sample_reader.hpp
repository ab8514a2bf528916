#pragma once

/// What an array of samples is read from: one file of some format, or several as one.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <daig/data/element_type.hpp>
#include <daig/data/shape.hpp>

namespace daig::data {

/// Where a sample lies, for errors.
struct Place {
  std::string name;  ///< the file's path, and what in the file
  std::uint64_t sample = 0;
};

/// Reads samples of one type and shape. Any thread may read.
class SampleReader {
 public:
  /// @param shape  first axis: samples; no extent is 0
  SampleReader(std::string name, ElementType type, Shape shape)
      : name_(std::move(name)), type_(type), shape_(std::move(shape)) {}
  SampleReader(const SampleReader&) = delete;
  SampleReader& operator=(const SampleReader&) = delete;
  SampleReader(SampleReader&&) = delete;
  SampleReader& operator=(SampleReader&&) = delete;
  virtual ~SampleReader() = default;

  /// What errors call it.
  const std::string& name() const { return name_; }
  ElementType type() const { return type_; }
  const Shape& shape() const { return shape_; }

  /// Fills `into` with samples first ... first + count - 1 in native byte order, last index
  /// fastest. Expects them to exist, and `into` to have their size.
  /// @throws InputError naming the file when it is damaged, IoError when the system refuses.
  virtual void read(std::uint64_t first, std::uint64_t count, std::span<std::byte> into) const = 0;

  virtual Place locate(std::uint64_t sample) const { return {name_, sample}; }

 private:
  std::string name_;
  ElementType type_;
  Shape shape_;
};

using SampleReaderPtr = std::shared_ptr<const SampleReader>;

}  // namespace daig::data
