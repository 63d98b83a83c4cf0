#include <almanac/tools/folder_health.h>
#include <almanac/tools/health_commands.h>
#include <almanac/tools/log_summary.h>
#include <almanac/tools/machine_json.h>
#include <almanac/tools/origin_json.h>
#include <almanac/tools/output_file.h>
#include <almanac/tools/policy_text.h>
#include <almanac/tools/queue_retention.h>
#include <almanac/tools/source.h>
#include <almanac/tools/state_json.h>
#include <almanac/tools/stats_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/engine/engine.h>
#include <almanac/engine/error_patterns.h>
#include <almanac/log/verify.h>
#include <almanac/projections/invariants.h>
#include <almanac/snapshots/checkpoints.h>
#include <almanac/version.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <thread>
#include <utility>
#include <variant>

namespace almanac {
namespace {

using nlohmann::ordered_json;

constexpr int diagnostics_format = 1;

// Of the log: what it is, what is in it, and whether it is whole.
Result<ordered_json> log_json(const std::filesystem::path& folder, const Log& log) {
  auto summary = summarise(folder, log, 1);
  if (!summary) return std::unexpected(summary.error());
  auto size = log.size();
  if (!size) return std::unexpected(size.error());
  ordered_json json{{"timeline", to_hex(summary->timeline)},
                    {"first", summary->first.value},
                    {"last", summary->last.value},
                    {"frames", summary->frames},
                    {"frame_bytes", summary->frame_bytes},
                    {"store_bytes", size->store_bytes},
                    {"store_free_bytes", size->store_free_bytes},
                    {"map_bytes", size->map_bytes},
                    {"journal_bytes", size->journal_bytes}};
  if (summary->origin) json["origin"] = origin_json(*summary->origin);
  if (summary->last) {
    json["first_time"] = format_time(summary->first_time);
    json["last_time"] = format_time(summary->last_time);
  }
  for (const FileSize& file : summary->files) {
    json["files"].push_back({{"name", file.name}, {"bytes", file.bytes}});
  }
  for (const TypeSummary& type : summary->types) {
    json["types"].push_back({{"type", type.type}, {"events", type.events}, {"bytes", type.bytes}});
  }
  for (const Position position : checkpoints_of(folder)) {
    json["checkpoints"].push_back(position.value);
  }
  auto verified = verify(log, VerifyOptions{.jobs = std::thread::hardware_concurrency()});
  json["verification"] = {{"whole", verified.has_value()}};
  if (verified) json["verification"]["through"] = verified->report.last.value;
  if (!verified) json["verification"]["error"] = verified.error().message;
  return json;
}

ordered_json limit_json(const LimitSetting& setting) {
  return {{"units", setting.units}, {"per_minute", setting.per_minute}, {"burst", setting.burst}};
}

// What was set, by name; of schedules nothing of the task.
ordered_json configuration_json(const State& state) {
  const auto text = [&](NameId id) { return std::string(state.names.text(id)); };
  ordered_json json = ordered_json::object();
  for (const auto& [queue, slots] : state.queues.slots) {
    json["queues"][text(queue)]["slots"] = slots;
  }
  for (const auto& [queue, retention] : state.queues.retention) {
    json["queues"][text(queue)].update(retention_json(retention));
  }
  for (const auto& [queue, policy] : state.tasks.ranking.policies) {
    json["queues"][text(queue)].update(policy_json(state.names, policy));
  }
  for (const auto& [limit, setting] : state.limits.settings) {
    json["limits"][text(limit)] = limit_json(setting);
  }
  for (const auto& [service, setting] : state.circuits.settings) {
    json["circuits"][text(service)] = circuit_setting_json(setting);
  }
  for (const auto& [schedule, entry] : state.schedules.all) {
    json["schedules"][text(schedule)] = schedule_json(entry);
  }
  for (const auto& [job, entry] : state.backups.jobs) json["backups"][text(job)] = job_json(entry);
  for (const auto& [kind, versions] : state.implementations.versions) {
    json["versions"][text(kind)] = {versions.min, versions.max};
  }
  for (const PausedWork& paused : state.pauses.all) {
    json["paused"].push_back({{"scope", name(paused.scope)}, {"name", text(paused.name)}});
  }
  return json;
}

ordered_json engine_json(const EngineInfo& engine) {
  return {{"running", engine.running},
          {"starts", engine.starts},
          {"process", engine.process_id},
          {"slots", engine.slots},
          {"version", engine.version},
          {"started_at",
           engine.starts == 0 ? ordered_json() : ordered_json(format_time(engine.started_at))}};
}

// Lanes with ready tasks, and what the first of each waits for.
ordered_json waits_json(const State& state) {
  ordered_json waits = ordered_json::array();
  for (const auto& [lane, places] : state.tasks.ready.lanes()) {
    ordered_json wait{{"queue", state.names.text(lane.queue)},
                      {"kind", state.names.text(lane.kind)},
                      {"version", lane.version},
                      {"tasks", places.size()}};
    if (const LaneWait* blocked = state.tasks.blocked.find(lane)) {
      wait["reason"] = name(blocked->reason);
      wait["since"] = format_time(blocked->since);
      if (blocked->limit) wait["limit"] = state.names.text(*blocked->limit);
    }
    waits.push_back(std::move(wait));
  }
  return waits;
}

ordered_json circuits_json(const State& state) {
  ordered_json circuits = ordered_json::object();
  for (const auto& [service, circuit] : state.circuits.all) {
    circuits[std::string(state.names.text(service))] = circuit_json(circuit);
  }
  return circuits;
}

// Nothing that commands have written: only what was found, and what was done about it.
ordered_json components_json(const State& state) {
  ordered_json components = ordered_json::array();
  for (const auto& [id, component] : state.components.all) {
    components.push_back(component_json(state, id));
  }
  return components;
}

ordered_json pools_json(const State& state) {
  ordered_json pools = ordered_json::object();
  for (const auto& [id, record] : state.pools.all) {
    pools[std::string(state.names.text(id))] = pool_json(record);
  }
  return pools;
}

ordered_json groups_json(const GatheredStats& gathered) {
  ordered_json groups = ordered_json::object();
  for (const auto& [name, stats] : gathered.groups) groups[name] = stats_json(stats, gathered);
  return groups;
}

// How an attempt ended. Its text is the task's own, and nobody knows what stands in it: only which
// rules it follows is told.
ordered_json error_json(const State& state, const ErrorPatterns& patterns,
                        const RecordedEvent& recorded, TaskId id, const AttemptEnd& end) {
  ordered_json error{{"position", recorded.position.value},
                     {"at", format_time(recorded.event.at)},
                     {"task", id.value},
                     {"status", name(end.status)},
                     {"code", end.code},
                     {"permanent", end.permanent}};
  if (const Task* task = state.tasks.all.find(id)) {
    error["queue"] = state.names.text(task->queue);
    error["kind"] = state.names.text(task->kind);
  }
  error["recognised"] = ordered_json::array();
  for (const std::size_t rule : patterns.matching(end.message)) {
    error["recognised"].push_back(patterns.rules()[rule].name);
  }
  return error;
}

// The last ones, the newest first.
Result<ordered_json> errors_json(const Log& log, const State& state, std::uint64_t most) {
  ordered_json errors = ordered_json::array();
  const auto patterns = ErrorPatterns::make(default_error_rules());
  if (!patterns) return std::unexpected(patterns.error());
  if (!state.position) return errors;
  const auto add = [&](const RecordedEvent& recorded, TaskId id, const AttemptEnd& end) {
    errors.push_back(error_json(state, *patterns, recorded, id, end));
  };
  auto read = log.read_backward(state.position, [&](const RecordedEvent& recorded) -> Result<bool> {
    if (errors.size() >= most) return false;
    const EventBody& body = recorded.event.body;
    if (const auto* tried = std::get_if<TaskAttemptFailed>(&body)) {
      add(recorded, tried->id, tried->end);
    } else if (const auto* failed = std::get_if<TaskFailed>(&body)) {
      add(recorded, failed->id, failed->end);
    }
    return true;
  });
  if (!read) return std::unexpected(read.error());
  return errors;
}

Result<ordered_json> diagnostics_json(const DiagnosticsExportCommand& command, Duration window) {
  auto source = open_source(command.folder);
  if (!source) return std::unexpected(source.error());
  const Log& log = *source->log;
  const State& state = source->state;
  const Time now = std::max(system_time(), state.time);
  auto health =
      assess({.log = log, .state = state, .folder = command.folder, .now = now, .window = window});
  if (!health) return std::unexpected(health.error());
  auto queues = gather_stats({.log = log,
                              .state = state,
                              .from = health->before,
                              .from_time = health->from,
                              .by = StatsBy::queue});
  if (!queues) return std::unexpected(queues.error());
  auto logged = log_json(command.folder, log);
  if (!logged) return std::unexpected(logged.error());
  auto errors = errors_json(log, state, command.errors);
  if (!errors) return std::unexpected(errors.error());
  return ordered_json{{"format", diagnostics_format},
                      {"made_at", format_time(now)},
                      {"almanac", {{"version", version}, {"compiler", __VERSION__}}},
                      {"machine", machine_json(command.folder)},
                      {"health", health_json(*health)},
                      {"engine", engine_json(state.engine)},
                      {"log", std::move(*logged)},
                      {"state",
                       {{"position", state.position.value},
                        {"time", format_time(state.time)},
                        {"digest", to_hex(digest(state))},
                        {"ignored", state.ignored},
                        {"broken", broken_invariants(state)}}},
                      {"configuration", configuration_json(state)},
                      {"stats",
                       {{"all", stats_json(queues->total, *queues)},
                        {"queues", groups_json(*queues)},
                        {"kinds", groups_json(health->kinds)}}},
                      {"waits", waits_json(state)},
                      {"circuits", circuits_json(state)},
                      {"components", components_json(state)},
                      {"pools", pools_json(state)},
                      {"errors", std::move(*errors)}};
}

}  // namespace

ExitCode diagnostics_export(const DiagnosticsExportCommand& command) {
  auto window = parse_duration(command.window);
  if (!window) return report(window.error());
  auto output = OutputFile::open(command.file == "-" ? std::string() : command.file);
  if (!output) return report(output.error());
  auto json = diagnostics_json(command, *window);
  if (!json) return report(json.error());
  (void)output->write_line(
      printable_json(json->dump(2, ' ', false, ordered_json::error_handler_t::replace)));
  auto finished = output->finish();
  return finished ? ExitCode::ok : report(finished.error());
}

}  // namespace almanac
