#include <charconv>
#include <cstdint>
#include <limits>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <daig/core/error.hpp>
#include <daig/nn/element_loss.hpp>
#include <daig/nn/losses/softmax_cross_entropy.hpp>
#include <daig/nn/mlp_spec.hpp>

#include "list_activations.hpp"
#include "most_parameters.hpp"

namespace daig::nn {
namespace {

constexpr std::string_view prefix = "mlp:";
constexpr std::size_t most_sizes = 1000;
constexpr std::size_t largest_size = std::numeric_limits<std::int32_t>::max();  // what BLAS counts

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  constexpr std::size_t shown = 100;  // an absurdly long spec must not become an endless message
  throw UsageError(fmt::format("model '{}{}': {}", text.substr(0, shown),
                               text.size() > shown ? "..." : "", why));
}

/// Cuts what comes before the first separator off `rest`, and the separator too.
std::string_view next_word(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view word = rest.substr(0, at);
  rest.remove_prefix(at == rest.npos ? rest.size() : at + 1);
  return word;
}

std::vector<std::size_t> parse_sizes(std::string_view text, std::string_view sizes_text) {
  if (sizes_text.ends_with('-')) refuse(text, "a size is missing after the last '-'");
  std::vector<std::size_t> sizes;
  while (!sizes_text.empty()) {
    const std::string_view word = next_word(sizes_text, '-');
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), size);
    if (error != std::errc() || end != word.data() + word.size() || size == 0 ||
        size > largest_size) {
      refuse(text, fmt::format("'{}' is no layer size; a size is a whole number from 1 to {}",
                               word.substr(0, 40), largest_size));
    }
    if (sizes.size() == most_sizes) {
      refuse(text, fmt::format("more than {} sizes", most_sizes));
    }
    sizes.push_back(size);
  }
  if (sizes.size() < 2) {
    refuse(text, "it needs the number of inputs and of outputs at least, as in mlp:784-10");
  }
  return sizes;
}

void check_parameters(std::string_view text, const std::vector<std::size_t>& sizes) {
  std::size_t parameters = 0;
  for (std::size_t i = 1; i < sizes.size(); ++i) {
    // Both are below 2^31, so that nothing here overflows.
    parameters += (sizes[i - 1] + 1) * sizes[i];
    if (parameters <= most_parameters) continue;
    refuse(text, fmt::format("more than 2^40 parameters; the {} x {} layer is the one too many",
                             sizes[i - 1], sizes[i]));
  }
}

}  // namespace

MlpSpec parse_mlp_spec(std::string_view text) {
  if (!text.starts_with(prefix)) {
    refuse(text, "no such kind of model; there is mlp, as in mlp:784-256-128-10");
  }
  std::string_view rest = text.substr(prefix.size());
  MlpSpec spec;
  if (rest.ends_with(',')) refuse(text, "an option is missing after the last ','");
  spec.sizes = parse_sizes(text, next_word(rest, ','));
  check_parameters(text, spec.sizes);
  bool has_activation = false;
  bool has_loss = false;
  while (!rest.empty()) {
    std::string_view value = next_word(rest, ',');
    const std::string_view key = next_word(value, '=');
    if (key == "activation" && !has_activation) {
      has_activation = true;
      const auto activation = activation_named(value);
      if (!activation || *activation == Activation::linear || *activation == Activation::softmax) {
        refuse(text,
               fmt::format("activation '{}': hidden layers take one of {}", value.substr(0, 40),
                           list_activations({Activation::linear, Activation::softmax})));
      }
      spec.activation = *activation;
    } else if (key == "loss" && !has_loss) {
      has_loss = true;
      if (value != SoftmaxCrossEntropy<float>::spec_name &&
          value != name(ElementLoss::Kind::squared_error)) {
        refuse(text,
               fmt::format("loss '{}': there are cross-entropy and mse", value.substr(0, 40)));
      }
      spec.loss = value;
    } else {
      refuse(text, fmt::format("option '{}' is unknown or there twice; the options are activation "
                               "and loss, as in mlp:784-128-10,activation=tanh",
                               key.substr(0, 40)));
    }
  }
  if (spec.loss == SoftmaxCrossEntropy<float>::spec_name && spec.sizes.back() == 1) {
    refuse(text,
           "cross-entropy over a single class is always 0; it takes two outputs, or loss=mse");
  }
  return spec;
}

std::string to_text(const MlpSpec& spec) {
  return fmt::format("{}{},activation={},loss={}", prefix, fmt::join(spec.sizes, "-"),
                     name(spec.activation), spec.loss);
}

}  // namespace daig::nn
