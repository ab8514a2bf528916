#pragma once

/// What every rank of a session must see, whatever moves its bytes. Each case is run by all ranks.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <daig/train/session.hpp>

#include "support/ranks.hpp"

namespace daig::test {

struct SessionCase {
  std::string name;
  RankBody run;
};

inline std::ostream& operator<<(std::ostream& out, const SessionCase& session_case) {
  return out << session_case.name;
}

/// Keeps the records of a run.
class Records : public metrics::Recorder {
 public:
  void step_committed(const metrics::StepRecord& step) override { steps.push_back(step); }
  std::vector<metrics::StepRecord> steps;
};

/// Small whole numbers: their sums are exact, in any order.
inline float gradient_of(const control::Work& work, std::size_t weight) {
  return static_cast<float>((work.epoch.value() * 7 + work.batch.value() * 3 + weight) % 16);
}

constexpr std::size_t weight_count = 1001;

struct WholeNumbers {
  std::optional<train::Contribution> gradient(const control::Work& work,
                                              std::span<const float> /*weights*/,
                                              std::span<float> gradient,
                                              const std::stop_token& /*stop*/) {
    for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] = gradient_of(work, i);
    return train::Contribution{2.0, 1};
  }
};

/// One sample a batch, and a rate that is a power of two: the final weights are exact.
inline train::Options whole_number_options(std::uint64_t k, std::uint64_t epochs) {
  train::Options options;
  options.k = k;
  options.batch_size = 1;
  options.epochs = epochs;
  options.optimizer.learning_rate = 0.25;
  return options;
}

/// The ledger's invariants; problems are rank 0's.
inline void check_records(const std::vector<metrics::StepRecord>& steps, std::uint64_t batches,
                          const train::Options& options, Problems& problems) {
  std::map<control::Work, int> committed;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    problems.check(steps[i].step.value() == i, "steps come in order");
    const bool full = steps[i].batches.size() == options.k;
    problems.check(full || i + 1 == steps.size(), "every step but the last has K batches");
    for (const auto& batch : steps[i].batches) ++committed[{batch.epoch, batch.batch}];
  }
  problems.check(committed.size() == batches * options.epochs, "all batches were committed");
  for (const auto& [work, times] : committed) problems.check(times == 1, "exactly once");
}

/// Runs WholeNumbers over `batches` batches an epoch and checks weights and records everywhere.
inline void check_whole_numbers(comm::Communicator& ranks, Problems& problems,
                                const train::Options& options, std::uint64_t batches,
                                const std::function<train::Result(train::Session&)>& run) {
  Records records;
  train::Session session(ranks, options, weight_count);
  if (session.coordinates()) {
    session.set_up({.weights = std::vector<float>(weight_count, 1.0F),
                    .samples = batches,
                    .recorder = &records});
  }
  const train::Result result = run(session);

  const std::uint64_t all = batches * options.epochs;
  problems.check(result.version.value() == (all + options.k - 1) / options.k, "number of steps");
  if (session.coordinates()) check_records(records.steps, batches, options, problems);
  if (all % options.k != 0) return;  // a smaller last step divides by another number
  for (std::size_t i = 0; i < weight_count; ++i) {
    float sum = 0;
    for (std::uint64_t epoch = 0; epoch < options.epochs; ++epoch) {
      for (std::uint64_t batch = 0; batch < batches; ++batch) {
        sum += gradient_of({Epoch{static_cast<std::uint32_t>(epoch)}, BatchId{batch}}, i);
      }
    }
    const float expected = 1.0F - 0.25F * sum / static_cast<float>(options.k);
    if (result.weights[i] != expected) {
      problems.add(fmt::format("weight {} is {}, not {}", i, result.weights[i], expected));
      return;
    }
  }
}

inline void in_callback_form(comm::Communicator& ranks, Problems& problems,
                             const train::Options& options, std::uint64_t batches) {
  check_whole_numbers(ranks, problems, options, batches, [](train::Session& session) {
    WholeNumbers workload;
    return session.run(workload);
  });
}

