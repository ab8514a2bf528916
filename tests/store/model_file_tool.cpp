/// Writes the sample model, or describes a file, for tests that look at model files from outside.
///
///     model_file_tool write FILE | describe FILE

#include <cstdio>
#include <string_view>

#include <daig/core/error.hpp>
#include <daig/store/model_file.hpp>

#include "sample_model.hpp"

int main(int argc, char** argv) {
  if (argc != 3) return static_cast<int>(daig::ExitCode::usage);
  try {
    if (std::string_view(argv[1]) == "write") {
      daig::store::write_model(argv[2], daig::test::sample_model());
    } else {
      std::fputs(daig::store::describe_model(argv[2]).c_str(), stdout);
    }
    return 0;
  } catch (const daig::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.exit_code());
  }
}
