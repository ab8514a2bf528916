/// For numpy_test.py: says what DAIG reads from an array file, or writes one.
/// IN may be FILE.npz:NAME.
///   array_tool dump IN RAW    type and shape to stdout, elements (native, C order) to RAW
///   array_tool rewrite IN OUT the same samples as floats, in a .npy file of DAIG's own

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/data/array_source.hpp>
#include <daig/data/batch.hpp>
#include <daig/data/npy.hpp>

using namespace daig::data;

int main(int argc, char** argv) {
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  if (arguments.size() != 4) return static_cast<int>(daig::ExitCode::usage);
  const std::string task = arguments[1];
  try {
    const std::string in = arguments[2];
    const std::size_t colon = std::min(in.rfind(".npz:"), in.size() - 4) + 4;
    const ArraySource array = open_array(
        in.substr(0, colon), std::string_view(in).substr(std::min(colon + 1, in.size())));
    std::vector<std::byte> elements(array.count() * array.sample_bytes());
    array.read(0, array.count(), elements);
    Shape shape{array.count()};
    shape.insert(shape.end(), array.sample_shape().begin(), array.sample_shape().end());
    if (task == "dump") {
      fmt::print("{} {}\n", name_of(array.type()), to_text(shape));
      std::ofstream(arguments[3], std::ios::binary)
          .write(reinterpret_cast<const char*>(elements.data()),
                 static_cast<std::streamsize>(elements.size()));
    } else {
      std::vector<float> floats(elements.size() / size_of(array.type()));
      to_floats(array.type(), elements, floats);
      write_npy(arguments[3], shape, floats);
    }
  } catch (const daig::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return static_cast<int>(error.exit_code());
  }
  return 0;
}
