#include <charconv>
#include <limits>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/store/run_plan.hpp>

namespace daig::store {

namespace {

/// Reads a number in 1 ... max.
std::uint64_t number(const Configuration& configuration, const char* key, std::uint64_t max,
                     std::string_view where) {
  const auto found = configuration.find(key);
  if (found == configuration.end()) {
    throw InputError(where, fmt::format("the run's configuration lacks '{}'", key));
  }
  const std::string& text = found->second;
  const char* end = text.data() + text.size();
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value == 0 || value > max) {
    throw InputError(where, fmt::format("the run's configuration says {} = '{}', which is not a "
                                        "number from 1 to {}",
                                        key, text, max));
  }
  return value;
}

}  // namespace

RunPlan run_plan(const Configuration& configuration, std::string_view where) {
  // The bounds keep sums and products of the plan within 64 bits, and counts within SQLite's.
  constexpr std::uint64_t many = std::uint64_t{1} << 48;
  const std::uint64_t samples = number(configuration, "samples", many, where);
  const std::uint64_t batch_size = number(configuration, "batch_size", many, where);
  const std::uint64_t shards =
      number(configuration, "shards", std::numeric_limits<ShardId::rep>::max(), where);
  const std::uint64_t epochs =
      number(configuration, "epochs", std::numeric_limits<Epoch::rep>::max(), where);
  const std::uint64_t k = number(configuration, "k", many, where);
  const std::uint64_t batches = (samples + batch_size - 1) / batch_size;
  if (shards > batches) {
    throw InputError(where, fmt::format("the run's configuration has {} shards for {} batches; a "
                                        "shard holds at least one batch",
                                        shards, batches));
  }
  if (batches > (many << 8) / epochs) {
    throw InputError(where, fmt::format("the run's configuration asks for {} epochs of {} batches, "
                                        "which is absurd",
                                        epochs, batches));
  }
  return {data::ShardPlan(samples, batch_size, shards), epochs, k};
}

Configuration configuration_of(const RunPlan& plan) {
  return {{"samples", fmt::to_string(plan.data.samples())},
          {"batch_size", fmt::to_string(plan.data.batch_size())},
          {"shards", fmt::to_string(plan.data.shards())},
          {"epochs", fmt::to_string(plan.epochs)},
          {"k", fmt::to_string(plan.k)}};
}

}  // namespace daig::store
