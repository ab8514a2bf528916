#pragma once

/// A member's copy of the model: weights, their version, and the optimiser that makes the next.

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

  /// Overwrites everything, with weights and an optimiser state that came from another member
  /// through the given function, which fills the spans it is called with.
  template <class Fill>
  void load(Version version, Fill&& fill);

 private:
  BufferPool pool_;
  Weights weights_;
  optim::AnyOptimizer optimizer_;
  Version version_;
  std::optional<std::uint64_t> digest_;  ///< of the weights, once asked for
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

template <class Fill>
void Replica::load(Version version, Fill&& fill) {
  const Buffer loaded = pool_.acquire();
  *loaded = *weights_;
  fill(std::span<float>(*loaded));
  const optim::State state = optimizer_.state();
  for (const auto& array : state.arrays) fill(array.values);
  for (const auto& scalar : state.scalars) fill(std::span<double>(scalar.value, 1));
  weights_ = loaded;
  version_ = version;
  digest_.reset();
}

}  // namespace daig::train
