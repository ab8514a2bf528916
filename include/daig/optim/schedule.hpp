#pragma once

/// How the learning rate changes over a run: a factor of the base rate for each step.
///
/// Rank 0 evaluates it and sends the product along with the commit, so it may use the C library's
/// functions freely. It is a pure function of the step: a restart has nothing to restore.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace daig::optim {

/// The factor for `step` (from 0) of `total_steps`. Any function of this form will do.
using Schedule = std::function<double(std::uint64_t step, std::uint64_t total_steps)>;

/// 1 throughout.
struct ConstantSchedule {
  double operator()(std::uint64_t, std::uint64_t) const { return 1; }
};

/// Rises linearly during the warm-up, then falls along half a cosine from 1 to the final fraction,
/// which it reaches at `total_steps`. From Loshchilov, Hutter, "SGDR: stochastic gradient descent
/// with warm restarts" (ICLR 2017), equation 5, without restarts; warm-up as in Goyal et al.,
/// "Accurate, large minibatch SGD" (2017).
struct CosineSchedule {
  std::uint64_t warmup = 0;  ///< steps
  double final = 0;          ///< fraction of the base rate, in [0, 1]

  double operator()(std::uint64_t step, std::uint64_t total_steps) const;
};

/// Multiplied by `factor` after every `every` steps.
struct StepSchedule {
  std::uint64_t every = 0;  ///< steps; to be set
  double factor = 0.1;      ///< in (0, 1]

  double operator()(std::uint64_t step, std::uint64_t total_steps) const;
};

/// A schedule from text: a name, and options, some of which may be left out:
///
///     constant
///     cosine[:warmup=STEPS][,final=PART]                  to the run's end
///     step:every=STEPS[,factor=F]
///     exponential:every=STEPS,factor=F[,staircase=1]      and those below: Keras's, see decays.hpp
///     inverse:rate=R[,every=STEPS][,staircase=1]
///     polynomial:steps=STEPS[,power=P][,final=PART][,cycle=1]
///     cosine:steps=STEPS[,final=PART][,warmup=STEPS,first=PART]
///     piecewise:STEP=F,STEP=F,...                         the factor from that step on
///
/// All but the cosine to the run's end also take start=STEPS: so many steps have been before the
/// run's first. @throws UsageError naming the word that makes no sense, and what would.
Schedule make_schedule(std::string_view text);

/// The text of a schedule of which so many steps have been before the run's first; the same where
/// that changes nothing. Expects text of which make_schedule makes a schedule.
std::string schedule_from(std::string_view text, std::uint64_t start);

}  // namespace daig::optim

#ifndef DAIG_COMPILED
#include <daig/optim/detail/schedule.ipp>
#endif
