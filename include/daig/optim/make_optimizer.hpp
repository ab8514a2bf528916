#pragma once

/// An optimiser from options.

#include <cstddef>

#include <daig/model/layout.hpp>
#include <daig/optim/optimizer.hpp>
#include <daig/optim/optimizer_options.hpp>

namespace daig::optim {

/// An optimiser for `size` weights, which are one array. @throws UsageError naming the option that
/// makes no sense.
AnyOptimizer make_optimizer(const OptimizerOptions& options, std::size_t size);
/// The same for weights that lie as the layout says; it moves those that are trained.
AnyOptimizer make_optimizer(const OptimizerOptions& options, const model::Layout& layout);
/// The same for a layout of all `size` weights; an empty one says that they are one array.
AnyOptimizer make_optimizer(const OptimizerOptions& options, const model::Layout& layout,
                            std::size_t size);

}  // namespace daig::optim

#ifndef DAIG_COMPILED
#include <daig/optim/detail/make_optimizer.ipp>
#endif
