#pragma once

/// A member's copy of the model: weights, their version, and the optimiser that makes the next.

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <daig/core/digest.hpp>
#include <daig/core/error.hpp>
#include <daig/core/id.hpp>
#include <daig/optim/optimizer.hpp>
#include <daig/train/buffer_pool.hpp>

namespace daig::train {

/// Weights of one version. Readers keep them alive for as long as they compute.
using Weights = std::shared_ptr<const std::vector<float>>;

/// Belongs to the communication thread; the Weights it gives out may be read by any thread.
/// Every member of the view holds the same bits: `digest` shows it.
class Replica {
 public:
  Replica(std::span<const float> weights, optim::AnyOptimizer optimizer, Version version);

  const Weights& weights() const { return weights_; }
  Version version() const { return version_; }
  /// Cost: a pass over memory, once for each version.
  std::uint64_t digest();
  optim::State optimizer_state() { return optimizer_.state(); }

  /// The next version: one optimiser update with the mean of `samples` gradients, whose sum is
  /// given. Cost: one pass over memory.
  void apply(std::span<const float> gradient_sum, std::uint64_t samples, double learning_rate);

  /// Weights and optimiser state as bytes, for a member that begins; the layout is this build's
  /// own.
  std::size_t state_bytes() { return state_of(*weights_, optimizer_.state()).bytes; }
  /// Cost: a copy of everything.
  std::vector<std::byte> copy_state();
  /// Overwrites everything. Expects the bytes of another replica of the same kind.
  void load(Version version, std::span<const std::byte> state);

 private:
  BufferPool pool_;
  Weights weights_;
  optim::AnyOptimizer optimizer_;
  Version version_;
  std::optional<std::uint64_t> digest_;  ///< of the weights, once asked for

  /// All that makes a state, piece by piece.
  struct State {
    std::vector<std::span<const std::byte>> pieces;
    std::size_t bytes = 0;
  };
  static State state_of(std::span<const float> weights, const optim::State& optimizer);
};

// ---------------------------------------------------------------------------------------------

inline Replica::Replica(std::span<const float> weights, optim::AnyOptimizer optimizer,
                        Version version)
    : pool_(weights.size()), optimizer_(std::move(optimizer)), version_(version) {
  const Buffer buffer = pool_.acquire();
  buffer->assign(weights.begin(), weights.end());
  weights_ = buffer;
}

inline std::uint64_t Replica::digest() {
  if (!digest_) digest_ = daig::digest(std::span<const float>(*weights_));
  return *digest_;
}

inline void Replica::apply(std::span<const float> gradient_sum, std::uint64_t samples,
                           double learning_rate) {
  expects(samples > 0, "a step with samples in it");
  const Buffer next = pool_.acquire();
  optimizer_.update(*weights_, gradient_sum, 1.0F / static_cast<float>(samples),
                    static_cast<float>(learning_rate), *next);
  weights_ = next;
  version_ = version_.next();
  digest_.reset();
}

inline Replica::State Replica::state_of(std::span<const float> weights,
                                        const optim::State& optimizer) {
  State state;
  const auto add = [&](std::span<const std::byte> piece) {
    state.pieces.push_back(piece);
    state.bytes += piece.size();
  };
  add(std::as_bytes(weights));
  for (const auto& array : optimizer.arrays) add(std::as_bytes(array.values));
  for (const auto& scalar : optimizer.scalars) add(std::as_bytes(std::span(scalar.value, 1)));
  return state;
}

inline std::vector<std::byte> Replica::copy_state() {
  const State state = state_of(*weights_, optimizer_.state());
  std::vector<std::byte> bytes;
  bytes.reserve(state.bytes);
  for (const auto piece : state.pieces) bytes.insert(bytes.end(), piece.begin(), piece.end());
  return bytes;
}

inline void Replica::load(Version version, std::span<const std::byte> state) {
  expects(state.size() == state_bytes(), "a state of the same kind");
  const Buffer loaded = pool_.acquire();
  const auto take = [&](std::span<std::byte> piece) {
    std::ranges::copy(state.first(piece.size()), piece.begin());
    state = state.subspan(piece.size());
  };
  take(std::as_writable_bytes(std::span(*loaded)));
  const optim::State optimizer = optimizer_.state();
  for (const auto& array : optimizer.arrays) take(std::as_writable_bytes(array.values));
  for (const auto& scalar : optimizer.scalars) {
    take(std::as_writable_bytes(std::span(scalar.value, 1)));
  }
  weights_ = loaded;
  version_ = version;
  digest_.reset();
}

}  // namespace daig::train
