#pragma once

/// What a run trains: the coordinator's inputs, and what comes out.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <daig/control/message.hpp>
#include <daig/core/id.hpp>
#include <daig/metrics/recorder.hpp>
#include <daig/train/replica.hpp>
#include <daig/train/shard_server.hpp>

namespace daig::train {

/// An optimiser's state as it is stored: by name.
struct OptimizerState {
  std::map<std::string, std::vector<float>> arrays;
  std::map<std::string, double> scalars;

  bool empty() const { return arrays.empty() && scalars.empty(); }
};

/// Copies an optimiser's state out, and back in.
inline OptimizerState save(const optim::State& state);
/// @throws InputError when the names or lengths are not the optimiser's.
inline void restore(const OptimizerState& saved, const optim::State& state);

/// What rank 0 brings to a run.
struct Task {
  std::vector<float> weights;  ///< to start from
  std::uint64_t samples = 0;   ///< of one epoch
  ReadShard read_shard = {};   ///< empty: the workload finds its own data

  // Resuming: where the run stood.
  Version version{0};
  std::vector<control::Work> done = {};  ///< committed before that version
  OptimizerState optimizer_state = {};   ///< empty: fresh; also for a run that begins

  metrics::Recorder* recorder = nullptr;  ///< told of steps and events; must outlive the run
  /// Called with the new weights after every commit, on the communication thread: be quick.
  std::function<void(Replica&)> on_version = {};
};

/// What a run leaves, on every rank.
struct Result {
  std::vector<float> weights;
  Version version;            ///< committed steps
  double seconds = 0;         ///< from the coordinator's Welcome to the end
  std::uint64_t samples = 0;  ///< committed in this run; known to rank 0 only
  OptimizerState optimizer_state;
  bool complete = true;  ///< false: this rank, or the whole run, left before all work was done
  bool has_lost =
      false;  ///< some rank was lost on the way: nothing may wait for all ranks any more
};

// ---------------------------------------------------------------------------------------------

inline OptimizerState save(const optim::State& state) {
  OptimizerState saved;
  for (const auto& array : state.arrays) {
    saved.arrays[std::string(array.name)].assign(array.values.begin(), array.values.end());
  }
  for (const auto& scalar : state.scalars) saved.scalars[std::string(scalar.name)] = *scalar.value;
  return saved;
}

inline void restore(const OptimizerState& saved, const optim::State& state) {
  const auto mismatch = [](std::string_view name) {
    return InputError("the saved optimiser state does not fit this optimiser: '" +
                      std::string(name) + "' is missing, unknown or of another length");
  };
  if (saved.arrays.size() != state.arrays.size() || saved.scalars.size() != state.scalars.size()) {
    throw mismatch("(number of entries)");
  }
  for (const auto& array : state.arrays) {
    const auto found = saved.arrays.find(std::string(array.name));
    if (found == saved.arrays.end() || found->second.size() != array.values.size()) {
      throw mismatch(array.name);
    }
    std::ranges::copy(found->second, array.values.begin());
  }
  for (const auto& scalar : state.scalars) {
    const auto found = saved.scalars.find(std::string(scalar.name));
    if (found == saved.scalars.end()) throw mismatch(scalar.name);
    *scalar.value = found->second;
  }
}

}  // namespace daig::train
