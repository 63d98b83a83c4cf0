// What the wire protocol's door puts on record: of each connection that it came and what it did
// until it went, and who was turned away. Not of each job: those are in the log themselves.
#pragma once

#include <almanac/daemon/audit_trail.h>
#include <almanac/daemon/wire_session.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace almanac {

// Of one connection. One thread; the trail, which may be none, outlives it.
class WireAudit {
 public:
  WireAudit() = default;
  WireAudit(AuditTrail* trail, std::string remote) : trail_(trail), remote_(std::move(remote)) {}

  void came(const WireHello& hello);
  void count(std::string_view verb);
  // Once; of who was never let in nothing is said.
  void went();
  void refused(RefusalReason reason) const;

 private:
  [[nodiscard]] AuditNote note(std::string_view action) const;

  AuditTrail* trail_ = nullptr;
  std::string remote_;
  std::string who_;  // as it has called itself
  bool is_in_ = false;
  std::map<std::string, std::uint64_t, std::less<>> verbs_;  // verbs_max at most
};

}  // namespace almanac
