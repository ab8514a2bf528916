// LSTM, GRU and the simple recurrent layer, alone and in both directions.

#include <cmath>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>
#include <daig/nn/layers/bidirectional.hpp>
#include <daig/nn/layers/gru.hpp>
#include <daig/nn/layers/lstm.hpp>
#include <daig/nn/layers/simple_rnn.hpp>

#include "naive_recurrent.hpp"
#include "naive_window.hpp"
#include "nn/numeric_gradient.hpp"

BOOST_AUTO_TEST_SUITE(recurrent_test)

namespace {

using namespace daig::nn;
using daig::UsageError;

enum class Kind { lstm, gru_after, gru_before, simple };

struct Case {
  Kind kind = Kind::lstm;
  Shape input{4, 3};
  RecurrentOptions options{};
  CellActivations functions{};

  std::size_t gates() const { return kind == Kind::lstm ? 4 : kind == Kind::simple ? 1 : 3; }
};

std::ostream& operator<<(std::ostream& out, const Case& made) {
  const RecurrentOptions& options = made.options;
  return out << "kind " << static_cast<int>(made.kind) << ", steps " << made.input[0] << ", units "
             << options.units << ", bias " << static_cast<int>(options.bias) << ", returned "
             << static_cast<int>(options.returned) << ", order " << static_cast<int>(options.order)
             << ", given " << static_cast<int>(options.given_order) << ", functions "
             << static_cast<int>(made.functions.candidate) << " "
             << static_cast<int>(made.functions.gates) << ", dropout " << options.dropout << " "
             << options.recurrent_dropout;
}

template <class T = double>
std::unique_ptr<Recurrent<T>> make(const Case& made, const std::string& name = "layer") {
  switch (made.kind) {
    case Kind::lstm:
      return std::make_unique<Lstm<T>>(name, made.input, made.options, made.functions);
    case Kind::gru_after:
    case Kind::gru_before:
      return std::make_unique<Gru<T>>(
          name, made.input, made.options,
          made.kind == Kind::gru_after ? Reset::after_product : Reset::before_product,
          made.functions);
    case Kind::simple:
      break;
  }
  return std::make_unique<SimpleRnn<T>>(name, made.input, made.options);
}

/// Each kind with each way through the sequence, with and without a bias, and with one step.
std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Kind kind : {Kind::lstm, Kind::gru_after, Kind::gru_before, Kind::simple}) {
    for (const TimeOrder order : {TimeOrder::forward, TimeOrder::backward}) {
      for (const Returned returned : {Returned::last_state, Returned::all_states}) {
        for (const Bias bias : {Bias::none, Bias::used}) {
          Case made{kind, {4, 3}, {}, {}};
          made.options.units = 2 + all.size() % 3;
          made.options.order = order;
          made.options.returned = returned;
          made.options.bias = bias;
          all.push_back(made);
          made.input = {1, 2};
          all.push_back(made);
        }
      }
    }
  }
  return all;
}

std::vector<Case> cases_of_functions() {
  std::vector<Case> all;
  for (const Kind kind : {Kind::lstm, Kind::gru_after, Kind::gru_before}) {
    for (const CellActivation function :
         {CellActivation::linear, CellActivation::relu, CellActivation::tanh,
          CellActivation::sigmoid, CellActivation::hard_sigmoid_5,
          CellActivation::hard_sigmoid_6}) {
      Case made{kind, {3, 2}, {}, {}};
      made.options.units = 3;
      made.functions = {function, CellActivation::sigmoid};
      all.push_back(made);
      made.functions = {CellActivation::tanh, function};
      all.push_back(made);
    }
  }
  return all;
}

std::vector<double> random_weights(const Layer<double>& layer, std::uint64_t seed) {
  daig::model::Layout layout;
  layer.declare(layout);
  return test::random_values(layout.size(), seed);
}

