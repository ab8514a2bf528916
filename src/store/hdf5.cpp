#include "hdf5.hpp"

#include <algorithm>
#include <exception>

#include <fmt/format.h>

namespace daig::store::hdf5 {

namespace {

std::mutex& library_mutex() {
  static std::mutex mutex;
  return mutex;
}

/// A link to another file could name any file of the machine: it is not followed.
herr_t refuse_other_file(const char* /*parent_file*/, const char* /*parent_group*/,
                         const char* /*child_file*/, const char* /*child_object*/,
                         unsigned* /*flags*/, hid_t /*access*/, void* /*data*/) {
  return -1;
}

/// The format of HDF5 1.8: read by everything since 2008, and its metadata carries checksums.
Handle file_access(H5F_libver_t from = H5F_LIBVER_V18, H5F_libver_t to = H5F_LIBVER_V18) {
  Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "file access");
  checked(H5Pset_libver_bounds(access.get(), from, to), "file access");
  checked(H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG), "file access");
#if H5_VERSION_GE(1, 10, 7)
  // Files are written under a name of their own and read when whole: nothing is to be locked, and
  // many cluster file systems cannot.
  checked(H5Pset_file_locking(access.get(), false, true), "file access");
#endif
  return access;
}

Handle open_attribute(hid_t object, const char* name) {
  return Handle(H5Aopen(object, name, H5P_DEFAULT), H5Aclose,
                fmt::format("the attribute '{}' cannot be opened", name));
}

void write_scalar(hid_t object, const char* name, hid_t stored, hid_t held, const void* value) {
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose, name);
  const Handle attribute(H5Acreate2(object, name, stored, space.get(), H5P_DEFAULT, H5P_DEFAULT),
                         H5Aclose, fmt::format("the attribute '{}' cannot be created", name));
  checked(H5Awrite(attribute.get(), held, value),
          fmt::format("the attribute '{}' cannot be written", name));
}

void read_scalar(hid_t object, const char* name, hid_t stored, hid_t held, const char* kind,
                 void* value) {
  const Handle attribute = open_attribute(object, name);
  const Handle type(H5Aget_type(attribute.get()), H5Tclose, name);
  const Handle space(H5Aget_space(attribute.get()), H5Sclose, name);
  if (H5Tequal(type.get(), stored) <= 0 || H5Sget_simple_extent_type(space.get()) != H5S_SCALAR) {
    throw Failure(fmt::format("the attribute '{}' is not one {}", name, kind));
  }
  checked(H5Aread(attribute.get(), held, value),
          fmt::format("the attribute '{}' cannot be read", name));
}

/// Names that HDF5 hands out one by one; carries an exception past its C frames.
class NameList {
 public:
  explicit NameList(std::size_t max_names = SIZE_MAX) : max_names_(max_names) {}

  herr_t add(const char* name) noexcept {
    try {
      if (names_.size() == max_names_) throw Failure(fmt::format("more than {} names", max_names_));
      names_.emplace_back(name);
      return 0;
    } catch (...) {
      error_ = std::current_exception();
      return -1;
    }
  }

  std::vector<std::string> take(herr_t result, std::string_view what) && {
    if (error_) std::rethrow_exception(error_);
    checked(result, what);
    return std::move(names_);
  }

 private:
  std::size_t max_names_;
  std::vector<std::string> names_;
  std::exception_ptr error_;
};

}  // namespace

