#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/data/idx.hpp>
#include <daig/data/npy.hpp>

#include "finish_header.hpp"
#include "python_lines.hpp"

namespace daig::data {
namespace {

/// As Python's pickle.dump begins, in protocols 2 to 5.
bool is_pickle(std::span<const std::byte> start) {
  return start.size() >= 2 && start[0] == std::byte{0x80} && start[1] >= std::byte{2} &&
         start[1] <= std::byte{5};
}

}  // namespace

ArrayHeader parse_array_header(std::span<const std::byte> start, std::string_view name) {
  if (is_npy(start)) return parse_npy_header(start, name);
  if (is_idx(start)) return parse_idx_header(start, name);
  if (is_pickle(start)) {
    throw InputError(name, fmt::format("is a pickle, {}", detail::unpickling_advice(name)));
  }
  throw InputError(name, start.empty()
                             ? "is empty; a .npy, .npz or IDX file was expected"
                             : "is neither a .npy, .npz nor IDX file, nor one of them gzipped; "
                               "save the array with numpy.save(file, array)");
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