/// 64 samples of one feature, which is the sample's number; the label is the number's parity.
inline data::Shard numbered_shard(const data::ShardPlan& plan, ShardId id) {
  data::ShardForm form;
  form.id = id;
  form.feature_type = data::ElementType::i32;
  form.label_kind = data::LabelKind::classes;
  form.samples = plan.samples_in(id);
  form.sample_shape = {1};
  data::Shard shard(form);
  std::vector<std::int32_t> numbers;
  for (std::uint64_t slot = 0; slot < plan.slots(id); ++slot) {
    const BatchId batch = plan.batch_at(id, slot);
    for (std::uint64_t i = 0; i < plan.samples_in(batch); ++i) {
      numbers.push_back(static_cast<std::int32_t>(batch.value() * plan.batch_size() + i));
    }
  }
  std::ranges::copy(std::as_bytes(std::span(numbers)), shard.features_to_fill().begin());
  std::ranges::transform(numbers, shard.classes_to_fill().begin(),
                         [](std::int32_t number) { return number % 2; });
  return shard;
}

/// Counts how often each sample was seen: its gradient is 1 at the sample's number.
struct CountSamples {
  std::optional<train::Contribution> gradient(const data::Batch& batch,
                                              std::span<const float> /*weights*/,
                                              std::span<float> gradient,
                                              const std::stop_token& /*stop*/) {
    std::ranges::fill(gradient, 0.0F);
    for (std::size_t i = 0; i < batch.samples; ++i) {
      const auto number = static_cast<std::size_t>(batch.features[i]);
      if (batch.classes[i] != static_cast<std::int32_t>(number % 2)) return std::nullopt;
      gradient[number] += 1;
    }
    return train::Contribution{0, batch.samples};
  }
};

inline void with_a_dataset(comm::Communicator& ranks, Problems& problems, std::size_t cache_bytes) {
  constexpr std::size_t samples = 64;
  train::Options options;
  options.k = 4;
  options.batch_size = 4;
  options.epochs = 3;
  options.shards = 5;
  options.optimizer.learning_rate = 1;
  options.cache_bytes = cache_bytes;
  train::Session session(ranks, options, samples);
  if (session.coordinates()) {
    session.set_up(
        {.weights = std::vector<float>(samples), .samples = samples, .read_shard = numbered_shard});
  }
  CountSamples workload;
  const train::Result result = session.run(workload);
  for (std::size_t i = 0; i < samples; ++i) {
    problems.check(result.weights[i] == -3.0F / 16, fmt::format("sample {} was seen once an epoch, "
                                                                "not {} times in all",
                                                                i, result.weights[i] * -16));
  }
}

/// Everybody's session must end with an error that holds this text.
inline void check_ends(Problems& problems, const std::string& text,
                       const std::function<void()>& run) {
  try {
    run();
    problems.add("the run went through, and should not");
  } catch (const std::exception& error) {
    problems.check(std::string(error.what()).find(text) != std::string::npos,
                   fmt::format("the error says '{}', not '{}'", error.what(), text));
  }
}

