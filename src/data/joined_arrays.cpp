#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/data/joined_arrays.hpp>

namespace daig::data {
namespace {

void check_like(const ArraySource& first, const ArraySource& part) {
  if (part.type() == first.type() &&
      std::ranges::equal(part.sample_shape(), first.sample_shape())) {
    return;
  }
  throw InputError(part.name(),
                   fmt::format("holds {} of shape {} for each sample, but {}, the first of these "
                               "files, {} of shape {}; the parts of one dataset must be alike",
                               name_of(part.type()), to_text(part.sample_shape()), first.name(),
                               name_of(first.type()), to_text(first.sample_shape())));
}

Shape shape_of(const std::vector<ArraySource>& parts) {
  std::uint64_t samples = 0;
  for (const ArraySource& part : parts) {
    check_like(parts.front(), part);
    samples += part.count();
  }
  Shape shape{samples};
  const auto sample = parts.front().sample_shape();
  shape.insert(shape.end(), sample.begin(), sample.end());
  if (!elements_in(shape, size_of(parts.front().type()))) {
    throw InputError(parts.front().name(), "and the files with it hold more than 2^62 bytes");
  }
  return shape;
}

class JoinedSamples final : public SampleReader {
 public:
  explicit JoinedSamples(std::vector<ArraySource> parts)
      : SampleReader(fmt::format("{} and {} more", parts.front().name(), parts.size() - 1),
                     parts.front().type(), shape_of(parts)),
        parts_(std::move(parts)) {
    std::uint64_t end = 0;
    for (const ArraySource& part : parts_) ends_.push_back(end += part.count());
  }

  void read(std::uint64_t first, std::uint64_t count, std::span<std::byte> into) const override {
    const std::size_t sample_bytes = parts_.front().sample_bytes();
    while (count > 0) {
      const std::size_t part = part_of(first);
      const std::uint64_t here = std::min(count, ends_[part] - first);
      parts_[part].read(first - start_of(part), here, into.first(here * sample_bytes));
      into = into.subspan(here * sample_bytes);
      first += here;
      count -= here;
    }
  }

  Place locate(std::uint64_t sample) const override {
    const std::size_t part = part_of(sample);
    return parts_[part].locate(sample - start_of(part));
  }

 private:
  std::size_t part_of(std::uint64_t sample) const {
    return static_cast<std::size_t>(std::ranges::upper_bound(ends_, sample) - ends_.begin());
  }
  std::uint64_t start_of(std::size_t part) const { return part == 0 ? 0 : ends_[part - 1]; }

  std::vector<ArraySource> parts_;
  std::vector<std::uint64_t> ends_;  ///< of each part: the first sample behind it
};

}  // namespace

ArraySource join(std::vector<ArraySource> parts) {
  expects(!parts.empty(), "a part at least");
  if (parts.size() == 1) return std::move(parts.front());
  return ArraySource(std::make_shared<const JoinedSamples>(std::move(parts)));
}

}  // namespace daig::data
