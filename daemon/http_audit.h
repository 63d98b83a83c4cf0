// What the doors that speak HTTP put on record of a request.
#pragma once

#include <almanac/daemon/audit_trail.h>
#include <almanac/daemon/http_gate.h>
#include <almanac/daemon/http_message.h>
#include <almanac/daemon/http_server.h>

#include <functional>
#include <optional>

namespace almanac {

// The handlers of a server, between it and what answers. Everything they hold outlives the server.
struct HttpAuditOptions {
  AuditTrail& trail;
  std::function<std::optional<HttpRefusal>(HttpRequest&, const HttpPeer&)> look;
  std::function<std::optional<HttpResponse>(HttpRequest, const HttpReply&)> serve;
  std::function<std::optional<HttpRefusal>(const HttpPass&)> withdrawn = [](const HttpPass&) {
    return std::nullopt;
  };
};
[[nodiscard]] HttpHandlers audited_handlers(HttpAuditOptions options);

}  // namespace almanac