inline std::vector<SessionCase> session_cases() {
  using comm::Communicator;
  return {
      {"K above the number of volunteers",
       [](Communicator& ranks, Problems& problems) {
         in_callback_form(ranks, problems, whole_number_options(8, 2), 48);
       }},
      {"K of one",
       [](Communicator& ranks, Problems& problems) {
         in_callback_form(ranks, problems, whole_number_options(1, 1), 20);
       }},
      {"K above the number of batches of an epoch",
       [](Communicator& ranks, Problems& problems) {
         in_callback_form(ranks, problems, whole_number_options(16, 8), 6);
       }},
      {"a last step that is smaller",
       [](Communicator& ranks, Problems& problems) {
         in_callback_form(ranks, problems, whole_number_options(8, 1), 50);
       }},
      {"a coordinator that trains",
       [](Communicator& ranks, Problems& problems) {
         train::Options options = whole_number_options(4, 2);
         options.coordinator_trains = true;
         in_callback_form(ranks, problems, options, 32);
       }},
      {"equal shares",
       [](Communicator& ranks, Problems& problems) {
         train::Options options = whole_number_options(4, 2);
         options.balance = 1;
         in_callback_form(ranks, problems, options, 32);
       }},
      {"a straggler",
       [](Communicator& ranks, Problems& problems) {
         train::Options options = whole_number_options(4, 4);
         options.slowdown[Rank{1}] = 1000;
         in_callback_form(ranks, problems, options, 32);
       }},
      {"the program's own loop",
       [](Communicator& ranks, Problems& problems) {
         check_whole_numbers(ranks, problems, whole_number_options(8, 2), 48,
                             [](train::Session& session) {
                               train::Volunteer volunteer = session.volunteer();
                               while (auto ticket = volunteer.next()) {
                                 const auto gradient = ticket->gradient();
                                 for (std::size_t i = 0; i < gradient.size(); ++i) {
                                   gradient[i] = gradient_of(ticket->work(), i);
                                 }
                                 ticket->bank({2.0, 1});
                               }
                               return volunteer.finish();
                             });
       }},
      {"tickets that are dropped go to someone, again",
       [](Communicator& ranks, Problems& problems) {
         check_whole_numbers(ranks, problems, whole_number_options(4, 1), 32,
                             [](train::Session& session) {
                               train::Volunteer volunteer = session.volunteer();
                               std::vector<float> elsewhere(weight_count);
                               for (int turn = 0; auto ticket = volunteer.next(); ++turn) {
                                 if (turn % 3 == 0) continue;
                                 for (std::size_t i = 0; i < elsewhere.size(); ++i) {
                                   elsewhere[i] = gradient_of(ticket->work(), i);
                                 }
                                 ticket->bank(elsewhere, {2.0, 1});
                               }
                               return volunteer.finish();
                             });
       }},
      {"shards go to who needs them",
       [](Communicator& ranks, Problems& problems) {
         with_a_dataset(ranks, problems, std::size_t{1} << 20);
       }},
      {"shards that do not fit the cache are fetched again",
       [](Communicator& ranks, Problems& problems) { with_a_dataset(ranks, problems, 1); }},
      {"a resumed run does what was left",
       [](Communicator& ranks, Problems& problems) {
         const train::Options options = whole_number_options(4, 2);
         Records records;
         std::vector<control::Work> done;
         for (std::uint64_t batch = 0; batch < 12; ++batch)
           done.push_back({Epoch{0}, BatchId{batch}});
         train::Session session(ranks, options, weight_count);
         if (session.coordinates()) {
           session.set_up({.weights = std::vector<float>(weight_count),
                           .samples = 16,
                           .version = Version{3},
                           .done = done,
                           .recorder = &records});
         }
         WholeNumbers workload;
         const train::Result result = session.run(workload);
         problems.check(result.version.value() == 8, "the version counts all committed steps");
         if (!session.coordinates()) return;
         std::set<control::Work> committed(done.begin(), done.end());
         for (const auto& step : records.steps) {
           problems.check(step.batches.size() == 4, "K batches in every step");
           for (const auto& batch : step.batches) {
             problems.check(committed.insert({batch.epoch, batch.batch}).second, "no batch twice");
           }
         }
         problems.check(committed.size() == 32, "all batches are committed");
       }},
      {"what a workload throws ends the run everywhere",
       [](Communicator& ranks, Problems& problems) {
         struct Throws {
           bool throws;
           WholeNumbers other{};
           std::optional<train::Contribution> gradient(const control::Work& work,
                                                       std::span<const float> weights,
                                                       std::span<float> gradient,
                                                       const std::stop_token& stop) {
             if (throws) throw InputError("sample 17 is blue");
             return other.gradient(work, weights, gradient, stop);
           }
         };
         train::Session session(ranks, whole_number_options(1'000'000, 1), weight_count);
         if (session.coordinates()) {
           session.set_up({.weights = std::vector<float>(weight_count), .samples = 1'000'000});
         }
         Throws workload{ranks.rank().value() == ranks.size() - 1};
         check_ends(problems, "sample 17 is blue", [&] { session.run(workload); });
       }},
      {"what reading a shard throws ends the run everywhere",
       [](Communicator& ranks, Problems& problems) {
         train::Session session(ranks, whole_number_options(4, 1), weight_count);
         if (session.coordinates()) {
           session.set_up({.weights = std::vector<float>(weight_count),
                           .samples = 64,
                           .read_shard = [](const data::ShardPlan&, ShardId) -> data::Shard {
                             throw InputError("x.npy: sample 3 is not a number");
                           }});
         }
         CountSamples workload;
         check_ends(problems, "sample 3 is not a number", [&] { session.run(workload); });
       }},
      {"ranks with other settings are refused",
       [](Communicator& ranks, Problems& problems) {
         if (ranks.size() == 1) return;
         const bool odd = ranks.rank().value() == ranks.size() - 1;
         train::Session session(ranks, whole_number_options(odd ? 2 : 4, 1), weight_count);
         if (session.coordinates()) {
           session.set_up({.weights = std::vector<float>(weight_count), .samples = 64});
         }
         WholeNumbers workload;
         check_ends(problems, "other settings", [&] { session.run(workload); });
       }},
  };
}

}  // namespace daig::test
