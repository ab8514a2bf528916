#pragma once

#include <string_view>

#include <daig/data/array_header.hpp>

namespace daig::data::detail {

/// The last step of every parser: checks the shape and sets data_bytes.
/// @throws InputError beginning with `name`.
void finish_header(ArrayHeader& header, std::string_view name);

}  // namespace daig::data::detail
