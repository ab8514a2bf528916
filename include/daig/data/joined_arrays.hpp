#pragma once

/// Several files as one array.

#include <vector>

#include <daig/data/array_source.hpp>

namespace daig::data {

/// The samples of all parts, part after part. Errors name the part that a sample lies in.
/// Cost: of reading, one read for each part that is touched. Expects a part at least.
/// @throws InputError naming the first part whose samples are of another type or shape than those
/// of the first one.
ArraySource join(std::vector<ArraySource> parts);

}  // namespace daig::data
