#pragma once

/// The wish to leave a run, from before its session is made to after its end.

#include <mutex>

#include <daig/train/session.hpp>

namespace daig::launcher {

/// Threads: `make` is for any, the rest for the one that runs the session.
class LeaveRequest {
 public:
  void make() {
    const std::scoped_lock lock(mutex_);
    made_ = true;
    if (session_ != nullptr) session_->leave();
  }

  /// Passes the wish on to a session for as long as this lives.
  class Listener {
   public:
    Listener(LeaveRequest& request, train::Session& session) : request_(request) {
      request_.listen(&session);
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    Listener(Listener&&) = delete;
    Listener& operator=(Listener&&) = delete;
    ~Listener() { request_.listen(nullptr); }

   private:
    LeaveRequest& request_;
  };

 private:
  void listen(train::Session* session) {
    const std::scoped_lock lock(mutex_);
    session_ = session;
    if (made_ && session_ != nullptr) session_->leave();
  }

  std::mutex mutex_;
  bool made_ = false;
  train::Session* session_ = nullptr;
};

}  // namespace daig::launcher
