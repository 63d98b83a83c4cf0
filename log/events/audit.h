// The events of the audit domain as C++ sees them: who asked for what through which door, and who
// was turned away.
#pragma once

#include <cstdint>
#include <string_view>

namespace almanac {

enum class AuditDoor : std::uint8_t {
  socket,   // HTTP on the Unix socket
  http,     // HTTP by TCP
  faktory,  // the wire protocol
};
inline constexpr int audit_door_count = 3;
[[nodiscard]] std::string_view name(AuditDoor door);

enum class RefusalReason : std::uint8_t {
  host,    // the request named a host that is not known here
  origin,  // it came from a web page that may not ask
  no_token,
  unknown_token,
  expired_token,
  scope,         // the token may do other things
  user,          // another user of this machine
  path,          // a path that leads out of where it is, or is none
  token_in_url,  // a secret where logs and histories keep it
  malformed,     // two programs could read it in two ways, or nobody can
  too_large,
  timed_out,   // its sender was too slow
  password,    // of the wire protocol
  encryption,  // no TLS where it has to be, or none that both can speak
  crowded,     // there are too many connections
  failed,      // it was let in, and came to nothing
};
inline constexpr int refusal_reason_count = 16;
[[nodiscard]] std::string_view name(RefusalReason reason);

// It was let in; what it did stands behind.
struct RequestAudited {
  std::uint64_t request = 0;  // its number; that of a RequestRefused says that it came to nothing
  AuditDoor door = AuditDoor::socket;
  std::string_view principal;  // "uid 1000", or the name of a token
  std::string_view action;     // "POST /v1/tasks"
  std::string_view subject;    // what it is about: the path, or what a connection did
  std::string_view remote;     // "127.0.0.1:4711"
  std::uint64_t count = 1;     // so many requests alike, this one included
};

struct RequestRefused {
  std::uint64_t request = 0;  // 0 = it was not let in
  AuditDoor door = AuditDoor::socket;
  RefusalReason reason = RefusalReason::failed;
  std::string_view principal;  // empty = nobody knows who
  std::string_view action;
  std::string_view remote;
  std::uint16_t status = 0;    // as it was answered; 0 = not at all
  std::uint64_t left_out = 0;  // refusals of the same source before this one, not on record
};

}  // namespace almanac
