// How long a step takes with K batches on P volunteers: the coordinator itself in virtual time,
// beside what theory says. Four rules:
//
//   K-sync         the first K volunteers, one batch each
//   K-batch-sync   the first K batches from anyone
//   named shards   the original DAIG's rule: K batches none of which stands for another, by all
//                  volunteers ...
//   ... default    ... and by its default of ceil(K/2) contributors
//
// Without --k: the table for P = 8, mu = 1, each figure beside one that an independent Monte Carlo
// run confirmed.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <daig/control/service_law.hpp>
#include <daig/control/simulator.hpp>

#include "k_batch_theory.hpp"

using namespace daig;
using namespace daig::control;
using k_batch::Expected;
using Json = nlohmann::ordered_json;

namespace {

struct Options {
  std::uint64_t volunteers = 8;
  std::optional<std::uint64_t> k;
  ServiceLaw law;
  std::uint64_t steps = 40'000;
  std::uint64_t seed = 1;
  std::uint64_t tickets_in_hand = 2;
  double tolerance_percent = 2;
  bool json = false;
};

/// One rule's mean step time, and what is known of it.
struct Figure {
  const char* name;
  std::optional<double> measured_s{};  ///< nothing: the rule is not defined here
  std::optional<Expected> theory{};
  std::optional<double> confirmed_s{};  ///< by an independent Monte Carlo run
  std::uint64_t events = 0;
  double wall_s = 0;
};

struct Row {
  std::uint64_t volunteers;
  std::uint64_t k;
  ServiceLaw law;
  std::vector<Figure> figures;
};

// Measuring -------------------------------------------------------------------------------------

Figure measure(const char* name, const Rules& rules, const Options& options,
               const ServiceLaw& law) {
  // Always more work than is asked for, so that no step is the run's last.
  constexpr std::uint64_t batches_a_shard = 64;
  const data::ShardPlan plan(batches_a_shard * options.volunteers, 1, options.volunteers);
  const std::uint64_t batches =
      options.steps * rules.k + 2 * options.volunteers * options.tickets_in_hand;
  const std::uint64_t epochs = batches / plan.batches() + 2;
  expects(epochs <= UINT32_MAX, "epochs that can be counted");

  Fleet fleet;
  fleet.volunteers = options.volunteers;
  fleet.seed = options.seed;
  fleet.tick_s = law.mean_s();
  fleet.service_s = [law](Rank, Random& random) { return law.draw(random); };
  Simulator simulator(rules, BatchQueue(plan, Epoch{static_cast<std::uint32_t>(epochs)}), fleet);
  const TimePoint start = Clock::now();
  simulator.run(options.steps);
  expects(simulator.coordinator().version().value() == options.steps, "all steps to be committed");
  const double mean_s = seconds(simulator.now()) / static_cast<double>(options.steps);
  return {name, mean_s, {}, {}, simulator.events(), seconds(Clock::now() - start)};
}

Row measure_rules(const Options& options, std::uint64_t k, const ServiceLaw& law) {
  const std::uint64_t volunteers = options.volunteers;
  Rules rules;
  rules.k = k;
  rules.tickets_in_hand = options.tickets_in_hand;
  Row row{volunteers, k, law, {}};

  Rules equal_shares = rules;
  equal_shares.balance = 1;
  row.figures.push_back(k <= volunteers ? measure("k_sync", equal_shares, options, law)
                                        : Figure{.name = "k_sync"});
  row.figures.back().theory = k_batch::k_sync(law, volunteers, k);

  row.figures.push_back(measure("k_batch_sync", rules, options, law));
  row.figures.back().theory = k_batch::k_batch_sync(law, volunteers, k);

  Rules named = rules;
  named.supply = Supply::named_k;
  named.tickets_in_hand = 1;
  for (const auto& [name, most] :
       {std::pair{"named_shards", k}, {"named_shards_default", k / 2 + k % 2}}) {
    named.max_contributors = std::min(volunteers, most);
    row.figures.push_back(measure(name, named, options, law));
    row.figures.back().theory = k_batch::named_shards(law, named.max_contributors, k);
  }
  return row;
}

/// P = 8, mu = 1, shift 0 and 1. Dashes, and the original's rules with a shift, have no figure.
std::vector<Row> measure_table(const Options& options) {
  const std::optional<double> none;
  using Confirmed = std::vector<std::optional<double>>;
  const std::vector<std::pair<std::uint64_t, std::pair<Confirmed, Confirmed>>> table{
      {1, {{0.125, 0.125, 1.0, 1.0}, {1.125, 1.125, none, none}}},
      {4, {{0.6345, 0.5, 2.07, 2.49}, {1.6345, 1.631, none, none}}},
      {8, {{2.7179, 1.0, 2.73, 3.09}, {3.7179, 2.669, none, none}}},
      {16, {{none, 2.0, 3.72, 3.72}, {none, 4.658, none, none}}}};
  std::vector<Row> rows;
  for (const double shift_s : {0.0, 1.0}) {
    for (const auto& [k, confirmed] : table) {
      rows.push_back(measure_rules(options, k, {.shift_s = shift_s}));
      const Confirmed& figures = shift_s == 0 ? confirmed.first : confirmed.second;
      for (std::size_t i = 0; i < figures.size(); ++i) {
        rows.back().figures[i].confirmed_s = figures[i];
      }
    }
  }
  return rows;
}

// Comparing -------------------------------------------------------------------------------------

double percent(double measured, double wanted) {
  return 100 * (measured - wanted) / wanted;
}

/// Per cent that the measured figure lies outside of what theory allows: 0 between its bounds.
std::optional<double> off_theory(const Figure& figure) {
  if (!figure.measured_s || !figure.theory) return std::nullopt;
  const auto [least_s, most_s] = *figure.theory;
  if (least_s < most_s && *figure.measured_s >= least_s && *figure.measured_s <= most_s) return 0;
  return percent(*figure.measured_s, *figure.measured_s < least_s ? least_s : most_s);
}

std::optional<double> off_confirmed(const Figure& figure) {
  if (!figure.measured_s || !figure.confirmed_s) return std::nullopt;
  return percent(*figure.measured_s, *figure.confirmed_s);
}

// Reporting -------------------------------------------------------------------------------------

std::string text(std::optional<double> value, const char* format) {
  return value ? fmt::format(fmt::runtime(format), *value) : "-";
}

std::string text(const std::optional<Expected>& theory) {
  if (!theory) return "-";
  if (theory->least_s == theory->most_s) return fmt::format("{:.4f}", theory->least_s);
  return fmt::format("{:.4f}..{:.4f}", theory->least_s, theory->most_s);
}

std::string text(const ServiceLaw& law) {
  if (law.shape == ServiceLaw::Shape::pareto) {
    return fmt::format("{:g} Pareto({:g})", law.shift_s, law.tail);
  }
  return fmt::format("{:g} + Exp({:g})", law.shift_s, law.rate);
}

void print(std::FILE* out, const std::vector<Row>& rows) {
  constexpr const char* line =
      "{:>5} {:>5}  {:<14} {:<21} {:>10} {:>17} {:>8} {:>10} {:>8} {:>9}\n";
  fmt::print(out, line, "P", "K", "service", "rule", "measured", "theory", "off %", "confirmed",
             "off %", "ns/event");
  for (const Row& row : rows) {
    for (const Figure& figure : row.figures) {
      const auto pace = figure.events == 0
                            ? std::optional<double>{}
                            : 1e9 * figure.wall_s / static_cast<double>(figure.events);
      fmt::print(out, line, row.volunteers, row.k, text(row.law), figure.name,
                 text(figure.measured_s, "{:.4f}"), text(figure.theory),
                 text(off_theory(figure), "{:+.2f}"), text(figure.confirmed_s, "{:g}"),
                 text(off_confirmed(figure), "{:+.2f}"), text(pace, "{:.0f}"));
    }
  }
}

Json to_json(const Options& options, const Row& row) {
  const bool pareto = row.law.shape == ServiceLaw::Shape::pareto;
  Json json{{"volunteers", row.volunteers},
            {"k", row.k},
            {"distribution", pareto ? "pareto" : "exponential"},
            {"shift", row.law.shift_s}};
  json[pareto ? "tail" : "rate"] = pareto ? row.law.tail : row.law.rate;
  json["steps"] = options.steps;
  json["seed"] = options.seed;
  for (const Figure& figure : row.figures) {
    Json& entry = json[figure.name];
    if (!figure.measured_s) continue;  // null
    entry["measured"] = *figure.measured_s;
    if (figure.theory && figure.theory->least_s == figure.theory->most_s) {
      entry["theory"] = figure.theory->least_s;
    } else if (figure.theory) {
      entry["theory_least"] = figure.theory->least_s;
      entry["theory_most"] = figure.theory->most_s;
    }
    if (figure.confirmed_s) entry["confirmed"] = *figure.confirmed_s;
  }
  return json;
}

/// The largest difference that any figure has, in per cent.
double worst(const std::vector<Row>& rows) {
  double most = 0;
  for (const Row& row : rows) {
    for (const Figure& figure : row.figures) {
      for (const auto& off : {off_theory(figure), off_confirmed(figure)}) {
        most = std::max(most, std::abs(off.value_or(0)));
      }
    }
  }
  return most;
}

int report(const Options& options) {
  std::vector<Row> rows;
  if (options.k) {
    rows.push_back(measure_rules(options, *options.k, options.law));
  } else {
    rows = measure_table(options);
  }
  std::FILE* const people = options.json ? stderr : stdout;
  print(people, rows);
  fmt::print(people, "largest difference {:.2f} %, in {} steps a figure\n", worst(rows),
             options.steps);
  if (options.json && options.k) {
    fmt::print("{}\n", to_json(options, rows[0]).dump());
  } else if (options.json) {
    Json table = Json::array();
    for (const Row& row : rows) table.push_back(to_json(options, row));
    fmt::print("{}\n", Json{{"table", table}}.dump());
  }
  if (options.k || worst(rows) <= options.tolerance_percent) return 0;
  fmt::print(stderr, "k_batch: a figure is more than {:g} % off\n", options.tolerance_percent);
  return static_cast<int>(ExitCode::failure);
}

// The command line ------------------------------------------------------------------------------

void check(const Options& options) {
  const auto within = [](const char* name, std::uint64_t value, std::uint64_t most) {
    if (value == 0 || value > most) {
      throw UsageError(fmt::format("--{} is {}: give a number from 1 to {}", name, value, most));
    }
  };
  within("volunteers", options.volunteers, 100'000);
  within("k", options.k.value_or(1), 1'000'000);
  within("steps", options.steps, 100'000'000);
  within("tickets-in-hand", options.tickets_in_hand, max_tickets_in_hand);
  if (!(options.tolerance_percent > 0)) throw UsageError("--tolerance must be above 0");
  options.law.check();
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app{
      "Mean time of a step with K batches on P simulated volunteers, measured with the "
      "coordinator itself and beside theory. Without --k: the whole table for P = 8, "
      "mu = 1; the exit code tells whether all figures agree."};
  auto* k = app.add_option("--k", options.k, "Batches that make a step");
  std::vector<CLI::Option*> single{
      app.add_option("--volunteers", options.volunteers, "P")->capture_default_str(),
      app.add_option("--shift", options.law.shift_s, "Least service time, s")
          ->capture_default_str(),
      app.add_option("--rate", options.law.rate, "mu of the exponential part, 1/s")
          ->capture_default_str(),
      app.add_option("--tail", options.law.tail, "Exponent of a Pareto service time")
          ->capture_default_str(),
      app.add_option("--distribution", options.law.shape, "exponential (shifted), or pareto")
          ->transform(CLI::CheckedTransformer(std::map<std::string, ServiceLaw::Shape>{
              {"exponential", ServiceLaw::Shape::exponential},
              {"pareto", ServiceLaw::Shape::pareto}}))};
  for (CLI::Option* option : single) option->needs(k);  // the table has values of its own
  app.add_option("--steps", options.steps, "Steps to measure over")->capture_default_str();
  app.add_option("--seed", options.seed, "Seed of the service times")->capture_default_str();
  app.add_option("--tickets-in-hand", options.tickets_in_hand, "Prefetch, K-sync and K-batch-sync")
      ->capture_default_str();
  app.add_option("--tolerance", options.tolerance_percent, "Of the table, in per cent")
      ->capture_default_str();
  app.add_flag("--json", options.json, "One JSON object on stdout; the table goes to stderr");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::usage);
  }
  check(options);
  return report(options);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Error& error) {
    fmt::print(stderr, "k_batch: {}\n", error.what());
    return static_cast<int>(error.exit_code());
  } catch (const std::exception& error) {
    fmt::print(stderr, "k_batch: {}\n", error.what());
    return static_cast<int>(ExitCode::failure);
  }
}
