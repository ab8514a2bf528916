#pragma once

/// Buffers that go round between the two threads of a volunteer.

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace daig::train {

using Buffer = std::shared_ptr<std::vector<float>>;

/// Hands out float buffers of one size; a buffer comes back by itself when its last owner lets go.
///
/// So new weights are written while a busy compute thread still reads old ones, and nothing is
/// allocated once the run is under way. Any thread. The pool may go before its buffers.
class BufferPool {
 public:
  explicit BufferPool(std::size_t size) : shelf_(std::make_shared<Shelf>()), size_(size) {}

  /// A buffer whose values are whatever they were.
  Buffer acquire();

 private:
  struct Shelf {
    std::mutex mutex;
    std::vector<std::unique_ptr<std::vector<float>>> free;
  };

  std::shared_ptr<Shelf> shelf_;
  std::size_t size_;
};

// ---------------------------------------------------------------------------------------------

inline Buffer BufferPool::acquire() {
  std::unique_ptr<std::vector<float>> values;
  {
    const std::scoped_lock lock(shelf_->mutex);
    if (!shelf_->free.empty()) {
      values = std::move(shelf_->free.back());
      shelf_->free.pop_back();
    }
  }
  if (!values) values = std::make_unique<std::vector<float>>(size_);
  // Not shared_ptr::use_count, which tells nothing about what the other thread's reads have done.
  return {values.release(), [shelf = shelf_](std::vector<float>* returned) {
            const std::scoped_lock lock(shelf->mutex);
            shelf->free.emplace_back(returned);
          }};
}

}  // namespace daig::train
