#pragma once

/// A network of layers: gradients, losses and predictions for batches of samples.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <daig/model/layout.hpp>
#include <daig/nn/engine.hpp>
#include <daig/nn/layer.hpp>
#include <daig/nn/loss.hpp>
#include <daig/nn/loss_function.hpp>
#include <daig/nn/metrics.hpp>

namespace daig::nn {

/// A batch of n samples with labels of one kind, which the network's loss takes.
template <class T>
struct Samples {
  std::span<const T> features;            ///< n x input size
  std::span<const std::int32_t> classes;  ///< n
  std::span<const T> targets;             ///< n x output size
  std::uint64_t noise_seed = 0;           ///< what random layers draw from, in training
};

/// Layers one after the other, and a loss at the end. T is float or double.
///
/// The weights belong to the caller: one flat array as `layout` describes it, the same for every
/// network of the same spec. A network holds only its workspace, which grows to the largest
/// micro-batch it has seen; after that, nothing is allocated. One network per compute thread:
/// the members that compute are not safe against calls from another thread at the same time.
template <class T>
class Network {
 public:
  /// Most samples that go through the layers at once; a larger batch is taken in parts. Bounds the
  /// workspace and the time until a stop is noticed. In training a network with a layer that
  /// normalises over the batch takes it whole.
  static constexpr std::size_t micro_batch = 256;

  /// @param spec  see MlpSpec and keras_spec. @throws UsageError when it makes no sense.
  explicit Network(std::string_view spec,
                   std::shared_ptr<const Engine<T>> engine = cpu_engine<T>());
  /// From layers that fit one another; the loss is taken of what the last one gives, so for
  /// cross-entropy of logits. `spec` is the text that this network goes by; `title`, what people
  /// are told: the spec, where it is empty. Without metrics it is judged as suits the loss.
  Network(std::vector<std::unique_ptr<Layer<T>>> layers, std::unique_ptr<LossFunction<T>> loss,
          std::string spec, std::shared_ptr<const Engine<T>> engine = cpu_engine<T>(),
          std::string title = {}, std::optional<Metrics> metrics = {});

  /// Canonical: networks with equal specs are equal.
  const std::string& spec() const { return spec_; }
  /// For people: a spec may be pages long.
  const std::string& title() const { return title_.empty() ? spec_ : title_; }
  /// "dense_1/kernel" {in, units}, "dense_1/bias" {units}, "dense_2/kernel", ...; and which of them
  /// are trained.
  const model::Layout& layout() const { return layout_; }
  std::size_t input_size() const { return elements(layers_.front()->input_shape()); }
  std::size_t output_size() const { return elements(layers_.back()->output_shape()); }
  const LossFunction<T>& loss() const { return *loss_; }
  const Metrics& metrics() const { return metrics_; }
  /// Whether samples as wholes are right or wrong: then `gradient` counts them, too.
  bool judges_samples() const {
    return metrics_.accuracy == Accuracy::categorical ||
           (metrics_.accuracy == Accuracy::binary && output_size() == 1);
  }

  /// Whether the first layer can take some values only, as indices of a table.
  bool checks_features() const { return layers_.front()->checks_features(); }
  /// Checks features of whole samples, the first of which has this number. The members below do it
  /// themselves. @throws InputError naming the sample whose features cannot be taken.
  void check_features(std::span<const T> features, std::uint64_t first = 0) const;

  /// Initial weights, the same for the same seed (see Dense::initialise). The normal ones come from
  /// the C library's logarithm and cosine: let one rank draw them and send them to the others.
  void initialise(std::span<T> weights, std::uint64_t seed) const;

  /// The gradient of the *sum* of the samples' losses (not their mean) by the weights, and that
  /// sum, in which the regularisers count for every sample. Overwrites `gradient`: zeros for frozen
  /// parameters, and for statistics what model::Parameter says. False when stopped: between layers
  /// and micro-batches the token is asked; gradient and loss are then worthless.
  /// @throws InputError for a class that the network has no output for, and for features that its
  /// first layer cannot take, before anything is written.
  bool gradient(std::span<const T> weights, const Samples<T>& samples, std::span<T> gradient,
                const std::stop_token& stop, Loss& loss);

  /// The sum of the losses, of regularisers, too, and of what the metrics ask for, as the model is
  /// used. Classes are always judged by the largest output, if at all. @throws InputError as
  /// `gradient` does.
  Loss evaluate(std::span<const T> weights, const Samples<T>& samples);

  /// n x output size: what the last layer gives, and the loss's finish_prediction makes of it.
  /// @throws InputError as `gradient` does, for features.
  void predict(std::span<const T> weights, std::span<const T> features, std::span<T> outputs);

 private:
  std::size_t check(std::span<const T> weights, std::span<const T> features) const;
  void check_labels(const Samples<T>& samples, std::size_t count) const;
  void reserve(std::size_t rows);
  Matrix<T> outputs_of(std::size_t layer, std::size_t rows);
  Labels<T> labels_of(const Samples<T>& samples, std::size_t first, std::size_t rows) const;
  void count_correct(Matrix<const T> outputs, const Labels<T>& labels, Loss& loss) const;
  void judge(Matrix<T> outputs, const Labels<T>& labels, Matrix<T> scratch, Loss& loss) const;
  std::span<const T> weights_of(std::size_t layer, std::span<const T> weights) const;

  bool forward(std::span<const T> weights, Matrix<const T> inputs, std::optional<Noise> training,
               const std::stop_token& stop);
  bool backward(std::span<const T> weights, Matrix<const T> inputs, T beta, std::span<T> gradient,
                const std::stop_token& stop);
  double regularize(std::span<const T> weights, std::size_t samples, std::span<T> gradient) const;

  std::vector<std::unique_ptr<Layer<T>>> layers_;
  std::unique_ptr<LossFunction<T>> loss_;
  Metrics metrics_;
  std::string spec_;
  std::string title_;
  std::shared_ptr<const Engine<T>> engine_;
  model::Layout layout_;
  std::vector<std::size_t> offsets_;     // of each layer's weights, and the end of the last one's
  std::vector<std::size_t> parameters_;  // index of each layer's first parameter in the layout
  std::size_t lowest_ = 0;  // the first layer with a parameter that is not frozen, or their number
  bool whole_batches_ = false;  // in training

  std::size_t rows_ = 0;                 // that the workspace has room for
  std::vector<std::vector<T>> outputs_;  // of each layer
  std::vector<T> deltas_[2];             // of the layer at hand and of the one before it
};

}  // namespace daig::nn
