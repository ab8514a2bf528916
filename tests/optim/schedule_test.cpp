#define BOOST_TEST_MODULE optim_schedule

#include <cmath>
#include <string>

#include <boost/test/unit_test.hpp>

#include <daig/optim/schedule.hpp>

namespace {

using daig::UsageError;
using daig::optim::make_schedule;
using daig::optim::Schedule;

BOOST_AUTO_TEST_CASE(constant_is_one) {
  const Schedule schedule = make_schedule("constant");
  BOOST_TEST(schedule(0, 10) == 1);
  BOOST_TEST(schedule(1000, 10) == 1);
}

BOOST_AUTO_TEST_CASE(cosine_falls_from_one_to_the_final_fraction) {
  const Schedule schedule = make_schedule("cosine:final=0.2");
  BOOST_TEST(schedule(0, 100) == 1);
  BOOST_TEST(std::abs(schedule(50, 100) - 0.6) < 1e-12);
  BOOST_TEST(std::abs(schedule(25, 100) - (0.2 + 0.4 * (1 + std::sqrt(0.5)))) < 1e-12);
  BOOST_TEST(schedule(100, 100) == 0.2);
  BOOST_TEST(schedule(101, 100) == 0.2);
  BOOST_TEST(schedule(0, 0) == 0.2);
  for (std::uint64_t step = 0; step < 100; ++step) {
    BOOST_TEST(schedule(step + 1, 100) < schedule(step, 100));
  }
  BOOST_TEST(make_schedule("cosine")(100, 100) == 0);
}

BOOST_AUTO_TEST_CASE(cosine_warms_up) {
  const Schedule schedule = make_schedule("cosine:warmup=3");
  BOOST_TEST(schedule(0, 13) == 0.25);
  BOOST_TEST(schedule(1, 13) == 0.5);
  BOOST_TEST(schedule(2, 13) == 0.75);
  BOOST_TEST(schedule(3, 13) == 1);
  BOOST_TEST(std::abs(schedule(8, 13) - 0.5) < 1e-12);
  BOOST_TEST(schedule(13, 13) == 0);
  // A run shorter than its warm-up.
  BOOST_TEST(schedule(1, 2) == 0.5);
  BOOST_TEST(schedule(3, 2) == 0);
}

BOOST_AUTO_TEST_CASE(step_decays_every_so_often) {
  const Schedule schedule = make_schedule("step:every=10,factor=0.5");
  BOOST_TEST(schedule(0, 100) == 1);
  BOOST_TEST(schedule(9, 100) == 1);
  BOOST_TEST(schedule(10, 100) == 0.5);
  BOOST_TEST(schedule(29, 100) == 0.25);
  BOOST_TEST(make_schedule("step:factor=0.5,every=10")(29, 100) == 0.25);
  BOOST_TEST(make_schedule("step:every=5")(5, 100) == 0.1);
}

BOOST_AUTO_TEST_CASE(nonsense_is_refused_by_name) {
  const auto check = [](const std::string& text, const std::string& named) {
    BOOST_TEST_CONTEXT("'" << text << "'") {
      BOOST_CHECK_EXCEPTION(make_schedule(text), UsageError, [&](const UsageError& error) {
        BOOST_TEST_MESSAGE(error.what());
        return std::string(error.what()).find(named) != std::string::npos;
      });
    }
  };
  check("", "constant, cosine and step");
  check("linear", "linear");
  check("Cosine", "Cosine");
  check("constant:warmup=3", "warmup");
  check("constant:", "takes none");
  check("cosine:warmup", "warmup");
  check("cosine:warmup=", "warmup");
  check("cosine:warmup=-1", "warmup");
  check("cosine:warmup=1.5", "warmup");
  check("cosine:warmup=3x", "warmup");
  check("cosine:warmup=99999999999999999999", "warmup");
  check("cosine:final=1.5", "final");
  check("cosine:final=nan", "final");
  check("cosine:warmup=3,", "option ''");
  check("cosine:,warmup=3", "option ''");
  check("cosine:every=3", "every");
  check("step", "every");
  check("step:factor=0.5", "every");
  check("step:every=0", "every");
  check("step:every=3,factor=0", "factor");
  check("step:every=3,factor=inf", "factor");
}

}  // namespace
