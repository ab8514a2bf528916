#pragma once

/// A doorbell between the processes of one machine: what MPI cannot do, wake a rank that sleeps.

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <span>
#include <string>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <daig/core/deadline.hpp>
#include <daig/core/digest.hpp>

namespace daig::comm::detail {

/// Where a bell hangs, in bytes that can be sent to other processes.
struct BellAddress {
  std::uint64_t machine = 0;  ///< the same for processes that can ring each other's bells
  std::array<char, 8> name{};

  /// False of a process that has no bell.
  bool hangs() const { return machine != 0; }
};

/// A datagram socket with a name that the kernel chose, in Linux's abstract namespace: it leaves no
/// file, and is gone with its process. What arrives is never looked at; a stranger who rings only
/// wakes somebody up.
///
/// Threads: `ring()` is for any thread, the rest for the owner's.
class Bell {
 public:
  /// Where no socket is to be had, the bell can be rung by its own process only, and late.
  Bell();
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  Bell(Bell&&) = delete;
  Bell& operator=(Bell&&) = delete;
  ~Bell();

  const BellAddress& address() const { return address_; }

  /// Sleeps until it rings, at once if it has rung since the last sleep, or until the time is over.
  void sleep(Duration time);
  /// Whether it has rung since this was asked last: for those who do not sleep.
  bool has_rung() { return rung_.exchange(false); }
  void ring() noexcept;
  /// Rings it for the own thread, which does not sleep now: no system call.
  void note() noexcept { rung_ = true; }

  /// Rings another process's bell. Nothing happens where none hangs any more.
  void ring(const BellAddress& other) noexcept;

 private:
  int socket_;
  BellAddress address_;
  std::atomic<bool> rung_ = false;  ///< by the own process
};

/// The same in all processes that share an abstract namespace: those of one machine, and on it of
/// one network namespace.
inline std::uint64_t machine_identity() {
  std::string identity;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> identity;
  struct stat network {};
  if (identity.empty() || ::stat("/proc/self/ns/net", &network) != 0) return 0;
  identity += ' ' + std::to_string(network.st_ino);
  return digest(std::as_bytes(std::span(identity)));
}

inline sockaddr_un socket_address(const BellAddress& bell) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  static_assert(sizeof bell.name <= sizeof address.sun_path);
  std::memcpy(address.sun_path, bell.name.data(), bell.name.size());
  return address;
}

// The kernel's names are a zero byte and five hexadecimal digits.
inline constexpr socklen_t bell_address_size = offsetof(sockaddr_un, sun_path) + 6;

// ---------------------------------------------------------------------------------------------

inline Bell::Bell() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (socket_ < 0 || ::bind(socket_, generic, sizeof address.sun_family) != 0 ||
      ::getsockname(socket_, generic, &size) != 0 || size != bell_address_size) {
    return;
  }
  std::memcpy(address_.name.data(), address.sun_path, size - offsetof(sockaddr_un, sun_path));
  address_.machine = machine_identity();
}

inline Bell::~Bell() {
  if (socket_ >= 0) ::close(socket_);
}

/// The flag goes down before the socket is emptied: whoever raises it in between is heard, by this
/// sleep's end or the next one's beginning.
inline void Bell::sleep(Duration time) {
  if (has_rung()) return;
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(time);
  const timespec left{whole.count(), std::chrono::nanoseconds(time - whole).count()};
  pollfd arrivals{socket_, POLLIN, 0};
  if (::ppoll(&arrivals, 1, &left, nullptr) <= 0) return;
  rung_ = false;
  std::byte nothing{};
  while (::recv(socket_, &nothing, sizeof nothing, 0) >= 0) {
  }
}

inline void Bell::ring() noexcept {
  if (!rung_.exchange(true)) ring(address_);
}

/// Fails where the bell is gone, or has been rung so often that no more fits: all the same.
inline void Bell::ring(const BellAddress& other) noexcept {
  if (!other.hangs() || other.machine != address_.machine) return;
  const sockaddr_un address = socket_address(other);
  ::sendto(socket_, nullptr, 0, MSG_DONTWAIT | MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&address), bell_address_size);
}

}  // namespace daig::comm::detail
