#pragma once

/// Texts from files and paths, for pages.

#include <string>
#include <string_view>

namespace daig::launcher::plot {

/// The text with a question mark for every byte that is part of no UTF-8 character, and for every
/// control character: neither XML nor cairo takes those.
std::string printable(std::string_view text);

/// The same, cut short with an ellipsis where it has more than so many bytes.
std::string printable(std::string_view text, std::size_t most);

}  // namespace daig::launcher::plot
