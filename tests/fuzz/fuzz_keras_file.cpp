/// Keras files: whatever they are, they are refused with an InputError, or read; and what was read
/// can be written back, unless the system or HDF5 refuses it.

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include <support/temporary_folder.hpp>

#include <daig/core/error.hpp>
#include <daig/store/keras_file.hpp>

#include "hdf5_settings.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  static const daig::test::TemporaryFolder folder;
  const std::filesystem::path path = folder / "model.h5";
  daig::test::write_input(path, input, size);
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
