// What a door says of a request, for the log: that it was let in, or why it was not.
#pragma once

#include <almanac/log/events/audit.h>

#include <cstdint>
#include <optional>
#include <string>

namespace almanac {

// A value. What the fields mean: log/events/audit.h.
struct AuditNote {
  std::uint64_t request = 0;
  AuditDoor door = AuditDoor::socket;
  std::optional<RefusalReason> reason = {};  // none = it was let in
  std::string principal = {};                // limits::name_bytes_max at most
  std::string action = {};
  std::string subject = {};  // not of a refusal
  std::string remote = {};
  std::uint16_t status = 0;  // of a refusal
  std::uint64_t count = 1;   // requests alike; of a refusal, those left out before it
};

}  // namespace almanac
