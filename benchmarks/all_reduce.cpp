// The ring all-reduce beside MPI_Allreduce, in the conventions of nccl-tests: bytes are those of
// one rank's values; algbw = bytes / time; busbw = algbw * 2(n-1)/n, what every link had to carry;
// both in 1e9 bytes a second. A time is the maximum over the ranks of the median over the
// iterations, which follow each other without a barrier.
//
//     mpirun -n 4 all_reduce
//     all_reduce --in-process 4

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <mpi.h>

#include <daig/collective/all_reduce.hpp>
#include <daig/collective/naive_all_reduce.hpp>
#include <daig/comm/in_process.hpp>
#include <daig/comm/mpi.hpp>

namespace {

using namespace daig;

struct Options {
  std::uint64_t min_bytes = 4;
  std::uint64_t max_bytes = std::uint64_t{256} << 20;
  std::uint64_t factor = 4;
  int warmup = 2;
  int iterations = 0;
  bool in_place = false;
  bool out_of_place = false;
  int in_process = 0;
  bool json = false;
  collective::RingOptions ring;
};

struct Row {
  std::string name;
  std::uint64_t bytes;
  int ranks;
  bool in_place;
  double median_s;
  double errors;

  double algbw_gbs() const { return static_cast<double>(bytes) / median_s / 1e9; }
  double busbw_gbs() const { return algbw_gbs() * 2 * (ranks - 1) / ranks; }
};

using AllReduce = std::function<void(std::span<const float>, std::span<float>)>;
struct Algorithm {
  std::string name;
  AllReduce run;
};

/// One rank's part in all measurements; they are collective.
class Bench {
 public:
  Bench(comm::Communicator& ranks, const Options& options) : ranks_(ranks), options_(options) {}

  bool prints() const { return ranks_.rank() == Rank{0}; }
  Algorithm ring();
  static Algorithm mpi_allreduce();
  Row measure(const Algorithm& algorithm, std::uint64_t bytes, bool in_place);
  std::vector<Row> run(const std::vector<Algorithm>& algorithms);

 private:
  static Deadline patience() { return Deadline::in(std::chrono::minutes(5)); }
  comm::ExchangeId next_exchange() { return exchange_ = exchange_.next(); }
  std::vector<double> gather(double mine);
  double time_of(const std::function<void()>& body);
  double count_errors(const Algorithm& algorithm, std::span<float> in, std::span<float> out);
  int iterations_for(double once_s) const;