Session::Session() : lock_(library_mutex()) {
  // Every handle here has an owner, so nothing is left to close when the process ends; and HDF5's
  // own closing goes round in circles, aloud, when a thread that has used it ended before, or after
  // a damaged file, as HDF5 1.10 forgets to release what it could not open.
  [[maybe_unused]] static const herr_t no_exit_handler = H5dont_atexit();
  H5Eget_auto2(H5E_DEFAULT, &print_, &print_data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Session::~Session() {
  H5Eset_auto2(H5E_DEFAULT, print_, print_data_);
}

std::string reason() {
  std::string text;
  const auto keep_innermost = [](unsigned /*depth*/, const H5E_error2_t* error, void* found) {
    if (error->desc != nullptr) *static_cast<std::string*>(found) = error->desc;
    return herr_t{0};
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, keep_innermost, &text);
  // Where the system refused something, its own words say it best.
  constexpr std::string_view mark = "error message = '";
  if (const std::size_t at = text.find(mark); at != std::string::npos) {
    text = text.substr(at + mark.size());
    text = text.substr(0, text.find('\''));
  }
  return text.empty() ? "HDF5 gives no reason" : text;
}

Handle::Handle(hid_t id, Close how, std::string_view what) : id_(checked(id, what)), close_(how) {}

void Handle::close(std::string_view what) {
  checked(close_(std::exchange(id_, -1)), what);
}

Handle create_file(const std::filesystem::path& path) {
  return Handle(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, file_access().get()), H5Fclose,
                "the file cannot be created");
}

Handle open_file(const std::filesystem::path& path) {
  const Handle access = file_access();  // HDF5 forgets its reasons when this is closed
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get());
  if (file < 0 && reason().find("superblock version exceeds") != std::string::npos) {
    throw Failure(
        "the file is in a format later than HDF5 1.8's; 'h5repack -l CONTI --high=1 OLD NEW' "
        "makes an earlier one");
  }
  return Handle(file, H5Fclose, "the file cannot be opened");
}

Handle open_file_to_change(const std::filesystem::path& path) {
  const Handle access = file_access(H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST);
  return Handle(H5Fopen(path.c_str(), H5F_ACC_RDWR, access.get()), H5Fclose,
                "the file cannot be opened");
}

Handle link_access() {
  Handle access(H5Pcreate(H5P_LINK_ACCESS), H5Pclose, "link access");
  checked(H5Pset_elink_cb(access.get(), refuse_other_file, nullptr), "link access");
  return access;
}

Handle open_object(hid_t location, const std::string& path) {
  return Handle(H5Oopen(location, path.c_str(), link_access().get()), H5Oclose,
                fmt::format("{} cannot be opened", path));
}

Handle create_group(hid_t file, const std::string& path) {
  const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose, path);
  checked(H5Pset_create_intermediate_group(links.get(), 1), path);
  return Handle(H5Gcreate2(file, path.c_str(), links.get(), H5P_DEFAULT, H5P_DEFAULT), H5Gclose,
                fmt::format("{} cannot be created", path));
}

Handle as_group(Handle object, const std::string& path) {
  if (H5Iget_type(object.get()) == H5I_GROUP) return object;
  throw Failure(fmt::format("{} is not a group", path));
}

Handle open_group(hid_t file, const std::string& path) {
  return as_group(open_object(file, path), path);
}

void write_array(hid_t file, const std::string& path, std::span<const std::size_t> shape,
                 std::span<const float> values) {
  const std::vector<hsize_t> extents(shape.begin(), shape.end());
  const Handle space(
      shape.empty() ? H5Screate(H5S_SCALAR)
                    : H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr),
      H5Sclose, path);
  const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose, path);
  checked(H5Pset_create_intermediate_group(links.get(), 1), path);
  Handle data(H5Dcreate2(file, path.c_str(), H5T_IEEE_F32LE, space.get(), links.get(), H5P_DEFAULT,
                         H5P_DEFAULT),
              H5Dclose, fmt::format("{} cannot be created", path));
  if (!values.empty()) {
    checked(H5Dwrite(data.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
            fmt::format("{} cannot be written", path));
  }
  data.close(fmt::format("{} cannot be written", path));
}

