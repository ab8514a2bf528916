#include "launcher/progress.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(progress_test)

namespace {

using daig::launcher::Progress;
using daig::launcher::ProgressStyle;

daig::metrics::StepRecord step(std::uint64_t id, std::uint32_t epoch) {
  daig::metrics::StepRecord record;
  record.step = daig::StepId{id};
  for (const int rank : {1, 3}) {
    record.batches.push_back(
        {daig::Epoch{epoch}, daig::BatchId{id}, daig::Rank{rank}, 50, 50 * 0.25, 0.001});
  }
  return record;
}

BOOST_AUTO_TEST_CASE(the_line_counts_what_was_committed) {
  Progress progress(ProgressStyle::none, 0, 40, 4);
  BOOST_TEST(progress.line(0.0).find("step 0/40") == 0);
  for (std::uint64_t id = 0; id < 10; ++id) progress.step_committed(step(id, 0));
  // A quarter of the steps in 2 s: three times as long is left.
  BOOST_TEST(progress.line(2.0) ==
             "step 10/40  epoch 1/4  loss 0.250  500 samples/s  2 volunteers  6 s left");
  for (std::uint64_t id = 10; id < 40; ++id) progress.step_committed(step(id, 3));
  BOOST_TEST(progress.line(8.0) ==
             "step 40/40  epoch 4/4  loss 0.250  500 samples/s  2 volunteers  done");
}

BOOST_AUTO_TEST_CASE(a_resumed_run_is_measured_from_where_it_resumed) {
  Progress progress(ProgressStyle::none, 30, 40, 4);
  for (std::uint64_t id = 30; id < 35; ++id) progress.step_committed(step(id, 3));
  BOOST_TEST(progress.line(5.0) ==
             "step 35/40  epoch 4/4  loss 0.250  100 samples/s  2 volunteers  5 s left");
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
