#include <almanac/log/events/audit.h>

namespace almanac {

std::string_view name(AuditDoor door) {
  switch (door) {
    case AuditDoor::socket: return "socket";
    case AuditDoor::http: return "http";
    case AuditDoor::faktory: return "faktory";
  }
  return "unknown";
}

std::string_view name(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::host: return "host";
    case RefusalReason::origin: return "origin";
    case RefusalReason::no_token: return "no_token";
    case RefusalReason::unknown_token: return "unknown_token";
    case RefusalReason::expired_token: return "expired_token";
    case RefusalReason::scope: return "scope";
    case RefusalReason::user: return "user";
    case RefusalReason::path: return "path";
    case RefusalReason::token_in_url: return "token_in_url";
    case RefusalReason::malformed: return "malformed";
    case RefusalReason::too_large: return "too_large";
    case RefusalReason::timed_out: return "timed_out";
    case RefusalReason::password: return "password";
    case RefusalReason::encryption: return "encryption";
    case RefusalReason::crowded: return "crowded";
    case RefusalReason::failed: return "failed";
  }
  return "unknown";
}

}  // namespace almanac
