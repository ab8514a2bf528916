#include "launcher/epochs.hpp"

#include <atomic>
#include <cmath>
#include <fstream>
#include <limits>
#include <memory>
#include <stdexcept>

#include <boost/test/unit_test.hpp>

#include "support/temporary_folder.hpp"

BOOST_AUTO_TEST_SUITE(epochs_test)

using namespace daig;
using namespace daig::launcher;

namespace {

metrics::BatchRecord batch(std::uint32_t epoch, std::uint64_t id, double loss,
                           std::uint64_t samples = 10, std::uint64_t correct = 0) {
  return {Epoch{epoch}, BatchId{id}, Rank{1}, samples, loss, 0.1, correct};
}

metrics::StepRecord step(std::uint64_t id, std::vector<metrics::BatchRecord> batches) {
  metrics::StepRecord record;
  record.step = StepId{id};
  record.committed_s = 2.0 * static_cast<double>(id);
  record.batches = std::move(batches);
  return record;
}

EpochRecord epoch(std::uint64_t number, double loss, std::optional<double> validation = {}) {
  EpochRecord record;
  record.epoch = number;
  record.version = Version{number * 10};
  record.loss = loss;
  if (validation) record.validation = train::Quality{*validation, 0.5, 100};
  return record;
}

train::Weights weights(float value) {
  return std::make_shared<const std::vector<float>>(1, value);
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_epoch_is_complete_with_its_last_batch_whatever_else_is_in_the_step) {
  EpochCounter counter(3, {}, true);
  BOOST_TEST(counter.add(step(0, {batch(0, 2, 10, 10, 4), batch(0, 0, 20, 10, 5)})).empty());
  const auto complete = counter.add(step(1, {batch(1, 0, 7), batch(0, 1, 5, 5, 1)}));
  BOOST_REQUIRE(complete.size() == 1U);
  BOOST_TEST(complete[0].epoch == 1U);
  BOOST_TEST(complete[0].version.value() == 2U);
  BOOST_TEST(complete[0].seconds == 2.0);
  BOOST_TEST(complete[0].loss == 35.0 / 25);
  BOOST_TEST(complete[0].accuracy.value() == 10.0 / 25);
  BOOST_TEST(!complete[0].validation.has_value());
  const auto next = counter.add(step(2, {batch(1, 1, 7), batch(1, 2, 16)}));
  BOOST_REQUIRE(next.size() == 1U);
  BOOST_TEST(next[0].epoch == 2U);
  BOOST_TEST(next[0].loss == 1.0);
}

BOOST_AUTO_TEST_CASE(a_step_may_complete_several_epochs) {
  EpochCounter counter(1, {}, false);
  const auto complete = counter.add(step(0, {batch(1, 0, 20), batch(0, 0, 10)}));
  BOOST_REQUIRE(complete.size() == 2U);
  BOOST_TEST(complete[0].epoch == 2U);
  BOOST_TEST(complete[1].epoch == 1U);
  BOOST_TEST(!complete[1].accuracy.has_value());
}

BOOST_AUTO_TEST_CASE(batches_before_a_resume_complete_an_epoch_too) {
  EpochCounter counter(3, {{Epoch{0}, 3}, {Epoch{1}, 2}}, true);
  const auto complete = counter.add(step(5, {batch(1, 2, 30)}));
  BOOST_REQUIRE(complete.size() == 1U);
  BOOST_TEST(complete[0].epoch == 2U);
  BOOST_TEST(complete[0].loss == 3.0);  // of what was left
}

BOOST_AUTO_TEST_CASE(weights_are_evaluated_in_order_and_elsewhere) {
  const auto caller = std::this_thread::get_id();
  std::atomic<bool> elsewhere = true;
  Validator validator([&](std::span<const float> values) {
    if (std::this_thread::get_id() == caller) elsewhere = false;
    return train::Quality{values[0], 0.25, 7};
  });
  for (std::uint64_t i = 1; i <= 10; ++i)
    validator.give(epoch(i, 0), weights(static_cast<float>(i)));
  const auto all = validator.take_all();
  BOOST_REQUIRE(all.size() == 10U);
  for (std::uint64_t i = 0; i < 10; ++i) {
    BOOST_TEST(all[i].epoch.epoch == i + 1);
    BOOST_TEST(all[i].epoch.validation.value().loss == static_cast<double>(i + 1));
    BOOST_TEST(all[i].weights->at(0) == static_cast<float>(i + 1));
  }
  BOOST_TEST(validator.take().empty());
  BOOST_TEST(elsewhere);
}

BOOST_AUTO_TEST_CASE(of_too_many_that_wait_the_oldest_are_given_up) {
  std::atomic<bool> begun = false;
  std::atomic<bool> go_on = false;
  Validator validator([&](std::span<const float>) {
    begun = true;
    begun.notify_all();
    go_on.wait(false);
    return train::Quality{};
  });
  validator.give(epoch(1, 0), weights(1));
  begun.wait(false);
  for (std::uint64_t i = 2; i <= 19; ++i) validator.give(epoch(i, 0), weights(1));
  const auto given_up = validator.take();
  BOOST_REQUIRE(given_up.size() == 2U);
  BOOST_TEST(given_up[0].epoch.epoch == 2U);
  BOOST_TEST(given_up[1].epoch.epoch == 3U);
  BOOST_TEST(!given_up[0].epoch.validation.has_value());
  go_on = true;
  go_on.notify_all();
  BOOST_TEST(validator.take_all().size() == 17U);
}

BOOST_AUTO_TEST_CASE(a_failure_comes_out_where_the_results_are_taken) {
  Validator validator(
      [](std::span<const float>) -> train::Quality { throw std::runtime_error("no such sample"); });
  validator.give(epoch(1, 0), weights(1));
  BOOST_CHECK_EXCEPTION(validator.take_all(), std::runtime_error, [](const auto& error) {
    return std::string(error.what()) == "no such sample";
  });
}

BOOST_AUTO_TEST_CASE(patience_ends_after_so_many_epochs_without_a_gain) {
  BestEpoch best(2, 0.1);
  BOOST_TEST(best.is_best(epoch(1, 9, 1.0), true));
  BOOST_TEST(best.is_best(epoch(2, 9, 0.8), true));
  BOOST_TEST(!best.is_best(epoch(3, 1, 0.75), true));  // too little
  BOOST_TEST(!best.is_time_to_stop());
  BOOST_TEST(!best.is_best(epoch(4, 1), true));  // not validated: does not count
  BOOST_TEST(!best.is_time_to_stop());
  BOOST_TEST(!best.is_best(epoch(5, 1, std::nan("")), true));
  BOOST_TEST(best.is_time_to_stop());
  BOOST_TEST(best.best_epoch() == 2U);
}

BOOST_AUTO_TEST_CASE(without_validation_the_training_loss_counts_and_patience_0_never_ends) {
  BestEpoch best(0, 0);
  BOOST_TEST(best.is_best(epoch(1, 2), false));
  for (std::uint64_t i = 2; i < 100; ++i) BOOST_TEST(!best.is_best(epoch(i, 2), false));
  BOOST_TEST(!best.is_time_to_stop());
  BOOST_TEST(best.is_best(epoch(100, 1.9), false));
}

BOOST_AUTO_TEST_CASE(the_history_is_a_table) {
  EpochRecord first = epoch(1, 0.5, 0.75);
  first.accuracy = 0.25;
  first.seconds = 1.5;
  BOOST_TEST(history_csv({first, epoch(2, 0.25)}, true) ==
             "epoch,step,seconds,loss,accuracy,val_loss,val_accuracy\n"
             "1,10,1.500,0.5,0.25,0.75,0.5\n"
             "2,20,0.000,0.25,,,\n");
  BOOST_TEST(history_csv({first}, false) ==
             "epoch,step,seconds,loss,val_loss\n1,10,1.500,0.5,0.75\n");
}

BOOST_AUTO_TEST_CASE(epochs_are_read_back_from_the_log_as_far_as_the_weights_go) {
  const test::TemporaryFolder folder;
  const auto log = folder.path() / "events.jsonl";
  std::ofstream(log) << R"({"event":"started","t":0}
{"event":"epoch","t":1,"epoch":1,"step":10,"seconds":1,"loss":0.5,"accuracy":0.1}
not an event "epoch"
{"event":"epoch","t":1,"epoch":2,"step":20,"seconds":2,"loss":0.4,"val_loss":0.3,"val_samples":9,"val_accuracy":0.7}
{"event":"epoch","t":1,"epoch":2,"step":21,"seconds":3,"loss":0.35}
{"event":"epoch","t":1,"epoch":3,"step":31,"seconds":3,"loss":0.3}
{"event":"epoch","t":1,"epoch":-1,"step":1,"loss":"x"}
{"event":"epoch","t":1,"epo)";
  const auto epochs = read_epochs(log, Version{30});
  BOOST_REQUIRE(epochs.size() == 2U);
  BOOST_TEST(epochs[0].loss == 0.5);
  BOOST_TEST(epochs[0].accuracy.value() == 0.1);
  BOOST_TEST(epochs[1].loss == 0.35);  // the later one
  BOOST_TEST(!epochs[1].validation.has_value());
  const auto earlier = read_epochs(log, Version{20});
  BOOST_REQUIRE(earlier.size() == 2U);
  BOOST_TEST(earlier[1].validation.value().loss == 0.3);
  BOOST_TEST(earlier[1].validation.value().samples == 9U);
  BOOST_TEST(read_epochs(folder.path() / "none", Version{20}).empty());
}

BOOST_AUTO_TEST_SUITE_END()
