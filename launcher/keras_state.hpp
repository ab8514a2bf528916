#pragma once

/// What a Keras file's optimiser remembers, as the state of ours, and its way back.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <daig/model/layout.hpp>
#include <daig/optim/optimizer_options.hpp>
#include <daig/store/keras_file.hpp>
#include <daig/train/task.hpp>

namespace daig::launcher {

/// Where the file has what. Made by find_state; of use with the file that it was found in.
class KerasState {
 public:
  /// Steps before.
  std::uint64_t iterations() const { return iterations_; }

  /// The state of an optimiser with these options that goes on.
  train::OptimizerState read(const store::KerasFile& file, const model::Layout& layout,
                             const optim::OptimizerOptions& options) const;
  /// Puts an optimiser's state into the file's arrays. The step counter is the writer's affair.
  void write(const train::OptimizerState& state, const model::Layout& layout,
             store::KerasFile& file) const;

 private:
  friend struct KerasStateSearch;

  struct Slot {
    std::string name;  ///< ours
    float sign = 1;    ///< of Keras's values to ours
    /// Of each parameter that is trained, in the file's optimizer_weights.
    std::vector<std::optional<std::size_t>> arrays;
  };

  std::vector<Slot> slots_;
  std::optional<std::size_t> momentum_product_;  ///< Nadam's, in the file's optimizer_weights
  std::uint64_t iterations_ = 0;
};

struct FoundState {
  std::optional<KerasState> state;
  bool is_strange = false;  ///< there is some, and it is not understood
};

/// Looks for the optimiser's state by the names and shapes that Keras 2.3 to 3.x give its arrays.
/// All must be there and nothing else: half a state is none.
/// @param arrays  of the layout's parameters, among file.weights; null for one that is not trained,
/// of which Keras remembers nothing, and whose part of the state is 0
FoundState find_state(const store::KerasFile& file,
                      std::span<const store::KerasArray* const> arrays,
                      const optim::OptimizerOptions& options);

}  // namespace daig::launcher
