/// Keras files: whatever they are, they are refused with an InputError, or read; and what was read
/// can be written back, unless the system or HDF5 refuses it.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <support/temporary_folder.hpp>

#include <daig/core/error.hpp>
#include <daig/store/keras_file.hpp>

/// HDF5 asks for as much memory as a damaged file claims before it looks whether the file has as
/// much; it takes a refusal well, and does not touch what it is given. And HDF5 1.10 forgets what
/// it could not open; the test looks for our own leaks.
extern "C" const char* __asan_default_options();  // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __asan_default_options() {
  return "allocator_may_return_null=1:detect_leaks=0";
}  // NOLINT

extern "C" int LLVMFuzzerInitialize(int* count, char*** words) {
  static std::vector<char*> more(*words, *words + *count);
  static std::string limit = "-malloc_limit_mb=1000000";  // of one call; the sum stays limited
  more.push_back(limit.data());
  *count = static_cast<int>(more.size());
  *words = more.data();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  static const daig::test::TemporaryFolder folder;
  const std::filesystem::path path = folder / "model.h5";
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(input), static_cast<std::streamsize>(size));
  try {
    daig::store::is_keras_file(path);
    daig::store::KerasFile model = daig::store::read_keras_file(path);
    for (auto& array : model.weights) {
      for (float& value : array.values) value += 1;
    }
    daig::store::write_keras_file(path, path, model.weights, model.optimizer_weights,
                                  model.iterations);
    // Arrays of a damaged file may overlap each other, or what describes them.
    daig::store::read_keras_file(path);
  } catch (const daig::InputError&) {
  } catch (const daig::IoError&) {
  }
  return 0;
}
