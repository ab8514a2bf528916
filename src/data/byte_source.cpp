#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/data/byte_source.hpp>

#include "file.hpp"

namespace daig::data {
namespace {

class FileBytes final : public ByteSource {
 public:
  FileBytes(std::string name, detail::File file)
      : ByteSource(std::move(name)), file_(std::move(file)), size_(file_.size()) {}

  std::uint64_t size() const override { return size_; }

  void read(std::uint64_t offset, std::span<std::byte> into) const override {
    expects(offset <= size_ && into.size() <= size_ - offset, "bytes within the file");
    const std::size_t got = file_.read_at(offset, into);
    if (got == into.size()) return;
    throw InputError(name(), fmt::format("had {} bytes when it was opened and now ends at byte {}; "
                                         "leave data files alone while a run reads them",
                                         size_, offset + got));
  }

 private:
  detail::File file_;
  std::uint64_t size_;
};

class MemoryBytes final : public ByteSource {
 public:
  MemoryBytes(std::string name, std::vector<std::byte> bytes)
      : ByteSource(std::move(name)), bytes_(std::move(bytes)) {}

  std::uint64_t size() const override { return bytes_.size(); }

  void read(std::uint64_t offset, std::span<std::byte> into) const override {
    expects(offset <= size() && into.size() <= size() - offset, "bytes within the memory");
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
  }

 private:
  std::vector<std::byte> bytes_;
};

class PartOfBytes final : public ByteSource {
 public:
  PartOfBytes(ByteSourcePtr whole, std::uint64_t offset, std::uint64_t size, std::string name)
      : ByteSource(std::move(name)), whole_(std::move(whole)), offset_(offset), size_(size) {}

  std::uint64_t size() const override { return size_; }

  void read(std::uint64_t offset, std::span<std::byte> into) const override {
    expects(offset <= size_ && into.size() <= size_ - offset, "bytes within the part");
    whole_->read(offset_ + offset, into);
  }

 private:
  ByteSourcePtr whole_;
  std::uint64_t offset_;
  std::uint64_t size_;
};

}  // namespace

ByteSourcePtr open_file(const std::filesystem::path& path) {
  return detail::bytes_of(path.native(), detail::File::open(path));
}

ByteSourcePtr bytes_in_memory(std::string name, std::vector<std::byte> bytes) {
  return std::make_shared<const MemoryBytes>(std::move(name), std::move(bytes));
}

ByteSourcePtr part_of(ByteSourcePtr whole, std::uint64_t offset, std::uint64_t size,
                      std::string name) {
  expects(offset <= whole->size() && size <= whole->size() - offset, "a part within the whole");
  return std::make_shared<const PartOfBytes>(std::move(whole), offset, size, std::move(name));
}

ByteSourcePtr detail::bytes_of(std::string name, File file) {
  return std::make_shared<const FileBytes>(std::move(name), std::move(file));
}

}  // namespace daig::data
