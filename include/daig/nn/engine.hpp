#pragma once

/// The operations that layers and losses are made of: the one place where arithmetic is done.
///
/// Layers speak to an engine only, so another processor is another engine. Spans lie in memory that
/// the engine computes in.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <daig/model/regularizer.hpp>
#include <daig/nn/activation.hpp>
#include <daig/nn/element_loss.hpp>
#include <daig/nn/loss.hpp>
#include <daig/nn/matrix.hpp>
#include <daig/nn/metrics.hpp>
#include <daig/nn/normalization.hpp>
#include <daig/nn/pointwise.hpp>
#include <daig/nn/recurrent_operations.hpp>
#include <daig/nn/window.hpp>

namespace daig::nn {

enum class Transpose { no, yes };

/// A factor of a product: the matrix, or its transpose.
template <class T>
struct Factor {
  Matrix<const T> matrix;
  Transpose transpose = Transpose::no;
};

/// T is float or double. Any thread may call any operation at any time; the same arguments give the
/// same bits on the same machine. Matrices of one call that are not said to agree do not overlap.
/// Shapes that do not fit are a ContractViolation.
template <class T>
class Engine {
 public:
  virtual ~Engine() = default;

  /// product = a b + beta product. With beta 0 the old product is not read.
  virtual void multiply(const Factor<T>& a, const Factor<T>& b, T beta,
                        Matrix<T> product) const = 0;

  /// Adds the bias to each row, then applies the activation; in place, in one pass.
  virtual void bias_activate(std::span<const T> bias, Activation activation,
                             Matrix<T> values) const = 0;
  /// gradient = column sums of delta + beta gradient. With beta 0 the old gradient is not read.
  virtual void bias_gradient(Matrix<const T> delta, T beta, std::span<T> gradient) const = 0;

  /// The two may be the same matrix.
  virtual void activate(Activation activation, Matrix<const T> inputs, Matrix<T> outputs) const = 0;
  /// From delta = d loss / d outputs to d loss / d inputs; the two may be the same matrix.
  virtual void activate_backward(Activation activation, Matrix<const T> outputs,
                                 Matrix<const T> delta, Matrix<T> input_delta) const = 0;

  /// outputs[i] = function(inputs[i]); the two may be the same matrix.
  virtual void apply(const Pointwise& function, Matrix<const T> inputs,
                     Matrix<T> outputs) const = 0;
  /// From delta = d loss / d outputs to d loss / d inputs; the two may be the same matrix.
  virtual void apply_backward(const Pointwise& function, Matrix<const T> inputs,
                              Matrix<const T> delta, Matrix<T> input_delta) const = 0;

  /// product[i] = a[i] b[i]; any two may be the same matrix.
  virtual void multiply_elements(Matrix<const T> a, Matrix<const T> b, Matrix<T> product) const = 0;
  /// All 0.
  virtual void clear(std::span<T> values) const = 0;

  // Images are matrices of one image {height, width, channels} a row. The positions of a window are
  // numbered over all images, (image rows.out + y) columns.out + x; those of one y are a line, the
  // lines are numbered alike, image rows.out + y.

  /// A row of patches is what lies under the window {kernel row, kernel column, channel} at one
  /// position, 0 in the padding (im2col); whole lines, from `first_line` on, as many as fit.
  virtual void gather_patches(const Window& window, Matrix<const T> images, std::size_t first_line,
                              Matrix<T> patches) const = 0;
  /// The transpose of that: adds each value of the patches to the one of the images that it was
  /// taken from (col2im).
  virtual void scatter_patches(const Window& window, Matrix<const T> patches,
                               std::size_t first_line, Matrix<T> images) const = 0;

  /// Each channel is convolved on its own: at each position, outputs {channel, m} are the sums over
  /// the taps of image {channel} kernel {tap, channel, m}.
  /// @param kernel  patch_size x m, the rows as in a patch
  virtual void convolve_depthwise(const Window& window, Matrix<const T> images,
                                  Matrix<const T> kernel, Matrix<T> outputs) const = 0;
  /// From delta = d loss / d outputs to gradient = d loss / d kernel + beta gradient and, unless
  /// image_delta is empty, to d loss / d images. With beta 0 the old gradient is not read.
  virtual void convolve_depthwise_backward(const Window& window, Matrix<const T> images,
                                           Matrix<const T> kernel, Matrix<const T> delta, T beta,
                                           Matrix<T> gradient, Matrix<T> image_delta) const = 0;