  comm::Communicator& ranks_;
  const Options& options_;
  comm::View view_ = comm::view_of_all(ranks_.size());
  comm::ExchangeId exchange_;
};

Algorithm Bench::ring() {
  return {"daig_ring", [this](std::span<const float> in, std::span<float> out) {
            collective::all_reduce(ranks_, view_, next_exchange(), in, out, patience(),
                                   options_.ring);
          }};
}

Algorithm Bench::mpi_allreduce() {
  return {"mpi_allreduce", [](std::span<const float> in, std::span<float> out) {
            const void* from = in.data() == out.data() ? MPI_IN_PLACE : in.data();
            MPI_Allreduce(from, out.data(), static_cast<int>(out.size()), MPI_FLOAT, MPI_SUM,
                          MPI_COMM_WORLD);
          }};
}

/// Every rank's value, by way of a sum in which each has a slot of its own. Also a barrier.
std::vector<double> Bench::gather(double mine) {
  std::vector<double> values(view_.size());
  values[static_cast<std::size_t>(ranks_.rank().value())] = mine;
  collective::naive_all_reduce<double>(ranks_, view_, next_exchange(), values, values, patience());
  return values;
}

double Bench::time_of(const std::function<void()>& body) {
  const TimePoint begin = Clock::now();
  body();
  return seconds(Clock::now() - begin);
}

/// Small integers, whose sum is exact; the errors of all ranks.
double Bench::count_errors(const Algorithm& algorithm, std::span<float> in, std::span<float> out) {
  const auto input = [](std::size_t i, std::size_t rank) {
    return static_cast<float>((i + 3 * rank) % 17);
  };
  const auto rank = static_cast<std::size_t>(ranks_.rank().value());
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = input(i, rank);
  algorithm.run(in, out);
  std::vector<float> expected(17);  // the sum repeats, as the inputs do
  for (std::size_t i = 0; i < expected.size(); ++i) {
    for (std::size_t r = 0; r < view_.size(); ++r) expected[i] += input(i, r);
  }
  double errors = 0;
  for (std::size_t i = 0; i < out.size(); ++i) errors += out[i] == expected[i % 17] ? 0 : 1;
  const std::vector<double> all = gather(errors);
  return std::accumulate(all.begin(), all.end(), 0.0);
}

/// As many as fit in a third of a second, at least 3, at most 2000.
int Bench::iterations_for(double once_s) const {
  if (options_.iterations > 0) return options_.iterations;
  return static_cast<int>(std::clamp(0.33 / once_s, 3.0, 2000.0));
}

Row Bench::measure(const Algorithm& algorithm, std::uint64_t bytes, bool in_place) {
  std::vector<float> out(bytes / sizeof(float));
  std::vector<float> separate(in_place ? 0 : out.size());
  const std::span<float> in = in_place ? out : separate;
  const double errors = count_errors(algorithm, in, out);

  std::ranges::fill(in, 0.0F);  // sums in place would grow without bound
  const auto once = [&] { return time_of([&] { algorithm.run(in, out); }); };
  double warm_s = once();
  for (int i = 1; i < options_.warmup; ++i) warm_s = once();
  const int iterations = iterations_for(std::ranges::max(gather(warm_s)));
  std::vector<double> times;
  for (int i = 0; i < iterations; ++i) times.push_back(once());
  const auto middle = times.begin() + iterations / 2;
  std::ranges::nth_element(times, middle);
  return {algorithm.name, bytes, ranks_.size(), in_place, std::ranges::max(gather(*middle)),
          errors};
}

std::vector<Row> Bench::run(const std::vector<Algorithm>& algorithms) {
  const bool both = options_.in_place == options_.out_of_place;
  std::vector<bool> placements;
  if (both || options_.out_of_place) placements.push_back(false);
  if (both || options_.in_place) placements.push_back(true);

  if (prints()) {
    fmt::print("{:>13} {:>12} {:>6} {:>9} {:>12} {:>10} {:>10} {:>7}\n", "name", "bytes", "ranks",
               "in_place", "median_us", "algbw_gbs", "busbw_gbs", "errors");
  }
  std::vector<Row> rows;
  for (std::uint64_t bytes = options_.min_bytes; bytes <= options_.max_bytes;
       bytes *= options_.factor) {
    for (const bool in_place : placements) {
      for (const Algorithm& algorithm : algorithms) {
        rows.push_back(measure(algorithm, bytes, in_place));
        const Row& row = rows.back();
        if (!prints()) continue;
        fmt::print("{:>13} {:>12} {:>6} {:>9} {:>12.1f} {:>10.3f} {:>10.3f} {:>7}\n", row.name,
                   row.bytes, row.ranks, row.in_place, row.median_s * 1e6, row.algbw_gbs(),
                   row.busbw_gbs(), row.errors);
        std::fflush(stdout);
      }
    }
  }
  return rows;
}

/// @returns the exit code: whether all sums were right.
int report(const std::vector<Row>& rows, const Options& options) {
  if (options.json) {
    std::vector<std::string> lines;
    for (const Row& row : rows) {
      lines.push_back(fmt::format(
          R"({{"name":"{}","bytes":{},"ranks":{},"in_place":{},"median_s":{},"algbw_gbs":{},)"
          R"("busbw_gbs":{}}})",
          row.name, row.bytes, row.ranks, row.in_place, row.median_s, row.algbw_gbs(),
          row.busbw_gbs()));
    }
    fmt::print("{{\"rows\":[{}]}}\n", fmt::join(lines, ","));
  }
  const bool right = std::ranges::all_of(rows, [](const Row& row) { return row.errors == 0; });
  return static_cast<int>(right ? ExitCode::success : ExitCode::failure);
}

int run_here(const Options& options) {
  int result = 0;
  comm::run_in_process(options.in_process, [&](comm::Communicator& ranks) {
    Bench bench(ranks, options);
    const std::vector<Row> rows = bench.run({bench.ring()});
    if (bench.prints()) result = report(rows, options);
  });
  return result;
}

int run_under_mpi(const Options& options) {
  comm::MpiEnvironment environment;
  const auto world = environment.world();
  Bench bench(*world, options);
  const std::vector<Row> rows = bench.run({bench.ring(), Bench::mpi_allreduce()});
  return bench.prints() ? report(rows, options) : 0;
}

/// MPI is initialised as mpirun sets it up. MpiEnvironment would keep it from yielding, which the
/// ring has no use for, but without which MPI_Allreduce is lost where ranks outnumber cores.
int run_under_stock_mpi(const Options& options) {
  int level = MPI_THREAD_SINGLE;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &level);
  const int result = run_under_mpi(options);
  MPI_Finalize();
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Measures the ring all-reduce beside MPI_Allreduce.");
  app.add_option("--min-bytes", options.min_bytes)
      ->check(CLI::Range(std::uint64_t{4}, std::uint64_t{1} << 40));
  app.add_option("--max-bytes", options.max_bytes)
      ->check(CLI::Range(std::uint64_t{4}, (std::uint64_t{1} << 33) - 4));
  app.add_option("--factor", options.factor)->check(CLI::Range(2, 1024));
  app.add_option("--warmup", options.warmup, "untimed iterations")->check(CLI::PositiveNumber);
  app.add_option("--iterations", options.iterations, "timed ones; 0: as many as seem right");
  app.add_flag("--in-place", options.in_place, "only in place");
  app.add_flag("--out-of-place", options.out_of_place, "only out of place");
  app.add_option("--in-process", options.in_process, "so many ranks as threads, without mpirun")
      ->check(CLI::Range(1, 64));
  app.add_option("--segment-bytes", options.ring.segment_bytes)->check(CLI::PositiveNumber);
  app.add_option("--window", options.ring.window)->check(CLI::PositiveNumber);
  app.add_flag("--json", options.json, "all rows once more, as the last line");
  CLI11_PARSE(app, argc, argv);
#ifdef DAIG_NOT_RELEASE
  fmt::print(stderr, "warning: not a Release build, the figures mean little\n");
#endif
  return options.in_process > 0 ? run_here(options) : run_under_stock_mpi(options);
}
