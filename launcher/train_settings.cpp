#include "train_settings.hpp"

#include <charconv>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <limits>
#include <optional>
#include <sstream>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <daig/core/error.hpp>
#include <daig/optim/make_optimizer.hpp>
#include <daig/optim/schedule.hpp>

namespace daig::launcher {
namespace {

/// Writes every setting by name; ConfigurationReader takes the same names.
class ConfigurationWriter {
 public:
  explicit ConfigurationWriter(store::Configuration& into) : into_(into) {}

  void operator()(const char* name, const std::string& value) { into_[name] = value; }
  void operator()(const char* name, const std::filesystem::path& value) {
    into_[name] = value.string();
  }
  void operator()(const char* name, bool value) { into_[name] = value ? "1" : "0"; }
  template <class Number>
  requires std::is_arithmetic_v<Number>
  void operator()(const char* name, Number value) { into_[name] = fmt::format("{}", value); }
  void operator()(const char* name, const Duration& value) { (*this)(name, seconds(value)); }
  void operator()(const char* name, const std::optional<std::uint64_t>& value) {
    into_[name] = value ? fmt::to_string(*value) : "";
  }
  void operator()(const char* name, const DataWords& words) {
    into_[name] = fmt::format("{}", fmt::join(words, "\n"));
  }
  void operator()(const char* name, const std::map<Rank, double>& factors) {
    std::string text;
    for (const auto& [rank, factor] : factors) text += fmt::format("{}:{} ", rank.value(), factor);
    into_[name] = text;
  }
  void operator()(const char* name, const std::map<Rank, Death>& deaths) {
    std::string text;
    for (const auto& [rank, death] : deaths) {
      text += fmt::format("{}:{}:{} ", rank.value(),
                          train::milestone_names[static_cast<std::size_t>(death.milestone)],
                          death.step);
    }
    into_[name] = text;
  }

 private:
  store::Configuration& into_;
};

class ConfigurationReader {
 public:
  ConfigurationReader(const store::Configuration& from, const std::string& where)
      : from_(from), where_(where) {}

  void operator()(const char* name, std::string& value) { value = text(name); }
  void operator()(const char* name, std::filesystem::path& value) { value = text(name); }
  void operator()(const char* name, bool& value) { value = parse<int>(name, text(name)) != 0; }
  template <class Number>
  requires std::is_arithmetic_v<Number>
  void operator()(const char* name, Number& value) { value = parse<Number>(name, text(name)); }
  void operator()(const char* name, Duration& value) {
    value = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(parse<double>(name, text(name))));
  }
  void operator()(const char* name, std::optional<std::uint64_t>& value) {
    const std::string& given = text(name);
    value.reset();
    if (!given.empty()) value = parse<std::uint64_t>(name, given);
  }
  void operator()(const char* name, DataWords& words) {
    words.clear();
    std::istringstream lines(text(name));
    for (std::string line; std::getline(lines, line);) words.push_back(line);
  }
  void operator()(const char* name, std::map<Rank, double>& factors) {
    std::string_view rest = text(name);
    while (!rest.empty()) {
      const std::string_view word = rest.substr(0, rest.find(' '));
      const auto colon = std::min(word.find(':'), word.size());
      factors[Rank{parse<int>(name, word.substr(0, colon))}] =
          parse<double>(name, word.substr(std::min(colon + 1, word.size())));
      rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    }
  }
  void operator()(const char* name, std::map<Rank, Death>& deaths) {
    std::istringstream words(text(name));
    for (std::string word; words >> word;) deaths.insert(parse_death(word));
  }

 private:
  const std::string& text(const char* name) const {
    const auto found = from_.find(name);
    if (found != from_.end()) return found->second;
    throw InputError(where_, fmt::format("the run's configuration lacks '{}'", name));
  }
  template <class Number>
  Number parse(const char* name, std::string_view text) const {
    Number value{};
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc() && stop == end) return value;
    throw InputError(where_, fmt::format("the run's configuration says {} = '{}', which is not "
                                         "the number that it should be",
                                         name, text));
  }

  const store::Configuration& from_;
  const std::string& where_;
};

/// Shows every setting to `visit`, by name: the one list of them.
void visit_settings(auto& settings, auto&& visit) {
  visit("dataset", settings.data.dataset);
  visit("data", settings.data.data);
  visit("labels", settings.data.labels);
  visit("test_data", settings.data.test_data);
  visit("test_labels", settings.data.test_labels);
  visit("validation_data", settings.data.validation_data);
  visit("validation_labels", settings.data.validation_labels);
  visit("validation_split", settings.data.validation_split);
  visit("scale", settings.data.scale);
  visit("model", settings.model);
  visit("out", settings.out);
  visit("snapshot_every", settings.snapshot_every);
  visit("keep_snapshots", settings.keep_snapshots);
  auto& options = settings.options;
  visit("k", options.k);
  visit("batch_size", options.batch_size);
  visit("epochs", options.epochs);
  visit("shards", options.shards);
  visit("balance", options.balance);
  visit("seed", options.seed);
  visit("shuffle_seed", options.shuffle_seed);
  visit("schedule", options.schedule);
  visit("coordinator_trains", options.coordinator_trains);
  visit("cache_bytes", options.cache_bytes);
  visit("nice", options.nice);
  visit("silence_limit_s", options.silence_limit);
  visit("orphan_limit_s", options.orphan_limit);
  visit("exchange_limit_s", options.exchange_limit);
  visit("lonely_limit_s", options.lonely_limit);
  visit("norm_factor", options.norm_factor);
  visit("slow", options.slowdown);
  visit("die", settings.deaths);
  optim::visit_options(options.optimizer, visit);
  visit("keras_state", settings.keras_state);
  visit("early_stop", settings.early_stop);
  visit("min_delta", settings.min_delta);
  visit("history", settings.history);
  visit("save_best", settings.save_best);
  visit("max_contributors", options.max_contributors);
  auto& local = settings.local;
  visit("local_training", local.on);
  visit("total_tasks", local.total_tasks);
  visit("local_epochs", local.epochs);
  visit("local_batch_size", local.batch_size);
  optim::visit_options(local.optimizer, [&visit](const char* name, auto& value) {
    visit((std::string("local_") + name).c_str(), value);
  });
}

