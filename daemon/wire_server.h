// The wire protocol's door: workers and producers in any language, by the protocol that the job
// server Faktory speaks (docs/guides/faktory.md). Over TCP, on a loop and a thread of its own.
//
//   auto server = almanac::WireServer::open(engine, {.address = "127.0.0.1:7419"});
#pragma once

#include <almanac/daemon/audit_trail.h>
#include <almanac/daemon/tls_channel.h>
#include <almanac/daemon/wire_socket.h>
#include <almanac/engine/engine.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace almanac {

struct WireOptions {
  // HOST:PORT, numbers both; "[::1]:7419" too. Port 0 = one that is free. Whoever listens beyond
  // this machine says so by the host.
  std::string address = "127.0.0.1:7419";
  std::string password;           // empty = none is asked for
  bool allows_one_round = false;  // the weak hash of clients that speak version 1
  std::size_t connections_max = 2'000;
  std::size_t line_bytes_max = 16 << 20;
  Duration greeting_timeout = std::chrono::seconds(2);
  Duration fetch_wait = std::chrono::seconds(2);  // of FETCH, where there is nothing
  // Of a stop: so long replies that are due may take.
  Duration stop_grace = std::chrono::seconds(2);
  std::string description = "Almanac";         // in INFO; clients look for "Enterprise" in it
  std::shared_ptr<const TlsContext> tls = {};  // none = connections are plain
  bool may_be_plain = false;                   // also where others than this machine can reach it
  AuditTrail* trail = nullptr;  // outlives the server; none = nothing is put on record
};

// Owned by whoever opened it, and gone before the engine is. Any thread.
class WireServer {
 public:
  // Listens when it returns. Errors: invalid (the address), conflict (somebody listens there), io
  // (it cannot be had), refused (others than this machine could reach it without a password, or
  // without encryption).
  [[nodiscard]] static Result<std::unique_ptr<WireServer>> open(Engine& engine,
                                                                WireOptions options);
  // The same in two steps, for who wants to know before there is an engine whether the address can
  // be had. The socket is that of these options; nobody can connect before the second. The same
  // errors, of which the second has only conflict (somebody was faster) and io.
  [[nodiscard]] static Result<WireListener> bind(const WireOptions& options);
  [[nodiscard]] static Result<std::unique_ptr<WireServer>> open(Engine& engine, WireOptions options,
                                                                WireListener bound);
  // As stop(), and waits for it.
  ~WireServer();
  WireServer(const WireServer&) = delete;
  WireServer& operator=(const WireServer&) = delete;

  // Takes no more connections and requests: what was begun is answered, then every connection is
  // told `-ERR shutdown in progress` and closed. Returns at once.
  void stop();
  [[nodiscard]] std::uint16_t port() const;
  // Of connections that come from now on. Returns at once.
  void change(std::shared_ptr<const TlsContext> tls);
  // One worker by its wid, or all of them with "", are told with their next heartbeat to take no
  // more jobs, or also to end. Returns at once.
  void quiet(std::string_view wid);
  void terminate(std::string_view wid);

 private:
  struct Parts;
  explicit WireServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace almanac
