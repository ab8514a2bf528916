#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>
#include <daig/nn/mlp_spec.hpp>

BOOST_AUTO_TEST_SUITE(mlp_spec_test)

namespace {

using namespace daig::nn;
using daig::UsageError;

BOOST_AUTO_TEST_CASE(sizes_and_defaults) {
  const MlpSpec spec = parse_mlp_spec("mlp:784-256-128-10");
  BOOST_TEST(spec.sizes == (std::vector<std::size_t>{784, 256, 128, 10}));
  BOOST_TEST((spec.activation == Activation::relu));
  BOOST_TEST(spec.loss == "cross-entropy");
  BOOST_TEST(to_text(spec) == "mlp:784-256-128-10,activation=relu,loss=cross-entropy");
}

BOOST_AUTO_TEST_CASE(options_in_any_order) {
  for (const std::string text :
       {"mlp:3-1,activation=tanh,loss=mse", "mlp:3-1,loss=mse,activation=tanh"}) {
    const MlpSpec spec = parse_mlp_spec(text);
    BOOST_TEST((spec.activation == Activation::tanh));
    BOOST_TEST(spec.loss == "mse");
    BOOST_TEST(to_text(spec) == "mlp:3-1,activation=tanh,loss=mse");
  }
  BOOST_TEST((parse_mlp_spec("mlp:3-2,activation=sigmoid").activation == Activation::sigmoid));
  BOOST_TEST((parse_mlp_spec("mlp:3-2,activation=elu").activation == Activation::elu));
}

BOOST_AUTO_TEST_CASE(canonical_text_parses_to_itself) {
  for (const std::string text :
       {"mlp:1-1,loss=mse", "mlp:007-08-2", "mlp:5-4-3-2,activation=sigmoid"}) {
    const std::string canonical = to_text(parse_mlp_spec(text));
    BOOST_TEST(to_text(parse_mlp_spec(canonical)) == canonical);
  }
}

BOOST_AUTO_TEST_CASE(the_largest_that_is_accepted) {
  // (2^20 - 1 + 1) * 2^20 = 2^40 parameters.
  BOOST_CHECK_NO_THROW(parse_mlp_spec("mlp:1048575-1048576"));
  BOOST_CHECK_THROW(parse_mlp_spec("mlp:1048576-1048576"), UsageError);
}

BOOST_AUTO_TEST_CASE(nonsense_is_refused_by_name) {
  const auto check = [](const std::string& text, const std::string& named) {
    BOOST_TEST_CONTEXT("'" << text.substr(0, 80) << "'") {
      BOOST_CHECK_EXCEPTION(parse_mlp_spec(text), UsageError, [&](const UsageError& error) {
        const std::string what = error.what();
        BOOST_TEST_MESSAGE(what);
        return what.find(named) != std::string::npos && what.size() < 400;
      });
    }
  };
  check("", "there is mlp");
  check("cnn:3-4", "there is mlp");
  check("MLP:3-4", "there is mlp");
  check("mlp", "there is mlp");
  check("mlp:", "inputs and of outputs");
  check("mlp:10", "inputs and of outputs");
  check("mlp:,loss=mse", "inputs and of outputs");
  check("mlp:0-5", "'0'");
  check("mlp:5-0", "'0'");
  check("mlp:5--5", "''");
  check("mlp:-5-5", "''");
  check("mlp:5-5-", "after the last '-'");
  check("mlp:5-x", "'x'");
  check("mlp:5- 5", "' 5'");
  check("mlp:5-5.5", "'5.5'");
  check("mlp:5-+5", "'+5'");
  check("mlp:99999999999-5", "'99999999999'");
  check("mlp:99999999999999999999999999-5", "'99999999999999999999999999'");
  check("mlp:2147483648-5", "'2147483648'");
  check("mlp:2147483647-2147483647", "2^40");
  check("mlp:1048576-1000000-1000000", "2^40");
  check("mlp:5-5,", "after the last ','");
  check("mlp:5-5,,loss=mse", "option ''");
  check("mlp:5-5,depth=3", "'depth'");
  check("mlp:5-5,activation=gelu", "'gelu': hidden layers take one of relu, tanh, sigmoid, elu");
  check("mlp:5-5,activation=linear", "'linear'");
  check("mlp:5-5,activation=softmax", "'softmax'");
  check("mlp:5-5,activation", "''");
  check("mlp:5-5,activation=relu,activation=relu", "twice");
  check("mlp:5-5,loss=hinge", "'hinge'");
  check("mlp:5-5,loss=mse,loss=mse", "twice");
  check("mlp:5-1", "single class");
  std::string endless = "mlp:1";
  for (int i = 0; i < 100'000; ++i) endless += "-1";
  check(endless, "more than 1000 sizes");
  check("mlp:5-" + std::string(100'000, 'x'), "no layer size");
  check("mlp:5-5," + std::string(100'000, 'x'), "unknown");
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
