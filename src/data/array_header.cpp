#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/data/idx.hpp>
#include <daig/data/npy.hpp>

#include "finish_header.hpp"

namespace daig::data {

ArrayHeader parse_array_header(std::span<const std::byte> start, std::string_view name) {
  if (is_npy(start)) return parse_npy_header(start, name);
  if (is_idx(start)) return parse_idx_header(start, name);
  throw InputError(name, start.empty()
                             ? "is empty; a .npy or IDX file was expected"
                             : "is neither a .npy nor an IDX file, nor one of them gzipped; save "
                               "the array with numpy.save(file, array)");
}

void detail::finish_header(ArrayHeader& header, std::string_view name) {
  const std::string shape = to_text(header.shape);
  if (header.shape.empty() || header.shape.size() > max_rank) {
    throw InputError(name, fmt::format("has {} axes; an array of samples has from 1 to {}, the "
                                       "first counting the samples",
                                       header.shape.size(), max_rank));
  }
  const auto elements = elements_in(header.shape, size_of(header.type));
  if (!elements) {
    throw InputError(name, fmt::format("its header claims the shape {}, more than 2^62 bytes; the "
                                       "header is damaged",
                                       shape));
  }
  if (*elements == 0) {
    throw InputError(name, fmt::format("its shape {} holds no element; there is nothing to train "
                                       "on",
                                       shape));
  }
  header.data_bytes = *elements * size_of(header.type);
}

}  // namespace daig::data
