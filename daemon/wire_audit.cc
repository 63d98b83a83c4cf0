#include <almanac/daemon/wire_audit.h>

#include <fmt/core.h>

#include <utility>

namespace almanac {
namespace {

// There are some twelve; whoever makes up others is not told apart any more.
constexpr std::size_t verbs_max = 20;
constexpr std::size_t verb_bytes_max = 12;
// Of one password there is one principal.
constexpr const char* wire_principal = "faktory";

}  // namespace

AuditNote WireAudit::note(std::string_view action) const {
  return {.door = AuditDoor::faktory,
          .principal = wire_principal,
          .action = std::string(action),
          .subject = who_,
          .remote = remote_};
}

void WireAudit::came(const WireHello& hello) {
  is_in_ = true;
  who_ = hello.wid.empty() ? "a producer" : "worker " + hello.wid;
  if (!hello.hostname.empty()) who_ += " on " + hello.hostname;
  if (trail_ != nullptr) trail_->begin(note("HELLO"));
}

void WireAudit::count(std::string_view verb) {
  const bool is_one = verb.size() <= verb_bytes_max;
  const auto found = verbs_.find(is_one ? verb : "others");
  if (found != verbs_.end()) {
    ++found->second;
  } else {
    ++verbs_[is_one && verbs_.size() < verbs_max ? std::string(verb) : "others"];
  }
}

void WireAudit::went() {
  if (!std::exchange(is_in_, false) || trail_ == nullptr) return;
  AuditNote end = note("END");
  std::string did;
  std::uint64_t requests = 0;
  for (const auto& [verb, times] : verbs_) {
    did += fmt::format("{}{} {}", did.empty() ? "" : ", ", verb, times);
    requests += times;
  }
  end.subject = did.empty() ? "nothing" : did;
  end.count = requests;
  trail_->begin(std::move(end));
}

void WireAudit::refused(RefusalReason reason) const {
  if (trail_ == nullptr) return;
  AuditNote refusal = note("HELLO");
  refusal.principal.clear();
  refusal.reason = reason;
  trail_->refuse(std::move(refusal));
}

}  // namespace almanac
