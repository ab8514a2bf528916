#pragma once

/// What tests of files ask of errors and folders.

#include <algorithm>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

namespace daig::test {

/// Whether an error's text holds all of these.
inline std::function<bool(const std::exception&)> says(std::vector<std::string> parts) {
  return [parts = std::move(parts)](const std::exception& error) {
    const std::string text = error.what();
    return std::all_of(parts.begin(), parts.end(), [&](const std::string& part) {
      BOOST_TEST_INFO(text);
      BOOST_CHECK_NE(text.find(part), std::string::npos);
      return text.find(part) != std::string::npos;
    });
  };
}

inline std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder),
                                                std::filesystem::directory_iterator()));
}

}  // namespace daig::test
