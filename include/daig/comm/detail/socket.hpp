#pragma once

/// Connections between machines: TCP over IPv4, never blocking.

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <daig/core/error.hpp>
#include <daig/core/file_descriptor.hpp>

namespace daig::comm::detail {

/// Reads "10.0.0.1:4711,127.0.0.1:4711". @throws InputError on anything else
std::vector<sockaddr_in> parse_addresses(std::string_view text);

/// A socket at which this machine can be reached at all its addresses. @throws IoError
FileDescriptor listen_anywhere();

/// Where a listening socket is reached, in the form that parse_addresses reads: this machine's own
/// addresses, those that it shares with all machines last.
std::string addresses_of(const FileDescriptor& listening);

/// Begins to connect; the socket becomes writable once that has succeeded or failed
/// (`connection_error` then tells). @throws IoError when there is no socket to be had.
FileDescriptor begin_to_connect(const sockaddr_in& address);

/// Whether a write would get on, or fail, at once.
bool is_writable(const FileDescriptor& connection);

/// 0 of a connection that stands; else why it does not, an errno.
int connection_error(const FileDescriptor& connection);

/// Small messages leave at once, and a peer that is gone for long is noticed.
void prepare_link(const FileDescriptor& connection);

/// As many bytes of both, one after the other, as can be written now; nothing when the connection
/// is broken.
std::optional<std::size_t> write_some(const FileDescriptor& connection,
                                      std::span<const std::byte> first,
                                      std::span<const std::byte> second = {});

/// As many bytes as there are now, at most bytes.size(); nothing when the connection has ended.
std::optional<std::size_t> read_some(const FileDescriptor& connection, std::span<std::byte> bytes);

// ---------------------------------------------------------------------------------------------

inline std::vector<sockaddr_in> parse_addresses(std::string_view text) {
  std::vector<sockaddr_in> addresses;
  while (!text.empty()) {
    const std::string one(text.substr(0, text.find(',')));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    const std::size_t colon = one.find(':');
    sockaddr_in address{};
    address.sin_family = AF_INET;
    const std::string port = colon == std::string::npos ? "" : one.substr(colon + 1);
    const bool is_number = !port.empty() && port.size() <= 5 &&
                           port.find_first_not_of("0123456789") == std::string::npos;
    const int number = is_number ? std::stoi(port) : 0;
    if (number < 1 || number > 65535 ||
        ::inet_pton(AF_INET, one.substr(0, colon).c_str(), &address.sin_addr) != 1) {
      throw InputError(fmt::format("'{}' is no address such as 10.0.0.1:4711", one));
    }
    address.sin_port = htons(static_cast<std::uint16_t>(number));
    addresses.push_back(address);
  }
  return addresses;
}

inline FileDescriptor listen_anywhere() {
  FileDescriptor socket(
      checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "a socket"));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  checked(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
          "a port to listen at");
  checked(::listen(socket.get(), SOMAXCONN), "listening at a port");
  return socket;
}

inline std::string addresses_of(const FileDescriptor& listening) {
  sockaddr_in own{};
  socklen_t size = sizeof own;
  checked(::getsockname(listening.get(), reinterpret_cast<sockaddr*>(&own), &size), "the own port");
  const int port = ntohs(own.sin_port);
  std::string addresses;
  ifaddrs* all = nullptr;
  checked(::getifaddrs(&all), "the own addresses");
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
    if ((one->ifa_flags & IFF_UP) == 0 || (one->ifa_flags & IFF_LOOPBACK) != 0) continue;
    char text[INET_ADDRSTRLEN] = "";
    const auto* address = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
    ::inet_ntop(AF_INET, &address->sin_addr, text, sizeof text);
    addresses += fmt::format("{}:{},", text, port);
  }
  ::freeifaddrs(all);
  return addresses + fmt::format("127.0.0.1:{}", port);
}

inline FileDescriptor begin_to_connect(const sockaddr_in& address) {
  FileDescriptor socket(
      checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "a socket"));
  // Whether it succeeds is asked later, by connection_error.
  static_cast<void>(
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
  return socket;
}

inline bool is_writable(const FileDescriptor& connection) {
  pollfd event{connection.get(), POLLOUT, 0};
  return ::poll(&event, 1, 0) == 1;
}

inline int connection_error(const FileDescriptor& connection) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(connection.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  if (error != 0) return error;
  sockaddr_in peer{};
  size = sizeof peer;
  return ::getpeername(connection.get(), reinterpret_cast<sockaddr*>(&peer), &size) == 0 ? 0
                                                                                         : errno;
}

inline void prepare_link(const FileDescriptor& connection) {
  const int on = 1;
  ::setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(connection.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

inline std::optional<std::size_t> write_some(const FileDescriptor& connection,
                                             std::span<const std::byte> first,
                                             std::span<const std::byte> second) {
  const auto part = [](std::span<const std::byte> bytes) {
    return iovec{const_cast<std::byte*>(bytes.data()), bytes.size()};  // which is only read
  };
  std::array<iovec, 2> parts{part(first), part(second)};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  const ssize_t written = ::sendmsg(connection.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (written >= 0) return static_cast<std::size_t>(written);
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return 0;
  return std::nullopt;
}

inline std::optional<std::size_t> read_some(const FileDescriptor& connection,
                                            std::span<std::byte> bytes) {
  const ssize_t got = ::recv(connection.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got > 0) return static_cast<std::size_t>(got);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return 0;
  return std::nullopt;
}

}  // namespace daig::comm::detail