void check_values(const Case& made) {
  BOOST_TEST_CONTEXT(made) {
    const auto layer = make(made);
    const std::vector<double> weights = random_weights(*layer, 1);
    const std::vector<double> inputs = test::random_values(5 * elements(made.input), 2);
    const std::vector<double> outputs = test::forward(*layer, weights, inputs, 5);
    const test::NaiveCell cell{
        weights,
        made.input[1],
        made.options.units,
        made.gates(),
        made.options.bias == Bias::used,
        made.functions,
        made.kind == Kind::gru_before ? Reset::before_product : Reset::after_product};
    const test::NaiveStep step = made.kind == Kind::lstm     ? test::naive_lstm
                                 : made.kind == Kind::simple ? test::naive_simple
                                                             : test::naive_gru;
    const std::vector<double> expected = test::naive_recurrent(
        cell, step, inputs, made.input[0], made.options.order, made.options.returned);
    BOOST_TEST(test::largest_difference(outputs, expected) < 1e-12);
  }
}

BOOST_AUTO_TEST_CASE(values_agree_with_the_formulas_step_by_step) {
  for (const Case& made : cases()) check_values(made);
  for (const Case& made : cases_of_functions()) check_values(made);
}

BOOST_AUTO_TEST_CASE(derivatives_agree_with_differences) {
  for (const Case& made : cases()) {
    BOOST_TEST_CONTEXT(made) {
      test::check_layer(*make(made), 3, 7);
    }
  }
}

BOOST_AUTO_TEST_CASE(derivatives_of_all_functions_agree_with_differences) {
  for (const Case& made : cases_of_functions()) {
    BOOST_TEST_CONTEXT(made) {
      test::check_layer(*make(made), 2, 11);
    }
  }
}

BOOST_AUTO_TEST_CASE(derivatives_with_dropout_agree_with_differences) {
  for (Case made : cases()) {
    for (const auto& [dropout, recurrent] : {std::pair{0.4, 0.0}, {0.0, 0.5}, {0.3, 0.4}}) {
      made.options.dropout = dropout;
      made.options.recurrent_dropout = recurrent;
      made.options.layer_index = 5;
      BOOST_TEST_CONTEXT(made) {
        test::check_layer(*make(made), 3, 9);
      }
    }
  }
}

/// In training, from the row `first` of a batch on.
std::vector<double> trained(Layer<double>& layer, std::span<const double> weights,
                            std::span<const double> inputs, std::uint64_t seed, std::size_t first) {
  const std::size_t in = elements(layer.input_shape());
  const std::size_t out = elements(layer.output_shape());
  const std::size_t rows = inputs.size() / in;
  std::vector<double> outputs(rows * out);
  layer.forward(*cpu_engine<double>(),
                {weights, {inputs, rows, in}, {outputs, rows, out}, Noise{seed, first}});
  return outputs;
}

BOOST_AUTO_TEST_CASE(any_cut_of_a_batch_drops_the_same) {
  constexpr std::size_t rows = 9;
  for (const Kind kind : {Kind::lstm, Kind::gru_after, Kind::gru_before, Kind::simple}) {
    Case made{kind, {4, 3}, {}, {}};
    made.options.units = 5;
    made.options.dropout = 0.3;
    made.options.recurrent_dropout = 0.4;
    const auto layer = make(made);
    const std::vector<double> weights = random_weights(*layer, 1);
    const std::vector<double> inputs = test::random_values(rows * 12, 2);
    const std::vector<double> whole = trained(*layer, weights, inputs, 77, 0);
    for (const std::size_t part : {1U, 2U, 4U, 8U}) {
      std::vector<double> joined;
      for (std::size_t first = 0; first < rows; first += part) {
        const std::size_t count = std::min(part, rows - first);
        const std::vector<double> outputs =
            trained(*layer, weights, std::span(inputs).subspan(first * 12, count * 12), 77, first);
        joined.insert(joined.end(), outputs.begin(), outputs.end());
      }
      BOOST_TEST(test::largest_difference(joined, whole) < 1e-13);
    }
    BOOST_TEST(trained(*layer, weights, inputs, 77, 0) == whole);
    BOOST_TEST(trained(*layer, weights, inputs, 78, 0) != whole);
    made.options.layer_index = 1;
    BOOST_TEST(trained(*make(made), weights, inputs, 77, 0) != whole);
    BOOST_TEST(test::forward(*layer, weights, inputs, rows) != whole);
  }
}

