#pragma once

/// Where a volunteer's accepted gradients become one sum.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include <daig/model/accumulator.hpp>
#include <daig/train/buffer_pool.hpp>

namespace daig::train {

/// The accumulator of the present step and the gradients that are accepted and not added yet.
///
/// The compute thread adds them, between its tickets: the gradients are in its core's cache, and a
/// thread that communicates is not kept from it. What is left at the close, the communication
/// thread adds. Always in the order of acceptance, whoever adds: the sum's bits do not depend on
/// it.
class Bank {
 public:
  explicit Bank(std::size_t size) : sum_(std::make_shared<model::Accumulator>(size)) {}

  /// Communication thread: an accepted gradient. Cheap.
  void deposit(Buffer gradient);
  /// Compute thread: adds what was deposited. Cost: a pass over each, and one over the sum.
  void add_deposits();

  /// Communication thread: the step's sum with all deposits in it. Waits for an addition that the
  /// compute thread is at (a few passes over memory, never for a program's code). Shared with
  /// exchanges, which may outlive the bank.
  std::shared_ptr<const model::Accumulator> close();
  /// Communication thread: the next step begins. Nobody computes for the last one any more.
  void clear();

 private:
  std::mutex mutex_;
  std::condition_variable added_;
  std::vector<Buffer> deposits_;
  bool adding_ = false;  ///< somebody is at the sum, without the mutex
  std::shared_ptr<model::Accumulator> sum_;
};

// ---------------------------------------------------------------------------------------------

inline void Bank::deposit(Buffer gradient) {
  const std::scoped_lock lock(mutex_);
  deposits_.push_back(std::move(gradient));
}

inline void Bank::add_deposits() {
  std::unique_lock lock(mutex_);
  added_.wait(lock, [this] { return !adding_; });
  if (deposits_.empty()) return;
  const std::vector<Buffer> deposits = std::exchange(deposits_, {});
  adding_ = true;
  lock.unlock();
  std::vector<std::span<const float>> gradients;
  for (const Buffer& gradient : deposits) gradients.emplace_back(*gradient);
  sum_->add(gradients);
  lock.lock();
  adding_ = false;
  added_.notify_all();
}

inline std::shared_ptr<const model::Accumulator> Bank::close() {
  add_deposits();
  return sum_;
}

inline void Bank::clear() {
  const std::scoped_lock lock(mutex_);
  sum_->clear();
}

}  // namespace daig::train
