#include <string>

#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>
#include <daig/store/run_plan.hpp>

BOOST_AUTO_TEST_SUITE(run_plan_test)

using namespace daig;
using store::Configuration;

namespace {

Configuration good() {
  return {{"samples", "103"}, {"batch_size", "10"}, {"shards", "4"},
          {"epochs", "2"},    {"k", "4"},           {"spec", "anything"}};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_plan_survives_its_configuration) {
  const store::RunPlan plan = store::run_plan(good(), "test");
  BOOST_CHECK((plan == store::RunPlan{data::ShardPlan(103, 10, 4), 2, 4}));
  BOOST_CHECK_EQUAL(plan.batches(), 22U);
  BOOST_CHECK((store::run_plan(store::configuration_of(plan), "test") == plan));
}

BOOST_AUTO_TEST_CASE(what_is_no_plan_is_refused_by_name) {
  for (const char* key : {"samples", "batch_size", "shards", "epochs", "k"}) {
    for (const char* value : {"", "0", "-1", "x", "1x", " 1", "1.5", "18446744073709551616"}) {
      BOOST_TEST_CONTEXT(key << " = '" << value << "'") {
        Configuration configuration = good();
        configuration[key] = value;
        BOOST_CHECK_EXCEPTION(
            store::run_plan(configuration, "my run"), InputError, [&](const InputError& error) {
              const std::string text = error.what();
              return text.starts_with("my run: ") && text.find(key) != std::string::npos;
            });
      }
    }
    Configuration configuration = good();
    configuration.erase(key);
    BOOST_CHECK_THROW(store::run_plan(configuration, "my run"), InputError);
  }
}

BOOST_AUTO_TEST_CASE(numbers_that_do_not_fit_together_are_refused) {
  Configuration configuration = good();
  configuration["shards"] = "11";
  BOOST_CHECK_NO_THROW(store::run_plan(configuration, "my run"));
  configuration["shards"] = "12";
  BOOST_CHECK_THROW(store::run_plan(configuration, "my run"), InputError);
}

BOOST_AUTO_TEST_CASE(products_that_overflow_are_refused) {
  Configuration configuration = good();
  configuration["samples"] = "281474976710656";  // 2^48
  configuration["batch_size"] = "1";
  configuration["epochs"] = "256";
  BOOST_CHECK_EQUAL(store::run_plan(configuration, "my run").batches(), std::uint64_t{1} << 56);
  configuration["epochs"] = "257";
  BOOST_CHECK_THROW(store::run_plan(configuration, "my run"), InputError);
  configuration["epochs"] = "4294967295";
  BOOST_CHECK_THROW(store::run_plan(configuration, "my run"), InputError);
}

BOOST_AUTO_TEST_SUITE_END()
