#pragma once

/// Numbered transfers of which only a few are under way at a time.

#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

#include <daig/comm/communicator.hpp>

namespace daig::collective::detail {

/// Transfers 0, 1, 2, ... of one direction. They are started in this order, and end in it too, as
/// messages of one sender and tag do not overtake each other.
class TransferWindow {
 public:
  explicit TransferWindow(std::size_t width) : width_(width) {
    expects(width > 0, "room for a transfer");
  }

  std::size_t started() const { return ended_ + under_way_.size(); }
  std::size_t ended() const { return ended_; }
  bool full() const { return under_way_.size() == width_; }

  void start(comm::Transfer transfer) { under_way_.push_back(std::move(transfer)); }

  /// Ends the earliest transfer under way, if it is done.
  bool end_one();

  /// Withdraws what can be withdrawn, and has the communicator keep the rest and their bytes.
  void abandon(comm::Communicator& communicator, const std::shared_ptr<const void>& bytes);

 private:
  std::size_t width_;
  std::size_t ended_ = 0;
  std::deque<comm::Transfer> under_way_;
};

// ---------------------------------------------------------------------------------------------

inline bool TransferWindow::end_one() {
  if (under_way_.empty() || !under_way_.front().done()) return false;
  under_way_.pop_front();
  ++ended_;
  return true;
}

inline void TransferWindow::abandon(comm::Communicator& communicator,
                                    const std::shared_ptr<const void>& bytes) {
  for (comm::Transfer& transfer : under_way_) {
    if (!transfer.withdraw()) communicator.keep_until_done(std::move(transfer), bytes);
  }
  under_way_.clear();
}

}  // namespace daig::collective::detail
