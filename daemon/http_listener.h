// Sockets that wait for connections: made from what a configuration says, or handed over by who
// started the process (LISTEN_FDS, as systemd does).
#pragma once

#include <almanac/daemon/http_message.h>
#include <almanac/log/error.h>
#include <almanac/log/file.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

struct HttpListener {
  FileDescriptor socket;
  bool is_local = false;       // a Unix socket
  std::string name;            // "127.0.0.1:7411", or the path
  std::filesystem::path path;  // of a Unix socket that was made here, removed at the end
};

// "127.0.0.1:7411", "[::1]:7411", "localhost:0"; port 0 = any that is free, which `name` says.
// Errors: invalid (no address and port), conflict (somebody listens there), refused, io.
[[nodiscard]] Result<HttpListener> listen_on_tcp(const std::string& address);
// The same in two steps: takes the address, but nobody can connect before the second. The same
// errors.
[[nodiscard]] Result<HttpListener> bind_tcp(const std::string& address);
[[nodiscard]] Result<void> begin_listening(const HttpListener& bound);
// Whether it has a host and a port, wherever that is. Errors: invalid.
[[nodiscard]] Result<void> check_tcp_address(std::string_view address);
// Makes the folder, for its owner alone, where it is missing; what lies there and nobody listens on
// is replaced. Errors: invalid (too long for a socket), conflict (somebody listens, or it is
// something else), refused (others may enter the folder), io.
[[nodiscard]] Result<HttpListener> listen_on_path(const std::filesystem::path& path);
// Those of LISTEN_FDS, when LISTEN_PID names this process; both variables are taken out of the
// environment. Call it before there are threads. Errors: invalid (something else than sockets that
// listen).
[[nodiscard]] Result<std::vector<HttpListener>> take_passed_listeners();

// Whether only programs of this machine can reach it: "127.0.0.1:7411", "[::1]:7411",
// "localhost:7411". Other names are not looked up, and are none.
[[nodiscard]] bool is_loopback(std::string_view address);

// Who has connected; none = it has gone. A Unix socket takes its own user and root: others may not
// ask.
[[nodiscard]] std::optional<HttpPeer> peer_of(int socket, bool is_local);

}  // namespace almanac
