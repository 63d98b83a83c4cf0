// Who asked for what, as JSON.
#include <almanac/tools/state_json.h>

#include <nlohmann/json.hpp>

namespace almanac {

using nlohmann::ordered_json;

ordered_json audit_counts_json(const AuditCounts& counts) {
  return {{"requests", counts.requests},
          {"refusals", counts.refusals},
          {"last", counts.last.value},
          {"last_at", time_json(counts.last_at)}};
}

ordered_json audit_entry_json(const Names& names, Position position, const AuditEntry& entry,
                              bool is_refusal) {
  ordered_json json{{"position", position.value},
                    {"at", time_json(entry.at)},
                    {"request", entry.request},
                    {"door", name(entry.door)},
                    {"principal", names.text(entry.principal)},
                    {"action", entry.action}};
  if (is_refusal) {
    json["reason"] = name(entry.reason);
    json["status"] = entry.status;
    json["left_out"] = entry.count;
  } else {
    json["subject"] = entry.subject;
    json["count"] = entry.count;
  }
  json["remote"] = entry.remote;
  return json;
}

}  // namespace almanac
