/// What Keras's configurations say, the model's and after a zero byte the training's: whatever they
/// are, they are refused with a UsageError, or make a network, the same one again from its spec.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <daig/core/error.hpp>
#include <daig/nn/keras_spec.hpp>
#include <daig/nn/network.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(input), size);
  const std::size_t end = text.find('\0');
  const std::string_view training = end == text.npos ? R"({"loss": "mse"})" : text.substr(end + 1);
  try {
    const daig::nn::Network<float> network(daig::nn::keras_spec(text.substr(0, end), training));
    if (daig::nn::Network<float>(network.spec()).spec() != network.spec()) std::abort();
  } catch (const daig::UsageError&) {
  }
  return 0;
}