Array::Array(hid_t file, const std::string& path) : path_(path), data_(open_object(file, path)) {
  if (H5Iget_type(data_.get()) != H5I_DATASET) {
    throw Failure(fmt::format("{} is not an array", path));
  }
  const Handle type(H5Dget_type(data_.get()), H5Tclose, path);
  if (H5Tequal(type.get(), H5T_IEEE_F32LE) <= 0) {
    throw Failure(fmt::format("{} does not hold 32-bit little-endian floats", path));
  }
  const Handle space(H5Dget_space(data_.get()), H5Sclose, path);
  const int rank = checked(H5Sget_simple_extent_ndims(space.get()), path);
  std::vector<hsize_t> extents(static_cast<std::size_t>(rank));
  checked(H5Sget_simple_extent_dims(space.get(), extents.data(), nullptr), path);
  if (H5Sget_simple_extent_type(space.get()) == H5S_NULL) {
    throw Failure(fmt::format("{} has no shape", path));
  }
  for (const hsize_t extent : extents) {
    if (__builtin_mul_overflow(size_, extent, &size_)) {
      throw Failure(fmt::format("{} has an absurd shape", path));
    }
    shape_.push_back(extent);
  }
  const Handle creation(H5Dget_create_plist(data_.get()), H5Pclose, path);
  if (H5Pget_layout(creation.get()) != H5D_CONTIGUOUS ||
      H5Pget_external_count(creation.get()) != 0) {
    throw Failure(
        fmt::format("{} is not stored in one piece; 'h5repack -l CONTI' makes such a file", path));
  }
  const hsize_t stored = H5Dget_storage_size(data_.get());
  std::size_t expected = 0;
  if (__builtin_mul_overflow(size_, sizeof(float), &expected) || stored != expected) {
    throw Failure(
        fmt::format("{} holds {} bytes, too few or too many for its shape", path, stored));
  }
}

void Array::read(std::span<float> values) const {
  expects(values.size() == size_, "room for the whole array");
  if (values.empty()) return;
  checked(H5Dread(data_.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
          fmt::format("{} cannot be read", path_));
}

bool has_attribute(hid_t object, const char* name) {
  return checked(H5Aexists(object, name),
                 fmt::format("the attribute '{}' cannot be sought", name)) > 0;
}

void write_attribute(hid_t object, const char* name, std::string_view value) {
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose, name);
  checked(H5Tset_size(type.get(), std::max<std::size_t>(1, value.size())), name);
  checked(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), name);
  checked(H5Tset_cset(type.get(), H5T_CSET_UTF8), name);
  write_scalar(object, name, type.get(), type.get(), value.empty() ? "" : value.data());
}

void write_attribute(hid_t object, const char* name, std::uint64_t value) {
  write_scalar(object, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, &value);
}

void write_attribute(hid_t object, const char* name, double value) {
  write_scalar(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
}

std::string read_text(hid_t object, const char* name, std::size_t max_bytes) {
  const Handle attribute = open_attribute(object, name);
  const Handle type(H5Aget_type(attribute.get()), H5Tclose, name);
  const Handle space(H5Aget_space(attribute.get()), H5Sclose, name);
  // Only text of a fixed length, inside the attribute: text of variable length lies in a heap that
  // has no checksum.
  if (H5Tget_class(type.get()) != H5T_STRING || H5Tis_variable_str(type.get()) != 0 ||
      H5Sget_simple_extent_type(space.get()) != H5S_SCALAR) {
    throw Failure(fmt::format("the attribute '{}' is not one text of fixed length", name));
  }
  const std::size_t size = H5Tget_size(type.get());
  if (size > max_bytes) {
    throw Failure(fmt::format("the attribute '{}' has an absurd length of {}", name, size));
  }
  std::string text(size, '\0');
  checked(H5Aread(attribute.get(), type.get(), text.data()),
          fmt::format("the attribute '{}' cannot be read", name));
  text.resize(text.find_last_not_of('\0') + 1);  // npos + 1 is 0
  return text;
}

std::uint64_t read_integer(hid_t object, const char* name) {
  std::uint64_t value = 0;
  read_scalar(object, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, "unsigned 64-bit integer", &value);
  return value;
}

double read_real(hid_t object, const char* name) {
  double value = 0;
  read_scalar(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, "64-bit float", &value);
  return value;
}

std::vector<std::string> attribute_names(hid_t object) {
  NameList names;
  const auto keep = [](hid_t /*location*/, const char* name, const H5A_info_t* /*info*/,
                       void* list) { return static_cast<NameList*>(list)->add(name); };
  const herr_t result = H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, nullptr, keep, &names);
  return std::move(names).take(result, "the attributes cannot be listed");
}

std::vector<std::string> link_names(hid_t group, std::size_t max_names) {
  NameList names(max_names);
  const auto keep = [](hid_t /*location*/, const char* name, const H5L_info_t* /*info*/,
                       void* list) { return static_cast<NameList*>(list)->add(name); };
  const herr_t result = H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, keep, &names);
  return std::move(names).take(result, "a group cannot be listed");
}

}  // namespace daig::store::hdf5
