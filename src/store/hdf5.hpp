#pragma once

/// HDF5's C interface with owners and checked calls. HDF5 must be called by one thread at a time:
/// hold a Session around every use.

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hdf5.h>

#include <daig/core/error.hpp>

namespace daig::store::hdf5 {

/// A call of HDF5 that did not work; the text holds HDF5's reason.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The right to use HDF5, whose errors stay off the terminal meanwhile.
class Session {
 public:
  Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  Session(Session&&) = delete;
  Session& operator=(Session&&) = delete;
  ~Session();

 private:
  std::unique_lock<std::mutex> lock_;
  H5E_auto2_t print_ = nullptr;
  void* print_data_ = nullptr;
};

/// Owns one HDF5 identifier of any kind.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);

  /// @throws Failure naming `what` when the call that gave the identifier did not work.
  Handle(hid_t id, Close how, std::string_view what);
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }

  hid_t get() const { return id_; }
  /// Closes now, to learn whether that worked. @throws Failure
  void close(std::string_view what);

 private:
  hid_t id_;
  Close close_;
};

/// @throws Failure naming `what` and HDF5's reason when a call returned a negative value.
template <class Result>
Result checked(Result result, std::string_view what);

Handle create_file(const std::filesystem::path& path);
Handle open_file(const std::filesystem::path& path);
/// Opens a file of another program's to change values in it; its format stays as it is.
Handle open_file_to_change(const std::filesystem::path& path);

/// How links are followed: none to another file.
Handle link_access();

/// Opens whatever lies at a path. A link to another file, which could be any of the machine, is not
/// followed. @throws Failure when there is nothing.
Handle open_object(hid_t location, const std::string& path);

/// The object, where it is a group. @throws Failure naming it where it is not.
Handle as_group(Handle object, const std::string& path);

/// Creates a group; missing groups above it too.
Handle create_group(hid_t file, const std::string& path);
/// Opens a group. @throws Failure when there is none.
Handle open_group(hid_t file, const std::string& path);

/// Writes a 32-bit float array; the groups above it come into being.
void write_array(hid_t file, const std::string& path, std::span<const std::size_t> shape,
                 std::span<const float> values);

/// A 32-bit float array that lies in one piece in the file, so that its size is bounded by the
/// file's.
class Array {
 public:
  /// @throws Failure when there is no such array, or it is stored in another way.
  Array(hid_t file, const std::string& path);

  const std::vector<std::size_t>& shape() const { return shape_; }
  std::size_t size() const { return size_; }
  /// Expects values.size() == size().
  void read(std::span<float> values) const;

 private:
  std::string path_;
  Handle data_;
  std::vector<std::size_t> shape_;
  std::size_t size_ = 1;
};

bool has_attribute(hid_t object, const char* name);
void write_attribute(hid_t object, const char* name, std::string_view value);
void write_attribute(hid_t object, const char* name, std::uint64_t value);
void write_attribute(hid_t object, const char* name, double value);

/// Reads an attribute. @throws Failure when it is missing, of another type, or longer than
/// max_bytes.
std::string read_text(hid_t object, const char* name, std::size_t max_bytes);
std::uint64_t read_integer(hid_t object, const char* name);
double read_real(hid_t object, const char* name);
std::vector<std::string> attribute_names(hid_t object);
/// What is in a group, in the order of names. @throws Failure when it is more than max_names.
std::vector<std::string> link_names(hid_t group, std::size_t max_names);

/// The innermost reason that HDF5 gives for the last failure of this thread.
std::string reason();

// ---------------------------------------------------------------------------------------------

template <class Result>
Result checked(Result result, std::string_view what) {
  if (result < 0) throw Failure(std::string(what) + " (" + reason() + ")");
  return result;
}

}  // namespace daig::store::hdf5
