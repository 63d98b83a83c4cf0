#include <almanac/daemon/wire_workers.h>

#include <almanac/daemon/wire_json.h>

#include <algorithm>
#include <utility>

namespace almanac {
namespace {

WireWorkerState worker_state_from(std::string_view text) {
  if (text == "quiet") return WireWorkerState::quiet;
  return text == "terminate" ? WireWorkerState::terminate : WireWorkerState::running;
}

}  // namespace

std::string_view name(WireWorkerState state) {
  switch (state) {
    case WireWorkerState::running: break;
    case WireWorkerState::quiet: return "quiet";
    case WireWorkerState::terminate: return "terminate";
  }
  return "";
}

void WireWorkers::join(const WireSession& session, SteadyTime now) {
  if (session.hello().wid.empty()) return;
  auto [entry, is_new] = all_.try_emplace(session.hello().wid);
  if (is_new) entry->second.hello = session.hello();
  entry->second.heard = now;
  entry->second.sessions.insert(session.number());
}

void WireWorkers::leave(const WireSession& session) {
  const auto entry = all_.find(session.hello().wid);
  if (entry == all_.end()) return;
  entry->second.sessions.erase(session.number());
  if (entry->second.sessions.empty()) all_.erase(entry);
}

std::string WireWorkers::beat(std::string_view argument, SteadyTime now) {
  const auto members = parse_wire_object(argument);
  const WireValue* wid = members ? find_member(*members, "wid") : nullptr;
  if (wid == nullptr || wid->kind != WireKind::string) {
    return wire_error("invalid BEAT " + std::string(argument));
  }
  const auto entry = all_.find(wid->string);
  if (entry == all_.end()) return wire_error("unknown worker " + wid->string);
  WireWorker& worker = entry->second;
  worker.heard = now;
  if (const WireValue* memory = find_member(*members, "rss_kb")) {
    worker.rss_kb = wire_whole_number(*memory).value_or(0);
  }
  if (const WireValue* state = find_member(*members, "current_state")) {
    worker.state = std::max(worker.state, worker_state_from(state->string));
  }
  if (worker.state == WireWorkerState::running) return wire_simple("OK");
  return wire_bulk("{\"state\":" + wire_quoted(name(worker.state)) + "}");
}

std::vector<std::uint64_t> WireWorkers::forget_silent(SteadyTime now) {
  std::vector<std::uint64_t> sessions;
  for (auto entry = all_.begin(); entry != all_.end();) {
    if (now - entry->second.heard < wire_silence_max) {
      ++entry;
      continue;
    }
    const auto& its = entry->second.sessions;
    sessions.insert(sessions.end(), its.begin(), its.end());
    ++reaped_;
    entry = all_.erase(entry);
  }
  return sessions;
}

bool WireWorkers::tell(std::string_view wid, WireWorkerState state) {
  bool found = false;
  for (auto& [its_wid, worker] : all_) {
    if (!wid.empty() && wid != its_wid) continue;
    worker.state = std::max(worker.state, state);
    found = true;
  }
  return found;
}

bool WireWorkers::is_quiet(const WireSession& session) const {
  const auto entry = all_.find(session.hello().wid);
  return entry != all_.end() && entry->second.state != WireWorkerState::running;
}

}  // namespace almanac
