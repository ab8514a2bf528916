#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/nn/layers/activation.hpp>
#include <daig/nn/layers/dense.hpp>
#include <daig/nn/losses/elementwise_loss.hpp>
#include <daig/nn/losses/sigmoid_cross_entropy.hpp>
#include <daig/nn/losses/softmax_cross_entropy.hpp>
#include <daig/nn/network.hpp>
#include <daig/optim/sgd.hpp>

#include "numeric_gradient.hpp"

BOOST_AUTO_TEST_SUITE(network_test)

namespace {

using namespace daig::nn;
using daig::ContractViolation;
using daig::InputError;
using test::random_classes;
using test::random_values;

/// Random samples for a network, with the labels that its loss is for.
template <class T>
struct RandomSamples {
  RandomSamples(const Network<T>& network, std::size_t count, std::uint64_t seed)
      : features(random_values<T>(count * network.input_size(), seed)) {
    if (network.loss().takes(LabelKind::classes)) {
      classes = random_classes(count, network.output_size(), seed + 1);
    } else {
      targets = random_values<T>(count * network.output_size(), seed + 1);
    }
  }
  operator Samples<T>() const { return {features, classes, targets}; }

  std::vector<T> features;
  std::vector<std::int32_t> classes;
  std::vector<T> targets;
};

template <class T>
std::vector<T> initial(const Network<T>& network, std::uint64_t seed) {
  std::vector<T> weights(network.layout().size());
  network.initialise(weights, seed);
  return weights;
}

void check_network(Network<double>& network, std::size_t count) {
  const RandomSamples<double> samples(network, count, 7);
  // Not the initial weights, whose biases are 0: every weight gets a say.
  std::vector<double> weights = random_values(network.layout().size(), 3);
  std::vector<double> gradient(weights.size(), std::nan(""));
  Loss loss;
  BOOST_TEST(network.gradient(weights, samples, gradient, {}, loss));
  const Loss evaluated = network.evaluate(weights, samples);
  BOOST_TEST(loss.loss_sum == evaluated.loss_sum);
  BOOST_TEST(evaluated.samples == count);
  BOOST_TEST(loss.samples == count);
  test::check_gradient(gradient, weights,
                       [&] { return network.evaluate(weights, samples).loss_sum; });
}

BOOST_AUTO_TEST_CASE(gradient_agrees_with_differences) {
  for (const char* sizes : {"mlp:4-3", "mlp:4-5-3", "mlp:3-6-5-4-2"}) {
    for (const char* activation : {"relu", "tanh", "sigmoid"}) {
      for (const char* loss : {"cross-entropy", "mse"}) {
        const std::string spec = std::string(sizes) + ",activation=" + activation + ",loss=" + loss;
        BOOST_TEST_CONTEXT(spec) {
          Network<double> network(spec);
          check_network(network, 6);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(gradient_of_any_layers_agrees_with_differences) {
  std::vector<std::unique_ptr<Layer<double>>> layers;
  layers.push_back(std::make_unique<ActivationLayer<double>>(Shape{4}, Activation::tanh));
  layers.push_back(std::make_unique<Dense<double>>("a", Shape{2, 2}, 3, Activation::linear));
  layers.push_back(std::make_unique<ActivationLayer<double>>(Shape{6}, Activation::sigmoid));
  layers.push_back(std::make_unique<Dense<double>>("b", Shape{6}, 3, Activation::softmax));
  Network<double> network(std::move(layers), std::make_unique<ElementwiseLoss<double>>(), "own");
  BOOST_TEST(network.spec() == "own");
  check_network(network, 5);
}

BOOST_AUTO_TEST_CASE(layers_that_do_not_fit_are_refused) {
  std::vector<std::unique_ptr<Layer<double>>> layers;
  layers.push_back(std::make_unique<Dense<double>>("a", Shape{4}, 6, Activation::linear));
  layers.push_back(std::make_unique<Dense<double>>("b", Shape{5}, 3, Activation::linear));
  const auto make = [&] {
    Network<double>(std::move(layers), std::make_unique<ElementwiseLoss<double>>(), "own");
  };
  BOOST_CHECK_THROW(make(), ContractViolation);
}

BOOST_AUTO_TEST_CASE(a_small_case_by_hand) {
  Network<float> network("mlp:2-2-2,loss=mse");
  const std::vector<float> weights{1, -1, 0.5F, 2, /* bias */ 0.5F, 0,  //
                                   1, 2,  3,    4, /* bias */ 0,    1};
  const std::vector<float> features{2, -1};
  const std::vector<float> targets{1, 3};
  // Hidden: (2, -4), after relu (2, 0). Outputs: (2, 5). Errors: (1, 2).
  std::vector<float> outputs(2);
  network.predict(weights, features, outputs);
  BOOST_TEST(outputs == (std::vector<float>{2, 5}));
  std::vector<float> gradient(weights.size());
  Loss loss;
  BOOST_TEST(network.gradient(weights, {features, {}, targets}, gradient, {}, loss));
  BOOST_TEST(loss.loss_sum == 2.5);
  BOOST_TEST(loss.samples == 1U);
  // Delta (1, 2); by the hidden outputs (5, 11), before relu (5, 0).
  BOOST_TEST(gradient == (std::vector<float>{10, 0, -5, 0, 5, 0, 2, 4, 0, 0, 1, 2}));
}

BOOST_AUTO_TEST_CASE(layout_and_sizes) {
  const Network<float> network("mlp:784-256-128-10");
  BOOST_TEST(network.input_size() == 784U);
  BOOST_TEST(network.output_size() == 10U);
  BOOST_TEST(network.spec() == "mlp:784-256-128-10,activation=relu,loss=cross-entropy");
  BOOST_TEST(network.layout().size() == 784U * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10);
  const auto& parameters = network.layout().parameters();
  BOOST_TEST_REQUIRE(parameters.size() == 6U);
  BOOST_TEST(parameters[0].name == "dense_1/kernel");
  BOOST_TEST(parameters[0].shape == (Shape{784, 256}));
  BOOST_TEST(parameters[1].name == "dense_1/bias");
  BOOST_TEST(parameters[4].name == "dense_3/kernel");
  BOOST_TEST(parameters[4].shape == (Shape{128, 10}));
  BOOST_TEST(parameters[5].shape == Shape{10});
}

BOOST_AUTO_TEST_CASE(many_micro_batches_equal_their_parts) {
  for (const char* spec : {"mlp:6-5-3", "mlp:6-5-3,loss=mse"}) {
    Network<double> network(spec);
    constexpr std::size_t step = Network<double>::micro_batch;
    const std::size_t count = 2 * step + 17;
    const RandomSamples<double> all(network, count, 5);
    const Samples<double> samples = all;
    const std::vector<double> weights = initial(network, 1);
    std::vector<double> gradient(weights.size());
    Loss loss;
    BOOST_TEST(network.gradient(weights, samples, gradient, {}, loss));
    std::vector<double> sum(weights.size());
    std::vector<double> one(weights.size());
    Loss loss_of_parts;
    std::vector<double> predicted(count * 3);
    network.predict(weights, samples.features, predicted);
    for (std::size_t i = 0; i < count; ++i) {
      Samples<double> sample;
      sample.features = samples.features.subspan(i * 6, 6);
      if (!samples.classes.empty()) sample.classes = samples.classes.subspan(i, 1);
      if (!samples.targets.empty()) sample.targets = samples.targets.subspan(i * 3, 3);
      Loss part;
      BOOST_TEST(network.gradient(weights, sample, one, {}, part));
      loss_of_parts += part;
      for (std::size_t w = 0; w < sum.size(); ++w) sum[w] += one[w];
      std::vector<double> outputs(3);
      network.predict(weights, sample.features, outputs);
      for (std::size_t o = 0; o < 3; ++o) {
        BOOST_TEST(std::abs(outputs[o] - predicted[i * 3 + o]) < 1e-12);
      }
    }
    for (std::size_t w = 0; w < sum.size(); ++w) BOOST_TEST(std::abs(sum[w] - gradient[w]) < 1e-9);
    BOOST_TEST(std::abs(loss.loss_sum - loss_of_parts.loss_sum) < 1e-9);
    BOOST_TEST(loss.samples == count);
  }
}

BOOST_AUTO_TEST_CASE(no_samples_give_zeros) {
  Network<float> network("mlp:6-5-3");
  const std::vector<float> weights = initial(network, 1);
  std::vector<float> gradient(weights.size(), 7);
  Loss loss{1, 1, 1};
  BOOST_TEST(network.gradient(weights, {}, gradient, {}, loss));
  BOOST_TEST(gradient == std::vector<float>(weights.size()));
  BOOST_TEST(loss.samples == 0U);
  BOOST_TEST(loss.loss_sum == 0);
  BOOST_TEST(network.evaluate(weights, {}).samples == 0U);
}

BOOST_AUTO_TEST_CASE(initial_weights_follow_the_seed) {
  const Network<float> network("mlp:20-30-10");
  const std::vector<float> weights = initial(network, 1);
  BOOST_TEST(weights == initial(Network<float>("mlp:20-30-10"), 1));
  BOOST_TEST(weights != initial(network, 2));
  // Each parameter has a stream of its own: kernels of the same shape do not repeat one another.
  const Network<float> even("mlp:9-9-9,activation=tanh");
  const std::vector<float> kernels = initial(even, 1);
  const std::size_t second = even.layout().parameters()[2].offset;
  BOOST_TEST(!std::equal(kernels.begin(), kernels.begin() + 81,
                         kernels.begin() + static_cast<std::ptrdiff_t>(second)));
}

BOOST_AUTO_TEST_CASE(labels_out_of_range_are_refused) {
  Network<float> network("mlp:2-3");
  const std::vector<float> weights = initial(network, 1);
  std::vector<float> gradient(weights.size(), 7);
  const std::vector<float> features(4);
  Loss loss;
  for (const std::int32_t label : {3, -1, std::numeric_limits<std::int32_t>::min()}) {
    const std::vector<std::int32_t> classes{0, label};
    BOOST_CHECK_EXCEPTION(network.gradient(weights, {features, classes, {}}, gradient, {}, loss),
                          InputError, [&](const InputError& error) {
                            const std::string what = error.what();
                            return what.find("sample 1") != std::string::npos &&
                                   what.find(std::to_string(label)) != std::string::npos;
                          });
    BOOST_CHECK_THROW(network.evaluate(weights, {features, classes, {}}), InputError);
    BOOST_TEST(gradient == std::vector<float>(weights.size(), 7));
  }
}

BOOST_AUTO_TEST_CASE(wrong_sizes_are_refused) {
  Network<float> network("mlp:2-3");
  Network<float> regression("mlp:2-3,loss=mse");
  std::vector<float> weights(9);
  std::vector<float> eight(8);
  const std::vector<float> features(4);
  const std::vector<std::int32_t> classes(2);
  const std::vector<std::int32_t> three(3);
  Loss loss;
  const Samples<float> good{features, classes, {}};
  BOOST_CHECK_NO_THROW(network.gradient(weights, good, weights, {}, loss));
  BOOST_CHECK_THROW(network.gradient(eight, good, weights, {}, loss), ContractViolation);
  BOOST_CHECK_THROW(network.gradient(weights, good, eight, {}, loss), ContractViolation);
  BOOST_CHECK_THROW(network.evaluate(weights, {eight, three, {}}), ContractViolation);
  BOOST_CHECK_THROW(network.evaluate(weights, {features, {}, eight}), ContractViolation);
  BOOST_CHECK_THROW(regression.evaluate(weights, good), ContractViolation);
  const std::vector<float> five(5);
  BOOST_CHECK_THROW(network.evaluate(weights, {five, classes, {}}), ContractViolation);
  BOOST_CHECK_THROW(network.predict(weights, features, eight), ContractViolation);
  BOOST_CHECK_THROW(network.initialise(eight, 1), ContractViolation);
}

/// The usual engine, which asks for a stop during its n-th product and counts the products.
class StoppingEngine final : public Engine<float> {
 public:
  explicit StoppingEngine(int stop_at) : stop_at_(stop_at) {}
  std::stop_token token() const { return stop_.get_token(); }
  int products() const { return products_; }

  void multiply(const Factor<float>& a, const Factor<float>& b, float beta,
                Matrix<float> product) const override {
    if (++products_ == stop_at_) stop_.request_stop();
    engine_->multiply(a, b, beta, product);
  }
  void bias_activate(std::span<const float> bias, Activation activation,
                     Matrix<float> values) const override {
    engine_->bias_activate(bias, activation, values);
  }
  void bias_gradient(Matrix<const float> delta, float beta,
                     std::span<float> gradient) const override {
    engine_->bias_gradient(delta, beta, gradient);
  }
  void activate(Activation activation, Matrix<const float> inputs,
                Matrix<float> outputs) const override {
    engine_->activate(activation, inputs, outputs);
  }
  void activate_backward(Activation activation, Matrix<const float> outputs,
                         Matrix<const float> delta, Matrix<float> input_delta) const override {
    engine_->activate_backward(activation, outputs, delta, input_delta);
  }
  void apply(const Pointwise& function, Matrix<const float> inputs,
             Matrix<float> outputs) const override {
    engine_->apply(function, inputs, outputs);
  }
  void apply_backward(const Pointwise& function, Matrix<const float> inputs,
                      Matrix<const float> delta, Matrix<float> input_delta) const override {
    engine_->apply_backward(function, inputs, delta, input_delta);
  }
  void multiply_elements(Matrix<const float> a, Matrix<const float> b,
                         Matrix<float> product) const override {
    engine_->multiply_elements(a, b, product);
  }
  void clear(std::span<float> values) const override { engine_->clear(values); }
  void gather_patches(const Window& window, Matrix<const float> images, std::size_t first_line,
                      Matrix<float> patches) const override {
    engine_->gather_patches(window, images, first_line, patches);
  }
  void scatter_patches(const Window& window, Matrix<const float> patches, std::size_t first_line,
                       Matrix<float> images) const override {
    engine_->scatter_patches(window, patches, first_line, images);
  }
  void convolve_depthwise(const Window& window, Matrix<const float> images,
                          Matrix<const float> kernel, Matrix<float> outputs) const override {
    engine_->convolve_depthwise(window, images, kernel, outputs);
  }
  void convolve_depthwise_backward(const Window& window, Matrix<const float> images,
                                   Matrix<const float> kernel, Matrix<const float> delta,
                                   float beta, Matrix<float> gradient,
                                   Matrix<float> image_delta) const override {
    engine_->convolve_depthwise_backward(window, images, kernel, delta, beta, gradient,
                                         image_delta);
  }
  void max_pool(const Window& window, Matrix<const float> images,
                Matrix<float> pooled) const override {
    engine_->max_pool(window, images, pooled);
  }
  void max_pool_backward(const Window& window, Matrix<const float> images,
                         Matrix<const float> pooled, Matrix<float> delta,
                         Matrix<float> image_delta) const override {
    engine_->max_pool_backward(window, images, pooled, delta, image_delta);
  }
  void average_pool(const Window& window, Matrix<const float> images,
                    Matrix<float> pooled) const override {
    engine_->average_pool(window, images, pooled);
  }
  void average_pool_backward(const Window& window, Matrix<const float> delta,
                             Matrix<float> image_delta) const override {
    engine_->average_pool_backward(window, delta, image_delta);
  }
  void moments(Groups groups, Matrix<const float> values, std::span<float> mean,
               std::span<float> variance) const override {
    engine_->moments(groups, values, mean, variance);
  }
  void normalize(const Normalization<float>& normalization, Matrix<const float> inputs,
                 Matrix<float> outputs) const override {
    engine_->normalize(normalization, inputs, outputs);
  }
  void normalize_backward(const Normalization<float>& normalization, Matrix<const float> inputs,
                          Matrix<const float> delta, float beta,
                          const NormalizationGradient<float>& gradient,
                          Matrix<float> input_delta) const override {
    engine_->normalize_backward(normalization, inputs, delta, beta, gradient, input_delta);
  }
  void add_difference(float factor, std::span<const float> a, std::span<const float> b, float beta,
                      std::span<float> result) const override {
    engine_->add_difference(factor, a, b, beta, result);
  }
  double penalize(const daig::model::Regularizer& regularizer, std::span<const float> weights,
                  float factor, std::span<float> gradient) const override {
    return engine_->penalize(regularizer, weights, factor, gradient);
  }
  const RecurrentOperations<float>& recurrent() const override { return engine_->recurrent(); }
  Loss softmax_cross_entropy(Matrix<const float> logits, const Labels<float>& labels,
                             double label_smoothing, Matrix<float> delta) const override {
    return engine_->softmax_cross_entropy(logits, labels, label_smoothing, delta);
  }
  Loss categorical_cross_entropy(Matrix<const float> outputs, const Labels<float>& labels,
                                 double label_smoothing, Matrix<float> delta) const override {
    return engine_->categorical_cross_entropy(outputs, labels, label_smoothing, delta);
  }
  Loss sigmoid_cross_entropy(Matrix<const float> logits, Matrix<const float> targets,
                             double label_smoothing, Matrix<float> delta) const override {
    return engine_->sigmoid_cross_entropy(logits, targets, label_smoothing, delta);
  }
  Loss binary_cross_entropy(Matrix<const float> outputs, Matrix<const float> targets,
                            double label_smoothing, Matrix<float> delta) const override {
    return engine_->binary_cross_entropy(outputs, targets, label_smoothing, delta);
  }
  Loss elementwise_loss(const ElementLoss& loss, Matrix<const float> outputs,
                        Matrix<const float> targets, Matrix<float> delta) const override {
    return engine_->elementwise_loss(loss, outputs, targets, delta);
  }
  std::uint64_t count_correct(Accuracy accuracy, Matrix<const float> outputs,
                              const Labels<float>& labels, float threshold) const override {
    return engine_->count_correct(accuracy, outputs, labels, threshold);
  }

 private:
  std::shared_ptr<const Engine<float>> engine_ = cpu_engine<float>();
  mutable std::stop_source stop_;
  mutable int products_ = 0;
  int stop_at_;
};

BOOST_AUTO_TEST_CASE(a_stop_is_noticed_before_the_next_layer) {
  // Products of a micro-batch: 3 forward, then 2 + 2 + 1 backward. Three micro-batches.
  struct Case {
    int stop_at;
    int products;
  };
  for (const auto& [stop_at, products] : {Case{1, 1}, Case{2, 2}, Case{3, 3}, Case{4, 5},
                                          Case{5, 5}, Case{6, 7}, Case{8, 8}, Case{9, 9}}) {
    BOOST_TEST_CONTEXT("stop during product " << stop_at) {
      const auto engine = std::make_shared<StoppingEngine>(stop_at);
      Network<float> network("mlp:6-5-4-3", engine);
      const RandomSamples<float> samples(network, 2 * Network<float>::micro_batch + 1, 5);
      const std::vector<float> weights = initial(network, 1);
      std::vector<float> gradient(weights.size());
      Loss loss;
      BOOST_TEST(!network.gradient(weights, samples, gradient, engine->token(), loss));
      BOOST_TEST(engine->products() == products);
      // The network is as good as new.
      Network<float> fresh("mlp:6-5-4-3");
      std::vector<float> expected(weights.size());
      BOOST_TEST(network.gradient(weights, samples, gradient, {}, loss));
      BOOST_TEST(fresh.gradient(weights, samples, expected, {}, loss));
      BOOST_TEST(gradient == expected);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_stop_asked_for_before_does_nothing_at_all) {
  const auto engine = std::make_shared<StoppingEngine>(0);
  Network<float> network("mlp:6-5-4-3", engine);
  const RandomSamples<float> samples(network, 8, 5);
  const std::vector<float> weights = initial(network, 1);
  std::vector<float> gradient(weights.size());
  Loss loss;
  std::stop_source stop;
  stop.request_stop();
  BOOST_TEST(!network.gradient(weights, samples, gradient, stop.get_token(), loss));
  BOOST_TEST(engine->products() == 0);
}

BOOST_AUTO_TEST_CASE(a_stop_in_the_very_last_product_is_too_late) {
  const auto engine = std::make_shared<StoppingEngine>(8);
  Network<float> network("mlp:6-5-4-3", engine);
  const RandomSamples<float> samples(network, 8, 5);
  const std::vector<float> weights = initial(network, 1);
  std::vector<float> gradient(weights.size());
  Loss loss;
  BOOST_TEST(network.gradient(weights, samples, gradient, engine->token(), loss));
  BOOST_TEST(loss.samples == 8U);
}

/// Two outputs, the sample itself.
Network<double> through(std::unique_ptr<LossFunction<double>> loss,
                        std::optional<Metrics> metrics = {}) {
  std::vector<std::unique_ptr<Layer<double>>> layers;
  layers.push_back(std::make_unique<ActivationLayer<double>>(Shape{2}, Activation::linear));
  return Network<double>(std::move(layers), std::move(loss), "own", cpu_engine<double>(), {},
                         metrics);
}

BOOST_AUTO_TEST_CASE(evaluation_judges_as_suits_the_loss_unless_told_otherwise) {
  const std::vector<double> logits{2, -1, 1, 3, -2, -1};
  const std::vector<double> targets{1, 0, 1, 1, 1, 0};
  const Samples<double> samples{logits, {}, targets};
  const auto sigmoid = [] { return std::make_unique<SigmoidCrossEntropy<double>>(); };
  const Loss binary = through(sigmoid()).evaluate({}, samples);
  BOOST_TEST(binary.judged == 6U);
  BOOST_TEST(binary.correct == 5U);
  BOOST_TEST(binary.squared_error_sum == 0);  // nobody asked
  const Loss categorical = through(sigmoid(), Metrics{Accuracy::categorical}).evaluate({}, samples);
  BOOST_TEST(categorical.judged == 3U);
  BOOST_TEST(categorical.correct == 1U);
  const Loss numbers = through(std::make_unique<ElementwiseLoss<double>>()).evaluate({}, samples);
  BOOST_TEST(numbers.judged == 0U);
  BOOST_TEST(numbers.correct == 0U);
}

BOOST_AUTO_TEST_CASE(errors_are_those_of_predictions_in_every_part_of_a_batch) {
  const std::size_t count = 2 * Network<double>::micro_batch + 3;
  const std::vector<double> logits = random_values(2 * count, 1);
  const std::vector<double> targets = random_values(2 * count, 2);
  Network<double> network =
      through(std::make_unique<SigmoidCrossEntropy<double>>(), Metrics{Accuracy::none, true, true});
  std::vector<double> predictions(2 * count);
  network.predict({}, logits, predictions);
  double squares = 0;
  double sizes = 0;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const double error = predictions[i] - targets[i];
    squares += error * error / 2;
    sizes += std::abs(error) / 2;
  }
  const Loss loss = network.evaluate({}, Samples<double>{logits, {}, targets});
  BOOST_TEST(loss.squared_error_sum == squares, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(loss.absolute_error_sum == sizes, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(loss.judged == 0U);
}

BOOST_AUTO_TEST_CASE(a_loss_may_take_labels_of_either_kind) {
  Network<double> network = through(std::make_unique<SoftmaxCrossEntropy<double>>(
      Prediction::probabilities, CategoricalLabels{CategoricalLabels::Kinds::classes_or_targets}));
  const std::vector<double> logits{2, -1, 1, 3};
  const std::vector<std::int32_t> classes{0, 0};
  const std::vector<double> one_hot{1, 0, 1, 0};
  const Loss of_classes = network.evaluate({}, Samples<double>{logits, classes, {}});
  const Loss of_targets = network.evaluate({}, Samples<double>{logits, {}, one_hot});
  BOOST_TEST(of_classes.loss_sum == of_targets.loss_sum, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(of_targets.correct == 1U);
  BOOST_TEST(of_classes.correct == 1U);
  BOOST_CHECK_THROW(network.evaluate({}, Samples<double>{logits, classes, one_hot}),
                    ContractViolation);
  Network<double> sparse = through(std::make_unique<SoftmaxCrossEntropy<double>>());
  BOOST_CHECK_THROW(sparse.evaluate({}, Samples<double>{logits, {}, one_hot}), ContractViolation);
}

BOOST_AUTO_TEST_CASE(learns_xor) {
  Network<float> network("mlp:2-8-2,activation=tanh");
  const std::vector<float> features{0, 0, 0, 1, 1, 0, 1, 1};
  const std::vector<std::int32_t> classes{0, 1, 1, 0};
  const Samples<float> samples{features, classes, {}};
  std::vector<float> weights = initial(network, 1);
  std::vector<float> gradient(weights.size());
  daig::optim::Sgd sgd({.momentum = 0.9}, weights.size());
  Loss loss;
  const double before = network.evaluate(weights, samples).loss_sum;
  for (int step = 0; step < 300; ++step) {
    BOOST_TEST_REQUIRE(network.gradient(weights, samples, gradient, {}, loss));
    sgd.update(weights, gradient, 0.25F, 0.2F, weights);
  }
  const Loss after = network.evaluate(weights, samples);
  BOOST_TEST(after.judged == 4U);
  BOOST_TEST(after.correct == 4U);
  BOOST_TEST(after.loss_sum < 0.02 * before);
  std::vector<float> probabilities(8);
  network.predict(weights, features, probabilities);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto wanted = static_cast<std::size_t>(classes[i]);
    BOOST_TEST(probabilities[2 * i + wanted] > 0.9F);
    BOOST_TEST(std::abs(probabilities[2 * i] + probabilities[2 * i + 1] - 1) < 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(threads_with_networks_of_their_own_agree_with_one) {
  constexpr std::size_t threads = 4;
  constexpr int repetitions = 8;
  const char* const spec = "mlp:100-64-32-10";
  const auto work = [spec](std::uint64_t seed) {
    Network<float> network(spec);
    const std::vector<float> weights = initial(network, seed);
    std::vector<std::vector<float>> gradients;
    for (int i = 0; i < repetitions; ++i) {
      const RandomSamples<float> samples(network, 150, seed + static_cast<std::uint64_t>(i));
      Loss loss;
      gradients.emplace_back(weights.size());
      if (!network.gradient(weights, samples, gradients.back(), {}, loss)) gradients.pop_back();
    }
    return gradients;
  };
  std::vector<std::vector<std::vector<float>>> results(threads);
  {
    std::vector<std::jthread> running;
    for (std::size_t i = 0; i < threads; ++i) {
      running.emplace_back([&, i] { results[i] = work(i); });
    }
  }
  for (std::size_t i = 0; i < threads; ++i) {
    const auto expected = work(i);
    BOOST_TEST_REQUIRE(expected.size() == static_cast<std::size_t>(repetitions));
    BOOST_TEST((results[i] == expected));
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
