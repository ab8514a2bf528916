#include "python_lines.hpp"

#include <fmt/format.h>

namespace daig::data::detail {
namespace {

/// How Python loads an array, and where its converted form goes.
struct Loading {
  std::string expression;
  std::string converted;
};

Loading loading_of(std::string_view name, std::string_view options) {
  constexpr std::string_view mark = ".npz:";
  if (const std::size_t at = name.find(mark); at != name.npos) {
    const std::string_view file = name.substr(0, at + mark.size() - 1);
    const std::string_view member = name.substr(at + mark.size());
    return {fmt::format("np.load(r'{}'{})['{}']", file, options, member),
            fmt::format("{}.{}.npy", file, member)};
  }
  if (name.ends_with(".gz")) {
    return {fmt::format("np.load(__import__('gzip').open(r'{}'){})", name, options),
            fmt::format("{}.npy", name)};
  }
  const std::string_view stem = name.ends_with(".npy") ? name.substr(0, name.size() - 4) : name;
  return {fmt::format("np.load(r'{}'{})", name, options), fmt::format("{}.f4.npy", stem)};
}

}  // namespace

std::string converting_line(std::string_view name) {
  const Loading loading = loading_of(name, "");
  return fmt::format("python3 -c \"import numpy as np; np.save(r'{}', {}.astype('f4'))\"",
                     loading.converted, loading.expression);
}

std::string unpickling_advice(std::string_view name) {
  const Loading loading = loading_of(name, ", allow_pickle=True");
  return fmt::format(
      "which is never unpickled because a pickle is a program. Where you trust the file: python3 "
      "-c "
      "\"import numpy as np; a = {}; np.save(r'{}', np.stack(list(a)).astype('f4'))\"",
      loading.expression, loading.converted);
}

}  // namespace daig::data::detail
