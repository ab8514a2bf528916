#include "hdf5_bytes.hpp"

namespace daig::store::hdf5 {

std::uint64_t little_endian(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = at + count; i-- > at;) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

std::string_view Cursor::take(std::uint64_t count) {
  if (count > bytes_.size()) throw Failure("is longer than its place");
  const std::string_view taken = bytes_.substr(0, count);
  bytes_.remove_prefix(count);
  return taken;
}

std::string_view Cursor::text() {
  const std::size_t end = bytes_.find('\0');
  if (end == std::string_view::npos) throw Failure("has a name without end");
  return take(end + 1);
}

FileBytes::FileBytes(hid_t file, const std::filesystem::path& path)
    : bytes_(path, std::ios::binary) {
  bytes_.seekg(0, std::ios::end);
  const std::streamoff size = bytes_.tellg();
  if (size < 0) throw Failure("the file cannot be read");
  size_ = static_cast<std::uint64_t>(size);
  const Handle creation(H5Fget_create_plist(file), H5Pclose, "the file's properties");
  std::size_t address_bytes = 0;
  std::size_t length_bytes = 0;
  hsize_t user_block = 0;
  checked(H5Pget_sizes(creation.get(), &address_bytes, &length_bytes), "the file's properties");
  checked(H5Pget_userblock(creation.get(), &user_block), "the file's properties");
  if (address_bytes != 8 || length_bytes != 8) {
    throw Failure("the file's addresses and lengths are not of 64 bits");
  }
  base_ = user_block;
  haddr_t end = 0;
  checked(H5Fget_eoa(file, &end), "the file's end");
  end_ = end;
  check_base();
}

/// HDF5 1.10 corrects it half: some of what it reads then lies elsewhere than the rest.
void FileBytes::check_base() {
  // The superblock (II.A to II.C): a signature of 8 bytes, and the version.
  const std::vector<char> start = read(0, 64);
  const auto version = static_cast<unsigned char>(start[8]);
  const std::size_t at = version == 0 ? 24 : version == 1 ? 28 : 12;
  if (little_endian({start.data(), start.size()}, at, 8) != base_) {
    throw Failure("the file says that its addresses begin elsewhere than they do");
  }
}

void FileBytes::expect_inside(std::uint64_t address, std::uint64_t count) const {
  std::uint64_t begin = 0;
  if (address > end_ || count > end_ - address || __builtin_add_overflow(base_, address, &begin) ||
      begin > size_ || count > size_ - begin) {
    throw Failure("lies beyond the end of the file");
  }
}

std::vector<char> FileBytes::read(std::uint64_t address, std::size_t count) {
  expect_inside(address, count);
  std::vector<char> bytes(count);
  bytes_.clear();
  bytes_.seekg(static_cast<std::streamoff>(base_ + address));
  bytes_.read(bytes.data(), static_cast<std::streamsize>(count));
  if (!bytes_) throw Failure("cannot be read by the system");
  return bytes;
}

std::uint64_t FileBytes::number(std::uint64_t address, std::size_t bytes) {
  const std::vector<char> found = read(address, bytes);
  return little_endian({found.data(), found.size()}, 0, bytes);
}

}  // namespace daig::store::hdf5
