/// Arrays in HDF5 files: whatever the file is, it is refused with an InputError, or read, and the
/// same sample by sample as at once.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include <support/temporary_folder.hpp>

#include <daig/core/error.hpp>
#include <daig/data/array_source.hpp>
#include <daig/store/hdf5_array.hpp>

#include "array_check.hpp"
#include "hdf5_settings.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  using namespace daig;
  static const test::TemporaryFolder folder;
  const std::filesystem::path path = folder / "data.h5";
  test::write_input(path, input, size);
  try {
    if (!store::is_hdf5_file(path)) return 0;
    constexpr std::size_t most = 4;  // keeps an input fast
    std::size_t opened = 0;
    for (const std::string& name : store::hdf5_array_names(path)) {
      if (++opened > most) break;
      test::check_samples([&] { return data::ArraySource(store::open_hdf5_array(path, name)); });
    }
  } catch (const InputError&) {
  }
  return 0;
}
