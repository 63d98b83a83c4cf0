#include <almanac/daemon/http_listener.h>

#include <fmt/core.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace almanac {
namespace {

constexpr int listen_backlog = 1'024;
constexpr int first_passed_descriptor = 3;
constexpr const char* address_help = "write host and port, such as 127.0.0.1:7411";

struct HostAndPort {
  std::string host;
  std::string port;
};

std::optional<HostAndPort> split_address(std::string_view address) {
  const auto colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  std::string_view host = address.substr(0, colon);
  const std::string_view port = address.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  unsigned number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size() || number > 65'535) {
    return std::nullopt;
  }
  return HostAndPort{std::string(host), std::string(port)};
}

std::string address_text(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> host{};
  if (address.ss_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &four.sin_addr, host.data(), host.size());
    return fmt::format("{}:{}", host.data(), ntohs(four.sin_port));
  }
  const auto& six = reinterpret_cast<const sockaddr_in6&>(address);
  ::inet_ntop(AF_INET6, &six.sin6_addr, host.data(), host.size());
  return fmt::format("[{}]:{}", host.data(), ntohs(six.sin6_port));
}

std::string bound_name(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "?";
  return address_text(address);
}

Result<sockaddr_un> local_address(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string text = path.string();
  if (text.size() >= sizeof(address.sun_path)) {
    return fail(ErrorCode::invalid,
                fmt::format("the path of the socket has over {} bytes: {}",
                            sizeof(address.sun_path) - 1, text),
                "set a shorter path in [socket]");
  }
  std::memcpy(address.sun_path, text.data(), text.size());
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

Result<void> prepare_socket_folder(const std::filesystem::path& folder) {
  struct stat found{};
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail_errno(errno, "make the folder " + folder.string());
  }
  if (::stat(folder.c_str(), &found) != 0) return fail_errno(errno, "look at " + folder.string());
  if (found.st_uid == ::geteuid() && (found.st_mode & 077) == 0) return {};
  return fail(ErrorCode::refused, "others may enter the folder of the socket, " + folder.string(),
              "chmod 700 it, or set another path in [socket]");
}

// A socket that a process left behind when it was killed.
Result<void> remove_stale(const std::filesystem::path& path, const sockaddr_un& address) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) return {};
  if (!S_ISSOCK(found.st_mode)) {
    return fail(ErrorCode::conflict, path.string() + " is there, and is no socket",
                "remove it, or set another path in [socket]");
  }
  const FileDescriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(probe.get(), generic(address), sizeof(address)) == 0 || errno == EAGAIN) {
    return fail(ErrorCode::conflict, "another process listens on " + path.string(),
                "stop it, or set another path in [socket]");
  }
  if (::unlink(path.c_str()) != 0) return fail_errno(errno, "remove " + path.string());
  return {};
}

std::unexpected<Error> not_listening(const std::string& address) {
  if (errno != EADDRINUSE) return fail_errno(errno, "listen on " + address);
  return fail(ErrorCode::conflict, "another process listens on " + address,
              "stop it, or listen on another port");
}

}  // namespace

bool is_loopback(std::string_view address) {
  const auto parts = split_address(address);
  if (!parts) return false;
  if (parts->host == "localhost") return true;
  // By its numbers: 127.example.org is a name of anywhere.
  in_addr four{};
  if (::inet_pton(AF_INET, parts->host.c_str(), &four) == 1) {
    return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
  }
  in6_addr six{};
  return ::inet_pton(AF_INET6, parts->host.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

Result<void> check_tcp_address(std::string_view address) {
  if (split_address(address)) return {};
  return fail(ErrorCode::invalid, fmt::format("'{}' is no address to listen on", address),
              address_help);
}

Result<HttpListener> listen_on_tcp(const std::string& address) {
  auto bound = bind_tcp(address);
  if (!bound) return bound;
  if (auto listens = begin_listening(*bound); !listens) return std::unexpected(listens.error());
  return bound;
}

Result<void> begin_listening(const HttpListener& bound) {
  if (::listen(bound.socket.get(), listen_backlog) == 0) return {};
  return not_listening(bound.name);
}

Result<HttpListener> bind_tcp(const std::string& address) {
  if (auto checked = check_tcp_address(address); !checked) {
    return std::unexpected(checked.error());
  }
  const auto parts = split_address(address);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(parts->host.c_str(), parts->port.c_str(), &hints, &found);
  if (failed != 0) {
    return fail(ErrorCode::invalid,
                fmt::format("nobody knows the host of '{}': {}", address, ::gai_strerror(failed)),
                address_help);
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, ::freeaddrinfo);
  FileDescriptor socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return fail_errno(errno, "make a socket");
  const int yes = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (::bind(socket.get(), found->ai_addr, found->ai_addrlen) != 0) return not_listening(address);
  HttpListener listener{.socket = std::move(socket), .is_local = false, .name = {}, .path = {}};
  listener.name = bound_name(listener.socket.get());
  return listener;
}

Result<HttpListener> listen_on_path(const std::filesystem::path& path) {
  auto address = local_address(path);
  if (!address) return std::unexpected(address.error());
  if (auto prepared = prepare_socket_folder(path.parent_path()); !prepared) {
    return std::unexpected(prepared.error());
  }
  if (auto removed = remove_stale(path, *address); !removed) {
    return std::unexpected(removed.error());
  }
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return fail_errno(errno, "make a socket");
  // Nobody else can enter the folder: between these two nobody gets in.
  if (::bind(socket.get(), generic(*address), sizeof(*address)) != 0 ||
      ::chmod(path.c_str(), 0600) != 0 || ::listen(socket.get(), listen_backlog) != 0) {
    return fail_errno(errno, "listen on " + path.string());
  }
  return HttpListener{
      .socket = std::move(socket), .is_local = true, .name = path.string(), .path = path};
}

Result<std::vector<HttpListener>> take_passed_listeners() {
  std::vector<HttpListener> listeners;
  const char* process = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  const bool is_ours = process != nullptr && count != nullptr &&
                       std::to_string(::getpid()) == std::string_view(process);
  const int passed = is_ours ? std::atoi(count) : 0;
  ::unsetenv("LISTEN_PID");
  ::unsetenv("LISTEN_FDS");
  ::unsetenv("LISTEN_FDNAMES");
  for (int i = 0; i < passed; ++i) {
    FileDescriptor socket(first_passed_descriptor + i);
    int listens = 0;
    socklen_t size = sizeof(listens);
    sockaddr_storage address{};
    socklen_t address_size = sizeof(address);
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 ||
        listens == 0 ||
        ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &address_size) != 0) {
      return fail(ErrorCode::invalid,
                  fmt::format("descriptor {} that was passed is no socket that listens",
                              first_passed_descriptor + i),
                  "use ListenStream= in the socket unit");
    }
    ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
    ::fcntl(socket.get(), F_SETFL, ::fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
    const bool is_local = address.ss_family == AF_UNIX;
    listeners.push_back({.socket = std::move(socket),
                         .is_local = is_local,
                         .name = is_local ? "a socket that was passed" : address_text(address),
                         .path = {}});
  }
  return listeners;
}

std::optional<HttpPeer> peer_of(int socket, bool is_local) {
  if (is_local) {
    ucred credentials{};
    socklen_t size = sizeof(credentials);
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return {};
    const bool is_known = credentials.uid == ::geteuid() || credentials.uid == 0;
    return HttpPeer{
        .is_local = true, .name = fmt::format("uid {}", credentials.uid), .may_ask = is_known};
  }
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  const int yes = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  return HttpPeer{.is_local = false, .name = address_text(address)};
}

}  // namespace almanac
