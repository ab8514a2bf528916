#pragma once

/// Letting others go first.

#include <sys/resource.h>
#include <unistd.h>

namespace daig::train {

/// Lowers the calling thread's priority to a niceness from 0 to 19, as nice(1) does, for the rest
/// of the thread's life; the process's other threads keep theirs. One that is lower stays.
///
/// For threads that compute. All ranks wait for each other's communication threads, and where ranks
/// outnumber cores these would wait for batches: three volunteers on two cores do 10 to 15 % more
/// samples/s at K = 4. And a volunteer lends what its machine has left.
inline void be_nice(int niceness) {
  const auto thread = static_cast<id_t>(::gettid());
  if (::getpriority(PRIO_PROCESS, thread) < niceness) {
    ::setpriority(PRIO_PROCESS, thread, niceness);
  }
}

}  // namespace daig::train
