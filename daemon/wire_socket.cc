#include <almanac/daemon/wire_socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace almanac {
namespace {

constexpr int backlog = 1'024;

struct WireAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  int family = AF_INET;
};

std::unexpected<Error> bad_address(const std::string& address) {
  return fail(ErrorCode::invalid, "'" + address + "' is no address to listen on",
              "write HOST:PORT in numbers: 127.0.0.1:7419, or [::1]:7419");
}

std::unexpected<Error> no_socket(const std::string& address, const char* what) {
  if (errno == EADDRINUSE) {
    return fail(ErrorCode::conflict, "another process listens on " + address,
                "stop it, or listen on another port");
  }
  return fail(ErrorCode::io, std::string(what) + " " + address + ": " + std::strerror(errno),
              "see which program has it, or listen on another port");
}

Result<WireAddress> parse_address(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) return bad_address(address);
  std::string host = address.substr(0, colon);
  std::uint16_t port = 0;
  const char* end = address.data() + address.size();
  const auto [stop, error] = std::from_chars(address.data() + colon + 1, end, port);
  if (error != std::errc() || stop != end) return bad_address(address);
  const bool is_v6 = host.starts_with('[') && host.ends_with(']');
  if (is_v6) host = host.substr(1, host.size() - 2);
  WireAddress parsed;
  if (is_v6) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(parsed.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    parsed.length = sizeof(v6);
    parsed.family = AF_INET6;
    if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) != 1) return bad_address(address);
  } else {
    auto& v4 = reinterpret_cast<sockaddr_in&>(parsed.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    parsed.length = sizeof(v4);
    if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) != 1) return bad_address(address);
  }
  return parsed;
}

std::uint16_t port_of(int socket) {
  sockaddr_storage bound{};
  socklen_t length = sizeof(bound);
  getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &length);
  return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port
                                           : reinterpret_cast<sockaddr_in&>(bound).sin_port);
}

WireMoved moved(ssize_t bytes) {
  if (bytes > 0) return {WireMove::moved, static_cast<std::size_t>(bytes)};
  if (bytes == 0) return {WireMove::ended, 0};
  const bool waits = errno == EAGAIN || errno == EINTR;
  if (errno == EPROTO) return {WireMove::broken, 0};
  return {waits ? WireMove::must_wait : WireMove::failed, 0};
}

}  // namespace

bool is_wire_address(const std::string& address) { return parse_address(address).has_value(); }

Result<WireListener> bind_wire(const std::string& address) {
  const auto parsed = parse_address(address);
  if (!parsed) return std::unexpected(parsed.error());
  WireListener listener;
  listener.socket =
      FileDescriptor(::socket(parsed->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!listener.socket.valid()) return no_socket(address, "no socket for");
  const int yes = 1;
  setsockopt(listener.socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  const auto* where = reinterpret_cast<const sockaddr*>(&parsed->storage);
  if (::bind(listener.socket.get(), where, parsed->length) != 0) {
    return no_socket(address, "cannot listen on");
  }
  listener.address = address;
  listener.port = port_of(listener.socket.get());
  return listener;
}

Result<void> begin_listening(const WireListener& bound) {
  if (::listen(bound.socket.get(), backlog) == 0) return {};
  return no_socket(bound.address, "cannot listen on");
}

WireAccept accept_on_wire(const WireListener& listener, FileDescriptor& connection) {
  while (true) {
    const int accepted =
        ::accept4(listener.socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) {
      connection = FileDescriptor(accepted);
      const int yes = 1;
      setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
      return WireAccept::accepted;
    }
    if (errno == EAGAIN) return WireAccept::none;
    const bool is_short = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (is_short) return WireAccept::too_many;
    // This one is gone before it was taken; the next one may be there.
  }
}

WireMoved read_wire(const FileDescriptor& connection, TlsChannel* tls, std::span<char> buffer) {
  if (tls != nullptr) return moved(tls->receive(connection.get(), buffer));
  return moved(::recv(connection.get(), buffer.data(), buffer.size(), 0));
}

WireMoved write_wire(const FileDescriptor& connection, TlsChannel* tls, std::string_view bytes) {
  if (tls != nullptr) return moved(tls->send(connection.get(), bytes));
  return moved(::send(connection.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

void end_wire_output(const FileDescriptor& connection) { ::shutdown(connection.get(), SHUT_WR); }

}  // namespace almanac