  /// The largest value under the window, for each channel; NaN if there is one. For windows without
  /// dilation, here and below.
  virtual void max_pool(const Window& window, Matrix<const T> images, Matrix<T> pooled) const = 0;
  /// The derivative goes to the first of the largest values, row by row. Uses up delta.
  virtual void max_pool_backward(const Window& window, Matrix<const T> images,
                                 Matrix<const T> pooled, Matrix<T> delta,
                                 Matrix<T> image_delta) const = 0;
  /// The mean of the values under the window, for each channel; padding does not count.
  virtual void average_pool(const Window& window, Matrix<const T> images,
                            Matrix<T> pooled) const = 0;
  virtual void average_pool_backward(const Window& window, Matrix<const T> delta,
                                     Matrix<T> image_delta) const = 0;

  /// The mean of each group, and its variance: of n values, the sum of squares divided by n.
  /// Expects values.
  virtual void moments(Groups groups, Matrix<const T> values, std::span<T> mean,
                       std::span<T> variance) const = 0;
  virtual void normalize(const Normalization<T>& normalization, Matrix<const T> inputs,
                         Matrix<T> outputs) const = 0;
  /// From delta = d loss / d outputs: the derivatives by gamma and beta, added to beta times what
  /// is there, and by the inputs, unless their matrix is empty. With beta 0 the old gradient is not
  /// read.
  virtual void normalize_backward(const Normalization<T>& normalization, Matrix<const T> inputs,
                                  Matrix<const T> delta, T beta,
                                  const NormalizationGradient<T>& gradient,
                                  Matrix<T> input_delta) const = 0;

  /// result = factor (a - b) + beta result. With beta 0 the old result is not read.
  virtual void add_difference(T factor, std::span<const T> a, std::span<const T> b, T beta,
                              std::span<T> result) const = 0;
  /// Returns what the regulariser says that the weights cost, and adds factor times the derivative
  /// of that to the gradient, unless that is empty. The derivative of |w| is 0 at 0.
  virtual double penalize(const model::Regularizer& regularizer, std::span<const T> weights,
                          T factor, std::span<T> gradient) const = 0;

  /// What recurrent layers need beside these.
  virtual const RecurrentOperations<T>& recurrent() const = 0;

  // Losses: each is a sum over rows, and its derivative by the outputs in delta. Label smoothing s,
  // from 0 to 1, takes the part s of the targets and spreads it evenly over what they could be.
  // Probabilities are clipped to 1e-7 ... 1 - 1e-7, as Keras does; the derivative is 0 outside.

  /// -sum over columns of target log softmax(logits). Classes stand for one-hot targets; they are
  /// expected to be within the columns.
  virtual Loss softmax_cross_entropy(Matrix<const T> logits, const Labels<T>& labels,
                                     double label_smoothing, Matrix<T> delta) const = 0;
  /// -sum over columns of target log(output / sum of the row's outputs).
  virtual Loss categorical_cross_entropy(Matrix<const T> outputs, const Labels<T>& labels,
                                         double label_smoothing, Matrix<T> delta) const = 0;
  /// Mean over columns of -target log p - (1 - target) log(1 - p), with p = sigmoid(logit).
  virtual Loss sigmoid_cross_entropy(Matrix<const T> logits, Matrix<const T> targets,
                                     double label_smoothing, Matrix<T> delta) const = 0;
  /// The same with p = output.
  virtual Loss binary_cross_entropy(Matrix<const T> outputs, Matrix<const T> targets,
                                    double label_smoothing, Matrix<T> delta) const = 0;
  /// See ElementLoss.
  virtual Loss elementwise_loss(const ElementLoss& loss, Matrix<const T> outputs,
                                Matrix<const T> targets, Matrix<T> delta) const = 0;

  /// How many rows, or for binary accuracy how many outputs, are right. The first of equal outputs
  /// counts as the largest. Expects targets for binary accuracy: an output above the threshold says
  /// 1, another one 0. 0 for no accuracy.
  virtual std::uint64_t count_correct(Accuracy accuracy, Matrix<const T> outputs,
                                      const Labels<T>& labels, T threshold) const = 0;
};

/// The engine over the system's BLAS, one for all threads. It sets OpenBLAS, if that is the BLAS,
/// to one thread for each caller: ranks and their compute threads are the parallelism here.
template <class T>
std::shared_ptr<const Engine<T>> cpu_engine();

}  // namespace daig::nn
