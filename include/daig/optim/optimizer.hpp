#pragma once

/// What an optimiser is: it turns (weights of version v, a step's gradient) into weights v + 1.
///
/// Every member of the view applies the same update to the same all-reduced sum, and the results
/// must agree bit for bit. So an optimiser is a pure function of its arguments and its state, uses
/// only operations that IEEE 754 rounds correctly (+ - * / sqrt) for each weight on its own, and
/// takes the learning rate from the caller: schedules run on rank 0 alone. The promise holds for
/// ranks that run the same program; a compiler that fuses a * b + c on one machine and not on
/// another breaks it, and the digest of the commit shows it.

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <daig/core/error.hpp>

namespace daig::optim {

/// An optimiser's memory between steps, by name, as views into the optimiser: read them to save
/// it, write them to restore it. Equal state and equal options give equal bits from then on.
/// Valid while the optimiser lives and is not moved from.
struct State {
  struct Array {
    std::string_view name;
    std::span<float> values;  ///< as long as the weights
  };
  struct Scalar {
    std::string_view name;
    double* value;
  };
  std::vector<Array> arrays;
  std::vector<Scalar> scalars;
};

/// The contract of `update(weights, gradient_sum, scale, learning_rate, new_weights)`:
///   - the gradient of the step is scale * gradient_sum; scale is 1 / number of samples in the sum;
///   - reads `weights`, writes `new_weights`: the same memory or memory that does not overlap, so
///     that a compute thread may still be reading the old ones;
///   - all three as long as the optimiser was made for, else ContractViolation;
///   - one pass over memory.
/// No member is safe against calls from another thread at the same time.
template <class O>
concept Optimizer = std::movable<O> &&
    requires(O optimizer, std::span<const float> weights, std::span<const float> gradient_sum,
             float scale, float learning_rate, std::span<float> new_weights) {
  {
    optimizer.update(weights, gradient_sum, scale, learning_rate, new_weights)
    } -> std::same_as<void>;
  { optimizer.state() } -> std::same_as<State>;
};

/// Any optimiser, chosen at run time. Itself an Optimizer. Costs one virtual call a step.
class AnyOptimizer {
 public:
  // same_as first: whether AnyOptimizer is an Optimizer must not depend on the answer.
  template <class O>
  requires(!std::same_as<O, AnyOptimizer> && Optimizer<O>) explicit AnyOptimizer(O optimizer)
      : held_(std::make_unique<Holder<O>>(std::move(optimizer))) {}

  void update(std::span<const float> weights, std::span<const float> gradient_sum, float scale,
              float learning_rate, std::span<float> new_weights) {
    held_->update(weights, gradient_sum, scale, learning_rate, new_weights);
  }
  State state() { return held_->state(); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual void update(std::span<const float> weights, std::span<const float> gradient_sum,
                        float scale, float learning_rate, std::span<float> new_weights) = 0;
    virtual State state() = 0;
  };

  template <class O>
  struct Holder final : Base {
    explicit Holder(O value) : optimizer(std::move(value)) {}
    void update(std::span<const float> weights, std::span<const float> gradient_sum, float scale,
                float learning_rate, std::span<float> new_weights) override {
      optimizer.update(weights, gradient_sum, scale, learning_rate, new_weights);
    }
    State state() override { return optimizer.state(); }

    O optimizer;
  };

  std::unique_ptr<Base> held_;
};

namespace detail {

/// What every update begins with.
inline void expect_update_arguments(std::size_t size, std::span<const float> weights,
                                    std::span<const float> gradient_sum,
                                    std::span<float> new_weights) {
  expects(weights.size() == size, "weights as long as the optimiser was made for");
  expects(gradient_sum.size() == size, "a gradient as long as the weights");
  expects(new_weights.size() == size, "new weights as long as the weights");
}

}  // namespace detail
}  // namespace daig::optim
