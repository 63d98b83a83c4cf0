// An engine with its doors, as one object: what `almanac serve` runs.
#pragma once

#include <almanac/daemon/daemon_config.h>
#include <almanac/daemon/http_listener.h>
#include <almanac/engine/engine.h>
#include <almanac/log/error.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace almanac {

struct DaemonOptions {
  std::filesystem::path folder;  // of the log
  DaemonConfig config;
  std::vector<HttpListener> passed;  // those of a service manager; then none is made here
};

// Any thread may call.
class Daemon {
 public:
  // Opens the engine and its doors: when this returns they take requests. Errors: those of
  // Engine::open, of listening, and of the file of tokens.
  [[nodiscard]] static Result<std::unique_ptr<Daemon>> open(DaemonOptions options);
  // Stops as stop() does.
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  [[nodiscard]] Engine& engine() const;
  // Where it can be reached: "127.0.0.1:7411", and the path of a socket.
  [[nodiscard]] const std::vector<std::string>& tcp_addresses() const;
  [[nodiscard]] const std::vector<std::string>& socket_paths() const;
  [[nodiscard]] const std::filesystem::path& token_file() const;
  // Whether TCP speaks TLS.
  [[nodiscard]] bool is_encrypted() const;
  // Of the wire protocol: "127.0.0.1:7419"; empty where it is not spoken.
  [[nodiscard]] const std::string& wire_address() const;

  // Takes what can be changed while it runs; connections stay. Nothing is changed when it fails.
  // Errors: those of the file of tokens, of certificates and of set_wire_crons(), refused (a door
  // that is encrypted would not be, or the other way about).
  [[nodiscard]] Result<void> reload(const DaemonConfig& config);
  // Listens no more, lets the engine end what runs, answers what was asked, and waits for all that.
  void stop();

 private:
  struct Parts;
  explicit Daemon(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace almanac
