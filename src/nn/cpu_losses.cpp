#include "cpu_losses.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <daig/core/error.hpp>

#include "cpu_rows.hpp"

namespace daig::nn {
namespace {

/// Keras's, in its clipping of probabilities and its guards of divisions.
template <class T>
constexpr T epsilon = T(1e-7);

template <class T>
void check_labels(Matrix<const T> outputs, const Labels<T>& labels) {
  if (labels.targets.empty()) {
    expects(labels.classes.size() == outputs.rows(), "a class for each row");
    const auto is_column = [&](std::int32_t label) {
      return static_cast<std::size_t>(label) < outputs.columns();  // below 0 becomes huge
    };
    expects(std::ranges::all_of(labels.classes, is_column), "classes within the columns");
  } else {
    expects(labels.targets.size() == outputs.values().size(), "a target for each output");
  }
}

/// The targets of a row: those that are given, or one-hot, pulled towards the even ones.
template <class T>
class TargetsOfRow {
 public:
  TargetsOfRow(const Labels<T>& labels, std::size_t row, std::size_t columns, double smoothing)
      : given_(labels.targets.empty() ? std::span<const T>()
                                      : labels.targets.subspan(row * columns, columns)),
        class_(labels.targets.empty() ? static_cast<std::size_t>(labels.classes[row]) : 0),
        kept_(static_cast<T>(1 - smoothing)),
        spread_(static_cast<T>(smoothing / static_cast<double>(columns))) {}

  T operator[](std::size_t column) const {
    const T target = given_.empty() ? T(column == class_ ? 1 : 0) : given_[column];
    return target * kept_ + spread_;
  }

 private:
  std::span<const T> given_;
  std::size_t class_;
  T kept_;
  T spread_;
};

/// -sum of target log softmax, and its derivative.
template <class T>
double softmax_row_loss(std::span<const T> logits, const TargetsOfRow<T>& targets,
                        std::span<T> delta) {
  const T largest = *std::ranges::max_element(logits);
  const T sum = exp_row(logits, largest, delta);
  const double log_sum = std::log(static_cast<double>(sum));
  double loss = 0;
  T mass = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const T target = targets[i];
    mass += target;
    // Without a target, an infinite logit does not matter.
    if (target == 0) continue;
    loss += static_cast<double>(target) *
            (log_sum - (static_cast<double>(logits[i]) - static_cast<double>(largest)));
  }
  for (std::size_t i = 0; i < delta.size(); ++i) delta[i] = delta[i] / sum * mass - targets[i];
  return loss;
}

/// The same for one class, without smoothing.
template <class T>
double softmax_row_loss(std::span<const T> logits, std::size_t wanted, std::span<T> delta) {
  const T largest = *std::ranges::max_element(logits);
  const T sum = exp_row(logits, largest, delta);
  for (T& value : delta) value /= sum;
  delta[wanted] -= 1;
  return std::log(static_cast<double>(sum)) -
         (static_cast<double>(logits[wanted]) - static_cast<double>(largest));
}

/// -sum of target log(output / sum of outputs), and its derivative.
template <class T>
double categorical_row_loss(std::span<const T> outputs, const TargetsOfRow<T>& targets,
                            std::span<T> delta) {
  T sum = 0;
  for (const T output : outputs) sum += output;
  double loss = 0;
  T mean = 0;  // of the derivatives by the probabilities, weighted with these
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const T target = targets[i];
    const T probability = outputs[i] / sum;
    const T clipped = std::clamp(probability, epsilon<T>, 1 - epsilon<T>);
    loss -= static_cast<double>(target) * std::log(static_cast<double>(clipped));
    delta[i] = clipped == probability ? -target / probability : T{0};
    mean += delta[i] * probability;
  }
  for (T& value : delta) value = (value - mean) / sum;
  return loss;
}

template <class T>
struct Point {
  double loss;
  T derivative;  ///< by the output
};

/// Sum over rows of the mean over columns of point(output, target).loss; or of the sum over
/// columns.
template <class T, class Function>
Loss mean_over_columns(Matrix<const T> outputs, Matrix<const T> targets, Matrix<T> delta,
                       Function point, std::size_t divisor) {
  expect_same_shape(outputs, targets);
  expect_same_shape(outputs, Matrix<const T>(delta));
  const std::span<const T> y = outputs.values();
  const std::span<const T> wanted = targets.values();
  const std::span<T> to = delta.values();
  const T factor = T{1} / static_cast<T>(divisor);
  double sum = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const Point<T> at = point(y[i], wanted[i]);
    sum += at.loss;
    to[i] = factor * at.derivative;
  }
  Loss loss;
  loss.loss_sum = sum / static_cast<double>(divisor);
  loss.samples = outputs.rows();
  return loss;
}

