#pragma once

/// Lines of Python that turn what cannot be read into what can.

#include <string>
#include <string_view>

namespace daig::data::detail {

/// Converts the numbers of an array. @param name  as errors name it: FILE, or FILE.npz:MEMBER
std::string converting_line(std::string_view name);

/// Why pickles are not read, and the line for those who trust this one.
std::string unpickling_advice(std::string_view name);

}  // namespace daig::data::detail
