#include "data_files.hpp"

#include <algorithm>
#include <memory>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <glob.h>

#include <daig/core/error.hpp>
#include <daig/data/joined_arrays.hpp>
#include <daig/store/hdf5_array.hpp>

namespace daig::launcher {
namespace {

namespace fs = std::filesystem;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The files that fit a pattern, in no order; none when it is a pattern that nothing fits.
std::vector<fs::path> matches(const std::string& pattern) {
  glob_t found{};
  const std::unique_ptr<glob_t, void (*)(glob_t*)> owner(&found, ::globfree);
  if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) != 0) return {};
  return {found.gl_pathv, found.gl_pathv + found.gl_pathc};
}

bool is_file(const fs::path& path) {
  std::error_code unreadable;  // what may not be looked at is not there
  return fs::exists(path, unreadable) && !fs::is_directory(path, unreadable);
}

bool is_pattern(std::string_view word) {
  return word.find_first_of("*?[") != word.npos;
}

/// Calls visit(file, member) for each way to read a word, longest file first, until it is content.
template <class Visit>
bool try_splits(const std::string& word, Visit&& visit) {
  if (visit(word, std::string())) return true;
  for (std::size_t colon = word.rfind(':'); colon != word.npos && colon > 0;
       colon = word.rfind(':', colon - 1)) {
    if (colon + 1 < word.size() && visit(word.substr(0, colon), word.substr(colon + 1)))
      return true;
  }
  return false;
}

data::ArraySource open(const ArrayName& name) {
  if (store::is_hdf5_file(name.file)) {
    return data::ArraySource(store::open_hdf5_array(name.file, name.member));
  }
  return data::open_array(name.file, name.member);
}

}  // namespace

bool comes_before(std::string_view left, std::string_view right) {
  while (!left.empty() && !right.empty()) {
    if (is_digit(left.front()) && is_digit(right.front())) {
      const auto take_number = [](std::string_view& text) {
        text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
        const auto end = std::ranges::find_if_not(text, is_digit);
        const std::string_view digits =
            text.substr(0, static_cast<std::size_t>(end - text.begin()));
        text.remove_prefix(digits.size());
        return digits;
      };
      const std::string_view a = take_number(left);
      const std::string_view b = take_number(right);
      if (a.size() != b.size()) return a.size() < b.size();
      if (a != b) return a < b;
    } else {
      if (left.front() != right.front()) return left.front() < right.front();
      left.remove_prefix(1);
      right.remove_prefix(1);
    }
  }
  return left.empty() && !right.empty();
}

std::vector<ArrayName> arrays_named(const std::string& word) {
  std::vector<ArrayName> names;
  const bool plain = try_splits(word, [&](const std::string& file, const std::string& member) {
    if (is_file(file)) names.push_back({file, member});
    return !names.empty();
  });
  if (plain) return names;
  const bool several = try_splits(word, [&](const std::string& file, const std::string& member) {
    if (!is_pattern(file)) return false;
    for (fs::path& path : matches(file)) {
      if (is_file(path)) names.push_back({std::move(path), member});
    }
    return !names.empty();
  });
  if (several) {
    std::ranges::sort(names, [](const ArrayName& left, const ArrayName& right) {
      if (comes_before(left.file.native(), right.file.native())) return true;
      if (comes_before(right.file.native(), left.file.native())) return false;
      return left.file.native() < right.file.native();  // part-1 and part-01
    });
    return names;
  }
  if (is_pattern(word)) throw InputError(word, "no file fits this pattern");
  return {{word, ""}};  // its opening says best what is wrong
}

data::ArraySource open_arrays(const DataWords& words) {
  std::vector<data::ArraySource> parts;
  for (const std::string& word : words) {
    for (const ArrayName& name : arrays_named(word)) parts.push_back(open(name));
  }
  return data::join(std::move(parts));
}

DataWords made_absolute(const DataWords& words) {
  DataWords absolute;
  for (const std::string& word : words) {
    absolute.push_back(word.empty() ? word : fs::absolute(word).string());
  }
  return absolute;
}

}  // namespace daig::launcher