template <class T>
T smoothed(T target, double label_smoothing) {
  return target * static_cast<T>(1 - label_smoothing) + static_cast<T>(label_smoothing / 2);
}

template <class T>
Point<T> squared_error(T output, T target) {
  const T error = output - target;
  return {static_cast<double>(error) * static_cast<double>(error), 2 * error};
}

template <class T>
T sign(T value) {
  return T((value > 0) - (value < 0));
}

template <class T>
Point<T> absolute_error(T output, T target) {
  const T error = output - target;
  return {static_cast<double>(std::abs(error)), std::isnan(error) ? error : sign(error)};
}

template <class T>
Point<T> absolute_percentage_error(T output, T target) {
  const Point<T> error = absolute_error(output, target);
  const T factor = 100 / std::max(std::abs(target), epsilon<T>);
  return {error.loss * static_cast<double>(factor), error.derivative * factor};
}

template <class T>
Point<T> squared_logarithmic_error(T output, T target) {
  const T least = std::max(output, epsilon<T>);
  const T error = std::log1p(least) - std::log1p(std::max(target, epsilon<T>));
  return {static_cast<double>(error) * static_cast<double>(error),
          output < epsilon<T> ? T{0} : 2 * error / (1 + least)};
}

template <class T>
Point<T> huber(T output, T target, T delta) {
  const T error = output - target;
  const T size = std::abs(error);
  if (size > delta) return {static_cast<double>(delta * (size - delta / 2)), delta * sign(error)};
  return {static_cast<double>(error * error / 2), error};
}

/// log cosh e = |e| + log(1 + exp(-2 |e|)) - log 2, where exp cannot overflow.
template <class T>
Point<T> log_cosh(T output, T target) {
  const T error = output - target;
  const T size = std::abs(error);
  return {static_cast<double>(size + std::log1p(std::exp(-2 * size)) - std::numbers::ln2_v<T>),
          std::tanh(error)};
}

template <class T>
Point<T> poisson(T output, T target) {
  const T guarded = output + epsilon<T>;
  return {static_cast<double>(output - target * std::log(guarded)), 1 - target / guarded};
}

template <class T>
Point<T> hinge(T output, T target) {
  const T side = target == 0 ? T{-1} : target;
  const T gap = 1 - side * output;
  return gap < 0 ? Point<T>{0, 0} : Point<T>{static_cast<double>(gap), -side};
}

template <class T>
Point<T> squared_hinge(T output, T target) {
  const Point<T> gap = hinge(output, target);
  return {gap.loss * gap.loss, 2 * static_cast<T>(gap.loss) * gap.derivative};
}

template <class T>
Point<T> kl_divergence(T output, T target) {
  const T wanted = std::clamp(target, epsilon<T>, T{1});
  const T clipped = std::clamp(output, epsilon<T>, T{1});
  return {static_cast<double>(wanted * std::log(wanted / clipped)),
          clipped == output ? -wanted / output : T{0}};
}

template <class T>
std::size_t largest_at(std::span<const T> values) {
  return static_cast<std::size_t>(std::ranges::max_element(values) - values.begin());
}

template <class T>
std::uint64_t count_largest(Matrix<const T> outputs, const Labels<T>& labels) {
  std::uint64_t correct = 0;
  const std::size_t columns = outputs.columns();
  for (std::size_t r = 0; r < outputs.rows(); ++r) {
    const std::size_t wanted = labels.targets.empty()
                                   ? static_cast<std::size_t>(labels.classes[r])
                                   : largest_at(labels.targets.subspan(r * columns, columns));
    if (largest_at(outputs.row(r)) == wanted) ++correct;
  }
  return correct;
}

template <class T>
std::uint64_t count_on_its_side(std::span<const T> outputs, std::span<const T> targets,
                                T threshold) {
  std::uint64_t correct = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (targets[i] == T(outputs[i] > threshold ? 1 : 0)) ++correct;
  }
  return correct;
}

}  // namespace

