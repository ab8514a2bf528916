#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/metrics/recorder.hpp>

BOOST_AUTO_TEST_SUITE(recorder_test)

namespace metrics = daig::metrics;

namespace {

/// Writes down what it is told, in a list that several share.
class Scribe : public metrics::Recorder {
 public:
  Scribe(std::string name, std::vector<std::string>& lines)
      : name_(std::move(name)), lines_(lines) {}

  void step_committed(const metrics::StepRecord& step) override {
    lines_.push_back(name_ + " step " + std::to_string(step.step.value()));
  }
  void event(std::string_view kind, const metrics::Fields& fields) override {
    lines_.push_back(name_ + " " + std::string(kind) + " " + fields.at(0).name);
  }

 private:
  std::string name_;
  std::vector<std::string>& lines_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_list_passes_everything_to_its_sinks_in_order) {
  std::vector<std::string> lines;
  Scribe first("first", lines);
  Scribe second("second", lines);
  metrics::RecorderList list;
  list.add(first);
  list.add(second);

  metrics::StepRecord step;
  step.step = daig::StepId{7};
  list.step_committed(step);
  list.event("member_lost", {{"rank", std::int64_t{3}}});

  const std::vector<std::string> expected{"first step 7", "second step 7", "first member_lost rank",
                                          "second member_lost rank"};
  BOOST_TEST(lines == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_sink_overrides_only_what_it_wants) {
  class Counter : public metrics::Recorder {
   public:
    void step_committed(const metrics::StepRecord& /*step*/) override { ++steps; }
    int steps = 0;
  };
  Counter counter;
  metrics::Recorder forgets_all;
  metrics::RecorderList list;
  list.add(forgets_all);
  list.add(counter);
  list.event("anything", {});
  list.step_committed({});
  BOOST_TEST(counter.steps == 1);
}

BOOST_AUTO_TEST_CASE(a_step_adds_up_its_batches) {
  metrics::StepRecord step;
  BOOST_TEST(step.samples() == 0U);
  step.batches = {{daig::Epoch{0}, daig::BatchId{4}, daig::Rank{1}, 32, 1.5, 0.1},
                  {daig::Epoch{0}, daig::BatchId{2}, daig::Rank{2}, 7, 0.25, 0.1}};
  BOOST_TEST(step.samples() == 39U);
  BOOST_TEST(step.loss_sum() == 1.75);
}

BOOST_AUTO_TEST_SUITE_END()
