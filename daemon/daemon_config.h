// The configuration of a daemon: one TOML file, of which every key is in one table with its default
// and what it means.
//
//   [http]
//   listen = "127.0.0.1:7411"
//
// docs/guides/daemon.md describes all of it.
#pragma once

#include <almanac/daemon/http_settings.h>
#include <almanac/daemon/wire_cron.h>
#include <almanac/daemon/wire_server.h>
#include <almanac/engine/model_spec.h>
#include <almanac/engine/task_retention.h>
#include <almanac/log/error.h>
#include <almanac/log/types.h>
#include <almanac/tools/run_log.h>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// A value. Files are named as they are in the configuration, from its folder on.
struct DaemonConfig {
  std::uint32_t slots = 0;  // 0 = one for each processor
  Duration grace = std::chrono::seconds(10);
  bool commands = true;
  TaskRetention retention = {};
  std::string components;
  std::string advisor;
  bool gpu_watch = false;
  std::string models;  // a file; with one GPUs are watched
  Duration model_patience = ModelOptions{}.patience;
  RunLog log;
  std::string socket_path;  // empty = in the log's folder
  std::string listen;       // empty = not by TCP
  bool is_public = false;   // whether that may be another address than this machine's own
  std::string token_file;   // empty = in the log's folder
  std::size_t threads = limits::http_threads_default;
  std::vector<std::string> repositories;  // of snapshots, that the page shows
  HttpSettings http;
  std::string tls_certificate;  // of HTTP by TCP; empty = it is plain
  std::string tls_key;
  bool may_be_plain = false;         // also where others than this machine can reach it
  std::string wire_password_file;    // empty = no password
  std::string wire_tls_certificate;  // empty = the wire protocol is plain
  std::string wire_tls_key;
  WireOptions wire{.address = {}};  // an empty address = not by the wire protocol
  std::vector<WireCron> crons;      // a reload changes them
  // What its file says of keys that need a restart, as "http.listen" → text.
  std::map<std::string, std::string> lasting;
};

// A key, as the guide and the tests see it.
struct ConfigKey {
  std::string_view section;
  std::string_view name;
  std::string_view preset;  // its default, as it would be written
  std::string_view summary;
  bool is_live = false;  // a reload changes it; what is not needs a restart
};
[[nodiscard]] std::span<const ConfigKey> config_keys();

// The keys of which `read` says something else than `running`, and which need a restart:
// "engine.slots, http.listen"; empty = there are none.
[[nodiscard]] std::string keys_for_restart(const DaemonConfig& running, const DaemonConfig& read);

// Errors: invalid (as "FILE:LINE:COLUMN: …"), not_found, refused, io.
[[nodiscard]] Result<DaemonConfig> load_daemon_config(const std::string& path);

}  // namespace almanac