/// A sum of what goes in, and of the states before: what is dropped can be read off.
BOOST_AUTO_TEST_CASE(an_input_or_unit_is_dropped_for_a_whole_sequence) {
  constexpr std::size_t samples = 200;
  RecurrentOptions options;
  options.bias = Bias::none;
  options.returned = Returned::all_states;
  const auto outputs = [&](double dropout, double recurrent) {
    options.dropout = dropout;
    options.recurrent_dropout = recurrent;
    SimpleRnn<double> layer("sum", {3, 1}, options, Activation::linear);
    return trained(layer, std::vector<double>{1, 1}, std::vector<double>(samples * 3, 1), 4, 0);
  };
  std::size_t dropped[2] = {0, 0};
  const std::vector<double> of_inputs = outputs(0.5, 0);
  const std::vector<double> of_states = outputs(0, 0.5);
  for (std::size_t i = 0; i < samples; ++i) {
    const auto sample = [i](const std::vector<double>& all) {
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(3 * i);
      return std::vector<double>(begin, begin + 3);
    };
    const std::vector<double> nothing{0, 0, 0};
    const std::vector<double> alone{1, 1, 1};
    if (sample(of_inputs) == nothing) ++dropped[0];
    if (sample(of_states) == alone) ++dropped[1];
    BOOST_TEST((sample(of_inputs) == nothing || sample(of_inputs) == std::vector<double>{2, 4, 6}));
    BOOST_TEST((sample(of_states) == alone || sample(of_states) == std::vector<double>{1, 3, 7}));
  }
  for (const std::size_t count : dropped) {  // four standard deviations
    BOOST_TEST(std::abs(static_cast<double>(count) - 100) < 29);
  }
}

