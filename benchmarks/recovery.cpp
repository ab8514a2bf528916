// What the death of a volunteer costs a run, and what it costs to be prepared for it.
//
// Kills: real jobs whose volunteers end themselves by SIGKILL inside the ring all-reduce (--die
// RANK:ring:STEP), one after the other until one is left. All times are the coordinator's, from
// the run's events.jsonl. The victim took part until step s - 1 was committed, and died in the ring
// of step s, so that
//
//     detection  from the commit of s - 1 until the victim is expelled: what is computed of s
//     before
//                the ring is in it, a few milliseconds, and the silence that the rules demand
//     beyond     from there until s is committed by those who are left
//
// Heartbeats: samples a second of undisturbed jobs, as they are and with limits so large that
// nobody sends more than one heartbeat a second; in turns, and compared by their medians. So is the
// processor time, which tells more where the machine is busy with other things, too.
//
//     recovery --kills 52 --repetitions 10

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include <daig/core/error.hpp>

#include "launcher/mpirun.hpp"

namespace {

using nlohmann::json;
namespace fs = std::filesystem;
using Words = std::vector<std::string>;

struct Options {
  std::string command = DAIG_COMMAND;
  std::string dataset = "fashion-mnist";
  std::string model = "mlp:784-32-10";
  int ranks = 6;
  int kills = 52;
  int repetitions = 10;
  bool json = false;
};

/// A folder for the runs; gone at the end.
class Workplace {
 public:
  Workplace() {
    std::string name = (fs::temp_directory_path() / "daig-recovery-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw daig::IoError("no folder can be made: " + name);
    path_ = name;
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  Workplace(Workplace&&) = delete;
  Workplace& operator=(Workplace&&) = delete;
  ~Workplace() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  /// A folder that no run has used.
  fs::path fresh() { return path_ / std::to_string(runs_++); }

 private:
  fs::path path_;
  int runs_ = 0;
};

/// Trains into a fresh folder; returns the report. @throws std::runtime_error when that fails.
json train(const Options& options, Workplace& place, const Words& more) {
  Words words{"timeout",
              "300",
              options.command,
              "train",
              "--json",
              "--quiet",
              "--dataset",
              options.dataset,
              "--model",
              options.model,
              "-n",
              std::to_string(options.ranks),
              "--run-dir",
              place.fresh()};
  words.insert(words.end(), more.begin(), more.end());
  const std::string line = daig::launcher::shell_text(words);
  FILE* output = ::popen(line.c_str(), "r");
  if (output == nullptr) throw daig::IoError("no process can be started");
  std::string text;
  std::array<char, 4096> piece{};
  for (std::size_t count; (count = std::fread(piece.data(), 1, piece.size(), output)) > 0;) {
    text.append(piece.data(), count);
  }
  if (::pclose(output) != 0) throw std::runtime_error("this job failed: " + line);
  return json::parse(text);
}

/// The loss of one volunteer, as the coordinator saw it.
struct Recovery {
  double detection_s = 0;
  double beyond_s = 0;
};

/// What became of the deaths (rank -> step) of one run.
std::vector<Recovery> recoveries(const fs::path& run, const std::map<int, int>& deaths) {
  std::map<int, double> committed_s;
  std::map<int, double> lost_s;
  std::ifstream lines(run / "events.jsonl");
  for (std::string line; std::getline(lines, line);) {
    const json event = json::parse(line);
    if (event.at("event") == "step_committed") committed_s[event.at("step")] = event.at("t");
    if (event.at("event") == "member_lost") lost_s.emplace(event.at("rank"), event.at("t"));
  }
  std::vector<Recovery> found;
  for (const auto& [rank, step] : deaths) {
    // A step that is committed with the expulsion is noted down before it.
    found.push_back({lost_s.at(rank) - committed_s.at(step - 1),
                     std::max(0.0, committed_s.at(step) - lost_s.at(rank))});
  }
  return found;
}

/// All but one volunteer of each job die, until there were enough.
std::vector<Recovery> measure_kills(const Options& options, Workplace& place) {
  constexpr int steps_between = 20;
  std::vector<Recovery> all;
  while (std::cmp_less(all.size(), options.kills)) {
    std::map<int, int> deaths;
    Words more{"--epochs", "1", "--k", "4", "--batch-size", "64"};
    for (int rank = options.ranks - 1; rank > 1; --rank) {
      const int step = steps_between * (options.ranks - rank);
      deaths[rank] = step;
      more.insert(more.end(), {"--die", fmt::format("{}:ring:{}", rank, step)});
    }
    const json report = train(options, place, more);
    const std::vector<Recovery> found = recoveries(report.at("run_dir"), deaths);
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

/// The value that this part of the others does not exceed (nearest rank). Expects some values.
double quantile(std::vector<double> values, double part) {
  std::ranges::sort(values);
  const auto rank = std::ceil(part * static_cast<double>(values.size()));
  return values[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

json print_kills(const std::vector<Recovery>& all) {
  fmt::print("{:>12} {:>6} {:>8} {:>8} {:>8} {:>8} {:>8}\n", "seconds", "kills", "min", "median",
             "p90", "p99", "max");
  json rows;
  const auto row = [&](const char* name, double Recovery::*value) {
    std::vector<double> values;
    for (const Recovery& recovery : all) values.push_back(recovery.*value);
    json figures;
    for (const auto& [figure, part] :
         {std::pair("min", 0.0), std::pair("median", 0.5), std::pair("p90", 0.9),
          std::pair("p99", 0.99), std::pair("max", 1.0)}) {
      figures[figure] = quantile(values, part);
    }
    fmt::print("{:>12} {:>6} {:>8.3f} {:>8.3f} {:>8.3f} {:>8.3f} {:>8.3f}\n", name, values.size(),
               figures["min"].get<double>(), figures["median"].get<double>(),
               figures["p90"].get<double>(), figures["p99"].get<double>(),
               figures["max"].get<double>());
    rows[name] = std::move(figures);
  };
  row("detection", &Recovery::detection_s);
  row("beyond", &Recovery::beyond_s);
  rows["count"] = all.size();
  return rows;
}

/// Processor time of all processes that were started here and have ended.
double processor_s() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Undisturbed jobs of one kind.
struct Jobs {
  const char* name;
  Words limits;
  std::vector<double> samples_per_s = {};
  std::vector<double> processor_s = {};  ///< start and end of a job included

  json figures() const { return {{"samples_per_s", samples_per_s}, {"processor_s", processor_s}}; }
};

/// Jobs with heartbeats as they are, in turns with jobs that have hardly any; each kind is the
/// first of a pair as often as the other, since what follows another job is not the same as what
/// begins.
json measure_heartbeats(const Options& options, Workplace& place) {
  Jobs usual{"usual", {}};
  Jobs rare{"rare", {"--silence-limit", "100000", "--orphan-limit", "200000"}};
  for (int i = 0; i < options.repetitions; ++i) {
    std::array pair{&usual, &rare};
    if (i % 2 == 1) std::ranges::reverse(pair);
    for (Jobs* jobs : pair) {
      Words words{"--epochs", "4"};
      words.insert(words.end(), jobs->limits.begin(), jobs->limits.end());
      const double before_s = processor_s();
      jobs->samples_per_s.push_back(train(options, place, words).at("samples_per_second"));
      jobs->processor_s.push_back(processor_s() - before_s);
    }
  }
  fmt::print("{:>12} {:>6} {:>14} {:>12}\n", "heartbeats", "runs", "samples_per_s", "processor_s");
  for (const Jobs* jobs : {&usual, &rare}) {
    fmt::print("{:>12} {:>6} {:>14.0f} {:>12.3f}\n", jobs->name, options.repetitions,
               quantile(jobs->samples_per_s, 0.5), quantile(jobs->processor_s, 0.5));
  }
  const double cost = 1 - quantile(usual.samples_per_s, 0.5) / quantile(rare.samples_per_s, 0.5);
  const double more = quantile(usual.processor_s, 0.5) / quantile(rare.processor_s, 0.5) - 1;
  fmt::print("they cost {:.2f} % of the samples a second, and {:.2f} % more processor time\n",
             100 * cost, 100 * more);
  return {{"usual", usual.figures()},
          {"rare", rare.figures()},
          {"cost", cost},
          {"more_processor_time", more}};
}

void run(const Options& options) {
  Workplace place;
  json result;
  if (options.kills > 0) result["kills"] = print_kills(measure_kills(options, place));
  if (options.repetitions > 0) result["heartbeats"] = measure_heartbeats(options, place);
  if (options.json) fmt::print("{}\n", result.dump());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Measures what the death of a volunteer costs a run, and what heartbeats cost.");
  app.add_option("--daig", options.command, "the daig command")->capture_default_str();
  app.add_option("--dataset", options.dataset)->capture_default_str();
  app.add_option("--model", options.model)->capture_default_str();
  app.add_option("-n,--ranks", options.ranks)->check(CLI::Range(3, 12))->capture_default_str();
  app.add_option("--kills", options.kills, "at least so many; 0: none")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--repetitions", options.repetitions, "undisturbed runs of each kind; 0: none")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_flag("--json", options.json, "the figures once more, as the last line");
  CLI11_PARSE(app, argc, argv);
#ifdef DAIG_NOT_RELEASE
  fmt::print(stderr, "warning: not a Release build, the figures mean little\n");
#endif
  try {
    run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "recovery: error: {}\n", error.what());
    return static_cast<int>(daig::ExitCode::failure);
  }
  return 0;
}
