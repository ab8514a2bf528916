#pragma once

/// A small dataset that a small model learns well: three clouds of points.

#include <cstdint>
#include <filesystem>
#include <vector>

#include <daig/core/random.hpp>

#include "data/array_files.hpp"

namespace daig::test {

inline constexpr std::uint64_t sample_size = 8;

struct Samples {
  std::vector<float> features;
  std::vector<std::int32_t> classes;
};

/// Class c is a cloud around the c-th corner.
inline Samples draw_samples(std::uint64_t count, std::uint64_t seed) {
  Samples samples;
  Random random(seed, Stream::test);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto label = static_cast<std::int32_t>(i % 3);
    samples.classes.push_back(label);
    for (std::uint64_t j = 0; j < sample_size; ++j) {
      const double center = static_cast<std::uint64_t>(label) == j ? 3.0 : 0.0;
      samples.features.push_back(static_cast<float>(center + random.normal()));
    }
  }
  return samples;
}

inline Bytes features_npy(const std::vector<float>& features) {
  return npy("<f4", fmt::format("({}, {})", features.size() / sample_size, sample_size),
             raw(features));
}
inline Bytes classes_npy(const std::vector<std::int32_t>& classes) {
  return npy("<i4", fmt::format("({},)", classes.size()), raw(classes));
}

/// A folder that --dataset takes: 300 samples to train on, 90 to test with.
inline void write_dataset(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const Samples train = draw_samples(300, 1);
  const Samples test = draw_samples(90, 2);
  write_file(folder / "x_train.npy", features_npy(train.features));
  write_file(folder / "y_train.npy", classes_npy(train.classes));
  write_file(folder / "x_test.npy", features_npy(test.features));
  write_file(folder / "y_test.npy", classes_npy(test.classes));
}

}  // namespace daig::test