template <class T>
Loss CpuLosses<T>::softmax_cross_entropy(Matrix<const T> logits, const Labels<T>& labels,
                                         double label_smoothing, Matrix<T> delta) const {
  expect_same_shape(logits, Matrix<const T>(delta));
  check_labels(logits, labels);
  Loss loss;
  loss.samples = logits.rows();
  const bool plain = labels.targets.empty() && label_smoothing == 0;
  for (std::size_t r = 0; r < logits.rows(); ++r) {
    const std::span<const T> row = logits.row(r);
    if (plain) {
      loss.loss_sum +=
          softmax_row_loss(row, static_cast<std::size_t>(labels.classes[r]), delta.row(r));
    } else {
      loss.loss_sum += softmax_row_loss(
          row, TargetsOfRow<T>(labels, r, row.size(), label_smoothing), delta.row(r));
    }
  }
  return loss;
}

template <class T>
Loss CpuLosses<T>::categorical_cross_entropy(Matrix<const T> outputs, const Labels<T>& labels,
                                             double label_smoothing, Matrix<T> delta) const {
  expect_same_shape(outputs, Matrix<const T>(delta));
  check_labels(outputs, labels);
  Loss loss;
  loss.samples = outputs.rows();
  for (std::size_t r = 0; r < outputs.rows(); ++r) {
    const TargetsOfRow<T> targets(labels, r, outputs.columns(), label_smoothing);
    loss.loss_sum += categorical_row_loss(outputs.row(r), targets, delta.row(r));
  }
  return loss;
}

template <class T>
Loss CpuLosses<T>::sigmoid_cross_entropy(Matrix<const T> logits, Matrix<const T> targets,
                                         double label_smoothing, Matrix<T> delta) const {
  const auto point = [label_smoothing](T logit, T target) {
    const T wanted = smoothed(target, label_smoothing);
    const T loss =
        (logit < 0 ? T{0} : logit) - logit * wanted + std::log1p(std::exp(-std::abs(logit)));
    return Point<T>{static_cast<double>(loss), 1 / (1 + std::exp(-logit)) - wanted};
  };
  return mean_over_columns(logits, targets, delta, point, logits.columns());
}

template <class T>
Loss CpuLosses<T>::binary_cross_entropy(Matrix<const T> outputs, Matrix<const T> targets,
                                        double label_smoothing, Matrix<T> delta) const {
  const auto point = [label_smoothing](T output, T target) {
    const T wanted = smoothed(target, label_smoothing);
    const T clipped = std::clamp(output, epsilon<T>, 1 - epsilon<T>);
    const T loss = -wanted * std::log(clipped) - (1 - wanted) * std::log(1 - clipped);
    return Point<T>{static_cast<double>(loss),
                    clipped == output ? (output - wanted) / (output * (1 - output)) : T{0}};
  };
  return mean_over_columns(outputs, targets, delta, point, outputs.columns());
}

template <class T>
Loss CpuLosses<T>::elementwise_loss(const ElementLoss& loss, Matrix<const T> outputs,
                                    Matrix<const T> targets, Matrix<T> delta) const {
  const auto mean = [&](auto point) {
    return mean_over_columns(outputs, targets, delta, point, outputs.columns());
  };
  switch (loss.kind) {
    case ElementLoss::Kind::squared_error:
      return mean(squared_error<T>);
    case ElementLoss::Kind::absolute_error:
      return mean(absolute_error<T>);
    case ElementLoss::Kind::absolute_percentage_error:
      return mean(absolute_percentage_error<T>);
    case ElementLoss::Kind::squared_logarithmic_error:
      return mean(squared_logarithmic_error<T>);
    case ElementLoss::Kind::huber:
      return mean([bound = static_cast<T>(loss.delta)](T output, T target) {
        return huber(output, target, bound);
      });
    case ElementLoss::Kind::log_cosh:
      return mean(log_cosh<T>);
    case ElementLoss::Kind::poisson:
      return mean(poisson<T>);
    case ElementLoss::Kind::hinge:
      return mean(hinge<T>);
    case ElementLoss::Kind::squared_hinge:
      return mean(squared_hinge<T>);
    case ElementLoss::Kind::kl_divergence:
      return mean_over_columns(outputs, targets, delta, kl_divergence<T>, 1);
  }
  throw ContractViolation("a ElementLoss::Kind outside its list");
}

template <class T>
std::uint64_t CpuLosses<T>::count_correct(Accuracy accuracy, Matrix<const T> outputs,
                                          const Labels<T>& labels, T threshold) const {
  if (accuracy == Accuracy::none) return 0;
  check_labels(outputs, labels);
  if (accuracy == Accuracy::categorical) return count_largest(outputs, labels);
  expects(labels.targets.size() == outputs.values().size(), "a target for each output");
  return count_on_its_side(outputs.values(), labels.targets, threshold);
}

template class CpuLosses<float>;
template class CpuLosses<double>;

}  // namespace daig::nn