BOOST_AUTO_TEST_CASE(bidirectional_derivatives_agree_with_differences) {
  for (const Kind kind : {Kind::lstm, Kind::gru_after, Kind::gru_before, Kind::simple}) {
    for (const Merge merge : {Merge::concatenate, Merge::sum, Merge::product, Merge::mean}) {
      for (const Returned returned : {Returned::last_state, Returned::all_states}) {
        Case made{kind, {3, 2}, {}, {}};
        made.options.units = 3;
        made.options.returned = returned;
        auto first = make(made, "both/forward");
        made.options.order = made.options.given_order = TimeOrder::backward;
        made.options.recurrent_dropout = 0.3;
        Bidirectional<double> layer(std::move(first), make(made, "both/backward"), merge);
        BOOST_TEST_CONTEXT(made << ", merge " << static_cast<int>(merge)) {
          test::check_layer(layer, 3, 7);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(directions_are_merged_step_by_step) {
  Case made{Kind::gru_after, {4, 3}, {}, {}};
  made.options.units = 2;
  made.options.returned = Returned::all_states;
  const auto forward = make(made);
  made.options.order = made.options.given_order = TimeOrder::backward;
  const auto backward = make(made);
  const std::vector<double> weights = random_weights(*forward, 1);
  std::vector<double> both = weights;
  const std::vector<double> of_second = random_weights(*forward, 2);
  both.insert(both.end(), of_second.begin(), of_second.end());
  const std::vector<double> inputs = test::random_values(std::size_t{5} * 12, 3);
  const std::vector<double> a = test::forward(*forward, weights, inputs, 5);
  const std::vector<double> b = test::forward(*backward, of_second, inputs, 5);
  const auto merged = [&](Merge merge) {
    Case again{Kind::gru_after, {4, 3}, forward->options(), {}};
    auto first = make(again, "first");
    again.options = backward->options();
    Bidirectional<double> layer(std::move(first), make(again, "second"), merge);
    return test::forward(layer, both, inputs, 5);
  };
  const std::vector<double> sum = merged(Merge::sum);
  const std::vector<double> product = merged(Merge::product);
  const std::vector<double> mean = merged(Merge::mean);
  const std::vector<double> joined = merged(Merge::concatenate);
  BOOST_TEST_REQUIRE(sum.size() == a.size());
  BOOST_TEST_REQUIRE(joined.size() == 2 * a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    BOOST_TEST(sum[i] == a[i] + b[i]);
    BOOST_TEST(product[i] == a[i] * b[i]);
    BOOST_TEST(mean[i] == (a[i] + b[i]) / 2);
    BOOST_TEST(joined[i / 2 * 4 + i % 2] == a[i]);
    BOOST_TEST(joined[i / 2 * 4 + 2 + i % 2] == b[i]);
  }
  // The last step of the reader backwards is the first one in time, and it is given there.
  made.options.returned = Returned::last_state;
  const std::vector<double> last = test::forward(*make(made), of_second, inputs, 5);
  for (std::size_t i = 0; i < 5; ++i) BOOST_TEST(last[i * 2] == b[i * 8]);
}

BOOST_AUTO_TEST_CASE(parameters_are_as_in_keras) {
  const auto shapes = [](Kind kind, Bias bias) {
    Case made{kind, {7, 3}, {}, {}};
    made.options.units = 5;
    made.options.bias = bias;
    daig::model::Layout layout;
    make(made, "a/b")->declare(layout);
    BOOST_TEST(layout.parameters()[0].name == "a/b/kernel");
    BOOST_TEST(layout.parameters()[1].name == "a/b/recurrent_kernel");
    if (bias == Bias::used) BOOST_TEST(layout.parameters()[2].name == "a/b/bias");
    std::vector<Shape> all;
    for (const auto& parameter : layout.parameters()) all.push_back(parameter.shape);
    return all;
  };
  using Shapes = std::vector<Shape>;
  BOOST_TEST((shapes(Kind::lstm, Bias::used) == Shapes{{3, 20}, {5, 20}, {20}}));
  BOOST_TEST((shapes(Kind::lstm, Bias::none) == Shapes{{3, 20}, {5, 20}}));
  BOOST_TEST((shapes(Kind::gru_after, Bias::used) == Shapes{{3, 15}, {5, 15}, {2, 15}}));
  BOOST_TEST((shapes(Kind::gru_before, Bias::used) == Shapes{{3, 15}, {5, 15}, {15}}));
  BOOST_TEST((shapes(Kind::simple, Bias::used) == Shapes{{3, 5}, {5, 5}, {5}}));
}

BOOST_AUTO_TEST_CASE(fresh_weights_are_as_in_keras) {
  constexpr std::size_t units = 6;
  RecurrentOptions options;
  options.units = units;
  const Lstm<double> layer("lstm", {3, 2}, options);
  std::vector<double> weights((2 + units) * 4 * units + 4 * units, 9);
  layer.initialise(weights, 1, 0);
  const std::span<const double> recurrent =
      std::span<const double>(weights).subspan(2 * 4 * units, units * 4 * units);
  for (std::size_t a = 0; a < units; ++a) {
    for (std::size_t b = 0; b < units; ++b) {
      double product = 0;
      for (std::size_t c = 0; c < 4 * units; ++c) {
        product += recurrent[a * 4 * units + c] * recurrent[b * 4 * units + c];
      }
      BOOST_TEST(std::abs(product - (a == b ? 1 : 0)) < 1e-12);
    }
  }
  const double limit = std::sqrt(6.0 / (2 + 4 * units));
  for (std::size_t i = 0; i < 2 * 4 * units; ++i) {
    BOOST_TEST(std::abs(weights[i]) <= limit);
    BOOST_TEST(weights[i] != 0);
  }
  for (std::size_t i = 0; i < 4 * units; ++i) {
    BOOST_TEST(weights[(2 + units) * 4 * units + i] == (i / units == 1 ? 1 : 0));
  }
  std::vector<double> others(weights.size());
  layer.initialise(others, 2, 0);
  BOOST_TEST(others != weights);

  RecurrentOptions back = options;
  back.order = TimeOrder::backward;
  const Bidirectional<double> both(std::make_unique<Lstm<double>>("a", Shape{3, 2}, options),
                                   std::make_unique<Lstm<double>>("b", Shape{3, 2}, back),
                                   Merge::sum);
  std::vector<double> of_both(2 * weights.size());
  both.initialise(of_both, 1, 0);
  const auto middle = of_both.begin() + static_cast<std::ptrdiff_t>(weights.size());
  BOOST_TEST(std::vector(of_both.begin(), middle) == weights, boost::test_tools::per_element());
  BOOST_TEST(std::vector(middle, of_both.end()) != weights);
}

/// Single precision has functions of its own; those of double precision are the reference.
BOOST_AUTO_TEST_CASE(single_precision_agrees_with_double_precision) {
  for (Case made : cases_of_functions()) {
    made.input = {6, 3};
    made.options.units = 7;
    const auto layer = make(made);
    std::vector<double> weights = random_weights(*layer, 1);
    std::vector<double> inputs = test::random_values(std::size_t{5} * 18, 2);
    const std::vector<float> weights_f(weights.begin(), weights.end());
    std::vector<float> inputs_f(inputs.begin(), inputs.end());
    weights.assign(weights_f.begin(), weights_f.end());
    inputs.assign(inputs_f.begin(), inputs_f.end());
    const std::vector<double> expected = test::forward(*layer, weights, inputs, 5);
    std::vector<float> outputs(expected.size());
    make<float>(made)->forward(*cpu_engine<float>(),
                               {weights_f, {inputs_f, 5, 18}, {outputs, 5, 7}, {}});
    const std::vector<double> outputs_d(outputs.begin(), outputs.end());
    double largest = 1;
    for (const double value : expected) largest = std::max(largest, std::abs(value));
    BOOST_TEST_CONTEXT(made) {
      BOOST_TEST(test::largest_difference(outputs_d, expected) < 1e-5 * largest);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_nan_is_not_hidden) {
  for (const Kind kind : {Kind::lstm, Kind::gru_after, Kind::gru_before, Kind::simple}) {
    for (const CellActivation function :
         {CellActivation::tanh, CellActivation::relu, CellActivation::hard_sigmoid_6}) {
      Case made{kind, {2, 1}, {}, {function, CellActivation::sigmoid}};
      const std::vector<double> weights = random_weights(*make(made), 1);
      const std::vector<float> weights_f(weights.begin(), weights.end());
      std::vector<float> output(1);
      const std::vector<float> inputs{std::nanf(""), 1};
      make<float>(made)->forward(*cpu_engine<float>(),
                                 {weights_f, {inputs, 1, 2}, {output, 1, 1}, {}});
      BOOST_TEST_CONTEXT(made) {
        BOOST_TEST(std::isnan(output[0]));
      }
    }
  }
}

std::string refusal(const Case& made) {
  try {
    make<float>(made);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused) {
  const auto refused = [](const Case& made, const std::string& what) {
    const std::string said = refusal(made);
    BOOST_TEST_INFO(said);
    return said.find(what) != said.npos;
  };
  Case made;
  BOOST_TEST(refused(made, "nothing was thrown"));
  made.input = {4};
  BOOST_TEST(refused(made, "a sample has 1 extents, not those of a sequence"));
  made.input = {4, 3, 2};
  BOOST_TEST(refused(made, "a sample has 3 extents"));
  made.input = {std::size_t{1} << 30, 1};
  BOOST_TEST(refused(made, "a sequence of 1073741824 steps is not supported"));
  made = {};
  made.options.units = 0;
  BOOST_TEST(refused(made, "0 units are not supported"));
  made.options.units = std::size_t{1} << 30;
  BOOST_TEST(refused(made, "1073741824 units are not supported"));
  made = {};
  made.options.dropout = 1;
  BOOST_TEST(refused(made, "a dropout rate of 1"));
  made = {};
  made.options.recurrent_dropout = -0.5;
  BOOST_TEST(refused(made, "a dropout rate of -0.5"));
}

BOOST_AUTO_TEST_CASE(directions_that_do_not_fit_are_refused) {
  const auto said = [](const RecurrentOptions& first, const RecurrentOptions& second) {
    try {
      Bidirectional<double>(std::make_unique<Lstm<double>>("a", Shape{3, 2}, first),
                            std::make_unique<Lstm<double>>("b", Shape{3, 2}, second), Merge::sum);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  RecurrentOptions first;
  RecurrentOptions second;
  BOOST_TEST(said(first, second).find("both layers read in the same direction") == 0U);
  second.order = TimeOrder::backward;
  BOOST_TEST(said(first, second) == "nothing was thrown");
  second.units = 2;
  BOOST_TEST(said(first, second).find("the two directions differ in what they give") == 0U);
  second.units = 1;
  second.returned = Returned::all_states;
  BOOST_TEST(said(first, second).find("the two directions differ in what they give") == 0U);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