void check_count(const char* option, std::uint64_t value, std::uint64_t most, const char* why) {
  if (value >= 1 && value <= most) return;
  throw UsageError(fmt::format("{} {}: {}; give a number from 1 to {}", option, value, why, most));
}

}  // namespace

std::pair<Rank, Death> parse_death(const std::string& word) {
  const std::size_t first = word.find(':');
  const std::size_t second = word.find(':', first + 1);
  const auto number = [](std::string_view text, auto& value) {
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && stop == text.data() + text.size();
  };
  Rank::rep rank = 0;
  Death death{};
  std::optional<train::Milestone> milestone;
  if (first != word.npos && second != word.npos && number(word.substr(0, first), rank) &&
      number(word.substr(second + 1), death.step)) {
    milestone = train::milestone_named(word.substr(first + 1, second - first - 1));
  }
  if (!milestone || rank < 0) {
    throw UsageError(
        fmt::format("--die {}: write RANK:POINT:STEP, as in --die 2:ring:10; the points "
                    "are {}",
                    word, fmt::join(train::milestone_names, ", ")));
  }
  if (train::is_of_coordinator(*milestone) && Rank{rank} != coordinator_rank) {
    throw UsageError(
        fmt::format("--die {}: only rank 0, the coordinator, comes to this point", word));
  }
  death.milestone = *milestone;
  return {Rank{rank}, death};
}

train::Options options_of(const TrainSettings& settings, Rank rank) {
  train::Options options = settings.options;
  const auto death = settings.deaths.find(rank);
  // A coordinator that is started again has died already.
  const char* attempt = std::getenv("DAIG_ATTEMPT");
  const bool again = attempt != nullptr && std::string_view(attempt) != "1";
  if (death == settings.deaths.end() || (again && rank == coordinator_rank)) return options;
  options.on_milestone = [death = death->second](train::Milestone milestone, Version version) {
    if (milestone == death.milestone && version.value() >= death.step) std::raise(SIGKILL);
  };
  return options;
}

void check(const TrainSettings& settings) {
  constexpr std::uint64_t many = std::uint64_t{1} << 40;
  const train::Options& options = settings.options;
  check_count("--k", options.k, many, "a step takes K batches, at least one");
  check_count("--batch-size", options.batch_size, many, "a batch has at least one sample");
  check_count("--epochs", options.epochs, std::numeric_limits<Epoch::rep>::max(),
              "a run passes over the dataset at least once");
  if (!(options.balance >= 0 && options.balance <= 1)) {
    throw UsageError(
        fmt::format("--balance {}: it lies between 0 (whoever is first) and 1 (equal shares)",
                    options.balance));
  }
  for (const auto& [rank, factor] : options.slowdown) {
    if (rank.value() >= 0 && factor >= 1 && factor <= 1e6) continue;
    throw UsageError(
        fmt::format("--slow {}:{}: a rank, from 0 on, is slowed down by a factor of 1 "
                    "or more",
                    rank.value(), factor));
  }
  if (options.silence_limit < std::chrono::milliseconds(100)) {
    throw UsageError("--silence-limit: no machine answers that fast; give 0.1 seconds or more");
  }
  if (options.orphan_limit <= options.silence_limit) {
    throw UsageError(
        "--orphan-limit: a volunteer must not give the coordinator up before the coordinator gives "
        "it up; give more than --silence-limit");
  }
  if (!(options.norm_factor > 1)) {
    throw UsageError(fmt::format("--norm-factor {}: give a number above 1", options.norm_factor));
  }
  static_cast<void>(scale_of(settings.data.scale));
  if (!(settings.min_delta >= 0)) {
    throw UsageError(fmt::format("--min-delta {}: give a number from 0 on", settings.min_delta));
  }
  if (settings.local.on) {
    check_count("--local-epochs", settings.local.epochs, 1'000'000,
                "a volunteer goes over its task at least once");
    check_count("--batch-size", settings.local.batch_size, many, "a batch has at least one sample");
    static_cast<void>(optim::make_optimizer(settings.local.optimizer, 0));
  }
  static_cast<void>(optim::make_schedule(options.schedule));
  static_cast<void>(optim::make_optimizer(options.optimizer, 0));
}

bool watches_epochs(const TrainSettings& settings) {
  return settings.early_stop > 0 || !settings.history.empty() || !settings.save_best.empty() ||
         settings.data.validation_split > 0 || !settings.data.validation_data.empty();
}

store::Configuration configuration_of(const TrainSettings& settings) {
  store::Configuration configuration;
  visit_settings(settings, ConfigurationWriter(configuration));
  return configuration;
}

TrainSettings settings_of(const store::Configuration& configuration, const std::string& where) {
  TrainSettings settings;
  visit_settings(settings, ConfigurationReader(configuration, where));
  return settings;
}

}  // namespace daig::launcher
