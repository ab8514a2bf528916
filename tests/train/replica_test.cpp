#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/optim/make_optimizer.hpp>
#include <daig/train/replica.hpp>
#include <daig/train/task.hpp>

BOOST_AUTO_TEST_SUITE(replica_test)

using namespace daig;

namespace {

train::Replica replica(std::span<const float> weights, double momentum = 0) {
  optim::OptimizerOptions options;
  options.momentum = momentum;
  return {weights, optim::make_optimizer(options, weights.size()), Version{0}};
}

}  // namespace

BOOST_AUTO_TEST_CASE(applies_the_mean_and_keeps_old_weights_for_their_readers) {
  const std::vector<float> start{1, 2, 3};
  train::Replica model = replica(start);
  const train::Weights old = model.weights();
  const std::uint64_t old_digest = model.digest();
  model.apply(std::vector<float>{4, 8, 12}, 4, 0.5);
  BOOST_TEST(*model.weights() == (std::vector<float>{0.5, 1, 1.5}));
  BOOST_TEST(*old == start);
  BOOST_TEST(model.version().value() == 1u);
  BOOST_TEST(model.digest() != old_digest);
}

BOOST_AUTO_TEST_CASE(equal_histories_give_equal_digests) {
  const std::vector<float> start(1000, 0.1F);
  train::Replica one = replica(start, 0.9);
  train::Replica other = replica(start, 0.9);
  for (int step = 0; step < 5; ++step) {
    const std::vector<float> sum(1000, 0.3F * static_cast<float>(step));
    one.apply(sum, 3, 0.1);
    other.apply(sum, 3, 0.1);
    BOOST_TEST(one.digest() == other.digest());
  }
}

BOOST_AUTO_TEST_CASE(a_saved_state_goes_on_with_the_same_bits) {
  const std::vector<float> sum{1, -2, 3};
  train::Replica first = replica(std::vector<float>{1, 2, 3}, 0.9);
  first.apply(sum, 1, 0.1);
  const train::OptimizerState saved = train::save(first.optimizer_state());
  train::Replica second = replica(*first.weights(), 0.9);
  train::restore(saved, second.optimizer_state());
  first.apply(sum, 2, 0.1);
  second.apply(sum, 2, 0.1);
  BOOST_TEST(first.digest() == second.digest());
}

BOOST_AUTO_TEST_CASE(a_state_that_does_not_fit_is_refused) {
  train::Replica model = replica(std::vector<float>{1, 2, 3}, 0.9);
  train::OptimizerState saved = train::save(model.optimizer_state());
  saved.arrays.begin()->second.push_back(0);
  BOOST_CHECK_THROW(train::restore(saved, model.optimizer_state()), InputError);
  BOOST_CHECK_THROW(train::restore({}, model.optimizer_state()), InputError);
}

BOOST_AUTO_TEST_SUITE_END()
