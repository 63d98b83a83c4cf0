#include <almanac/daemon/wire_info.h>

#include <almanac/daemon/wire_json.h>
#include <almanac/daemon/wire_sets.h>
#include <almanac/daemon/wire_time.h>
#include <almanac/engine/command_spec.h>

#include <almanac/version.h>

#include <unistd.h>

#include <fstream>
#include <map>

namespace almanac {
namespace {

struct Sizes {
  std::map<std::string, std::uint64_t, std::less<>> queues;
  std::uint64_t enqueued = 0;
  std::uint64_t scheduled = 0;
  std::uint64_t retries = 0;
  std::uint64_t dead = 0;
  std::uint64_t working = 0;
};

Sizes sizes_of(const State& state, const WireStanding& standing) {
  Sizes sizes;
  for (const std::string& queue : standing.queues) sizes.queues.try_emplace(queue, 0);
  for (const auto& [lane, places] : state.tasks.ready.lanes()) {
    if (state.names.text(lane.kind) == command_kind) continue;
    sizes.queues[std::string(state.names.text(lane.queue))] += places.size();
    sizes.enqueued += places.size();
  }
  for (const DueKey& key : state.tasks.due) {
    const bool has_failed = state.tasks.all.find(key.id)->failures > 0;
    ++(has_failed ? sizes.retries : sizes.scheduled);
  }
  sizes.dead = state.tasks.count(TaskState::failed);
  for (const auto& [id, hold] : state.tasks.held) {
    if (hold.reason == HoldReason::paused) ++sizes.dead;
  }
  sizes.working = state.tasks.remote.size();
  return sizes;
}

std::string member(std::string_view name, std::uint64_t number) {
  return "\"" + std::string(name) + "\":" + std::to_string(number);
}

std::string set_of_tasks(std::string_view name, std::uint64_t size) {
  return "\"" + std::string(name) + "\":{" + member("size", size) +
         ",\"cycles\":0,\"enqueued\":0,\"wall_time_sec\":0}";
}

std::string reaped_of(std::string_view name, std::uint64_t size, std::uint64_t reaped) {
  return "\"" + std::string(name) + "\":{" + member("size", size) + "," + member("reaped", reaped) +
         "}";
}

std::uint64_t resident_mebibytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) >> 20U;
}

std::string faktory_json(const Sizes& sizes, const WireStanding& standing) {
  std::string queues;
  for (const auto& [name, size] : sizes.queues) {
    queues += (queues.empty() ? "" : ",") + wire_quoted(name) + ":" + std::to_string(size);
  }
  return "{\"queues\":{" + queues + "},\"sets\":{" + member("scheduled", sizes.scheduled) + "," +
         member("retries", sizes.retries) + "," + member("dead", sizes.dead) + "," +
         member("working", sizes.working) + "},\"tasks\":{" +
         set_of_tasks("Scheduled", sizes.scheduled) + "," + set_of_tasks("Retries", sizes.retries) +
         "," + set_of_tasks("Dead", sizes.dead) + "," +
         reaped_of("Busy", sizes.working, standing.reservations_reaped) + "," +
         reaped_of("Workers", standing.workers, standing.workers_reaped) + "}," +
         member("total_failures", standing.failures) + "," +
         member("total_processed", standing.processed) + "," +
         member("total_enqueued", sizes.enqueued) + "," +
         member("total_queues", sizes.queues.size()) + "}";
}

}  // namespace

std::string wire_info_json(const State& state, const WireStanding& standing) {
  const std::string now = wire_time(standing.now);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(standing.uptime).count();
  return "{\"now\":" + wire_quoted(now) +
         ",\"server_utc_time\":" + wire_quoted(now.substr(11, 8) + " UTC") +
         ",\"faktory\":" + faktory_json(sizes_of(state, standing), standing) +
         ",\"server\":{\"description\":" + wire_quoted(standing.description) +
         ",\"faktory_version\":" + wire_quoted(wire_version) +
         ",\"almanac_version\":" + wire_quoted(version) + "," +
         member("uptime", static_cast<std::uint64_t>(seconds)) + "," +
         member("connections", standing.connections) + "," +
         member("command_count", standing.commands) + "," +
         member("used_memory_mb", resident_mebibytes()) + "}}";
}

}  // namespace almanac
