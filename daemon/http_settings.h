// What a door that speaks HTTP allows, and for how long. What can be said of it in a configuration
// is in daemon_config.h.
#pragma once

#include <almanac/daemon/limits.h>
#include <almanac/daemon/tls_channel.h>
#include <almanac/log/types.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace almanac {

// A value. What a reload changes holds from the next request on.
struct HttpSettings {
  std::vector<std::string> hosts;    // without ports; those that a request may name, beside our own
  std::vector<std::string> origins;  // "https://example.org": pages that may ask
  std::size_t body_bytes_max = limits::http_body_bytes_default;
  std::size_t connections_max = limits::http_connections_default;
  Duration head_timeout = std::chrono::seconds(10);   // from its first byte to its end
  Duration body_timeout = std::chrono::seconds(60);   // the same of a body
  Duration idle_timeout = std::chrono::seconds(75);   // between requests
  Duration write_timeout = std::chrono::seconds(30);  // while not a byte of an answer is taken
  std::shared_ptr<const TlsContext> tls = {};  // of connections by TCP; none = they are plain
};

}  // namespace almanac
