#pragma once

/// A small Keras file, in every way in which h5py and the versions of Keras may write one.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <hdf5.h>

namespace daig::test::keras {

enum class Texts { variable, null_padded, null_terminated, space_padded };
enum class Storage { contiguous, compact, packed };
enum class Number { f16, f32, f64, f32_big, f64_big };

inline const std::string model_config =
    R"({"class_name": "Sequential", "config": {"name": "größe"}})";
inline const std::string training_config = R"({"loss": "mse"})";
inline constexpr std::uint64_t iterations = (1ULL << 40) + 1;  // more than a float holds

struct Options {
  Texts texts = Texts::variable;
  Storage storage = Storage::contiguous;
  Number number = Number::f32;
  bool pieces = false;  ///< lists of names in attributes name0, name1, ...
  std::size_t layers = 1;
};

/// HDF5's answers, so that a broken sample does not pass for a broken reader.
template <class Result>
Result good(Result result) {
  if (result < 0) throw std::runtime_error("HDF5 does not make the sample");
  return result;
}

inline hid_t number_type(Number number) {
  switch (number) {
    case Number::f16: {
      const hid_t half = good(H5Tcopy(H5T_IEEE_F32LE));
      good(H5Tset_fields(half, 15, 10, 5, 0, 10));
      good(H5Tset_size(half, 2));
      good(H5Tset_ebias(half, 15));
      return half;
    }
    case Number::f32:
      return good(H5Tcopy(H5T_IEEE_F32LE));
    case Number::f64:
      return good(H5Tcopy(H5T_IEEE_F64LE));
    case Number::f32_big:
      return good(H5Tcopy(H5T_IEEE_F32BE));
    case Number::f64_big:
      break;
  }
  return good(H5Tcopy(H5T_IEEE_F64BE));
}

inline void write_texts(hid_t object, const std::string& name, const std::vector<std::string>& list,
                        Texts how, bool scalar) {
  const hsize_t count = list.size();
  const hid_t space = good(scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &count, nullptr));
  const hid_t type = good(H5Tcopy(list.empty() ? H5T_IEEE_F64LE : H5T_C_S1));  // as h5py
  std::vector<const char*> pointers;
  std::string bytes;
  if (!list.empty() && how == Texts::variable) {
    good(H5Tset_size(type, H5T_VARIABLE));
    for (const std::string& text : list) pointers.push_back(text.c_str());
  } else if (!list.empty()) {
    std::size_t size = 1;
    for (const std::string& text : list) size = std::max(size, text.size() + 1);
    good(H5Tset_size(type, size));
    good(H5Tset_cset(type, H5T_CSET_UTF8));
    good(H5Tset_strpad(type, how == Texts::null_padded       ? H5T_STR_NULLPAD
                             : how == Texts::null_terminated ? H5T_STR_NULLTERM
                                                             : H5T_STR_SPACEPAD));
    for (std::string text : list) {
      text.resize(size, how == Texts::space_padded ? ' ' : '\0');
      bytes += text;
    }
  }
  const hid_t attribute =
      good(H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT));
  if (!list.empty()) {
    good(H5Awrite(attribute, type,
                  bytes.empty() ? static_cast<const void*>(pointers.data()) : bytes.data()));
  }
  H5Aclose(attribute);
  H5Tclose(type);
  H5Sclose(space);
}

/// Creates an array and the groups above it. Values, if wanted, are 0, 0.25, 0.5 and so on.
inline void create_array(hid_t file, const std::string& path, hid_t type,
                         const std::vector<hsize_t>& shape, hid_t creation,
                         bool with_values = false) {
  const hid_t links = good(H5Pcreate(H5P_LINK_CREATE));
  good(H5Pset_create_intermediate_group(links, 1));
  const hid_t space = good(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
  const hid_t array =
      good(H5Dcreate2(file, path.c_str(), type, space, links, creation, H5P_DEFAULT));
  if (with_values) {
    std::vector<float> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 1000) / 4;
    good(H5Dwrite(array, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()));
  }
  H5Dclose(array);
  H5Sclose(space);
  H5Pclose(links);
}

/// Opens a file and lets a test change it.
inline void change(const std::filesystem::path& path, const std::function<void(hid_t)>& with) {
  const hid_t file = good(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
  with(file);
  H5Fclose(file);
}

inline void write_names(hid_t object, const std::string& name, std::vector<std::string> names,
                        const Options& options) {
  if (!options.pieces) return write_texts(object, name, names, options.texts, false);
  const auto half = static_cast<std::ptrdiff_t>(names.size() / 2);
  write_texts(object, name + "0", {names.begin(), names.begin() + half}, options.texts, false);
  write_texts(object, name + "1", {names.begin() + half, names.end()}, options.texts, false);
}

inline void write(const std::filesystem::path& path, const Options& options) {
  const hid_t file = good(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  write_texts(file, "model_config", {model_config}, options.texts, true);
  write_texts(file, "training_config", {training_config}, options.texts, true);
  write_texts(file, "keras_version", {"2.6.0"}, options.texts, true);
  write_texts(file, "backend", {"tensorflow"}, options.texts, true);

  const hid_t type = number_type(options.number);
  const auto create = [&](const std::string& name, const std::vector<hsize_t>& shape) {
    const hid_t creation = good(H5Pcreate(H5P_DATASET_CREATE));
    if (options.storage == Storage::compact) good(H5Pset_layout(creation, H5D_COMPACT));
    if (options.storage == Storage::packed) {
      // Chunks that reach beyond the array's end.
      const std::vector<hsize_t> chunk(shape.size(), 2);
      good(H5Pset_chunk(creation, static_cast<int>(chunk.size()), chunk.data()));
      good(H5Pset_shuffle(creation));
      good(H5Pset_deflate(creation, 4));
    }
    create_array(file, name, type, shape, creation, true);
    H5Pclose(creation);
  };
  const auto group = [&](const std::string& name) {
    return good(H5Gopen2(file, name.c_str(), H5P_DEFAULT));
  };

  std::vector<std::string> layers{"flatten"};
  for (std::size_t i = 0; i < options.layers; ++i) {
    const std::string layer = i == 0 ? "dense" : "dense_" + std::to_string(i);
    layers.push_back(layer);
    create("/model_weights/" + layer + "/" + layer + "/kernel:0", {3, 2});
    create("/model_weights/" + layer + "/" + layer + "/bias:0", {2});
    const hid_t weights = group("/model_weights/" + layer);
    write_names(weights, "weight_names", {layer + "/kernel:0", layer + "/bias:0"}, options);
    H5Gclose(weights);
  }
  const hid_t flatten =
      good(H5Gcreate2(file, "/model_weights/flatten", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  write_texts(flatten, "weight_names", {}, options.texts, false);
  H5Gclose(flatten);
  const hid_t weights = group("/model_weights");
  write_names(weights, "layer_names", layers, options);
  H5Gclose(weights);

  create("/optimizer_weights/Adam/dense/kernel/m:0", {3, 2});
  const hid_t scalar = good(H5Screate(H5S_SCALAR));
  const hid_t counter = good(H5Dcreate2(file, "/optimizer_weights/Adam/iter:0", H5T_STD_I64LE,
                                        scalar, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  good(H5Dwrite(counter, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, &iterations));
  H5Dclose(counter);
  H5Sclose(scalar);
  const hid_t optimizer = group("/optimizer_weights");
  write_names(optimizer, "weight_names", {"Adam/iter:0", "Adam/dense/kernel/m:0"}, options);
  H5Gclose(optimizer);
  H5Tclose(type);
  H5Fclose(file);
}

}  // namespace daig::test::keras
