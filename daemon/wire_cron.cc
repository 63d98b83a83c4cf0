#include <almanac/daemon/wire_cron.h>

#include <almanac/daemon/wire_job.h>
#include <almanac/daemon/wire_json.h>
#include <almanac/engine/schedule_spec.h>
#include <almanac/log/hash.h>
#include <almanac/tools/workload_field.h>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace almanac {
namespace {

using workload::Checked;
using workload::fault;
using workload::Field;
using workload::Member;
using workload::Value;

// Stands for the jid of a job that has none yet.
constexpr std::string_view cron_jid = "almanac-cron";

std::string json_of(const Value& value);

std::string object_json(const Value::Table& table) {
  std::string json;
  for (const Member& member : table) {
    json += (json.empty() ? "" : ",") + wire_quoted(member.key) + ":" + json_of(member.value);
  }
  return "{" + json + "}";
}

std::string list_json(const Value::List& list) {
  std::string json;
  for (const Value& value : list) json += (json.empty() ? "" : ",") + json_of(value);
  return "[" + json + "]";
}

struct CronJson {
  std::string operator()(const Value::Null&) const { return "null"; }
  std::string operator()(bool truth) const { return truth ? "true" : "false"; }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(double number) const { return fmt::format("{}", number); }
  std::string operator()(const std::string& text) const { return wire_quoted(text); }
  std::string operator()(const Value::Moment& moment) const { return wire_quoted(moment.text); }
  std::string operator()(const Value::List& list) const { return list_json(list); }
  std::string operator()(const Value::Table& table) const { return object_json(table); }
};

std::string json_of(const Value& value) { return std::visit(CronJson(), value.content); }

Checked<Recurrence> read_cron_schedule(const Field& field) {
  auto text = workload::read_text(field);
  if (!text) return std::unexpected(std::move(text.error()));
  auto recurrence = Recurrence::parse(*text);
  if (recurrence) return std::move(*recurrence);
  return fault(field.value.line, recurrence.error().message, recurrence.error().next_step);
}

// Its type is called jobtype on the wire, and without arguments it has none.
Checked<std::string> read_cron_job(const Field& field) {
  constexpr std::array<std::string_view, 7> keys = {"type",   "queue",       "args",     "retry",
                                                    "custom", "reserve_for", "backtrace"};
  auto table = workload::read_table(field);
  if (!table) return std::unexpected(std::move(table.error()));
  Value::Table job;
  bool has_args = false;
  for (const Member& member : **table) {
    if (std::ranges::find(keys, member.key) == keys.end()) {
      return workload::unknown_key(member, keys);
    }
    has_args = has_args || member.key == "args";
    job.push_back(member);
    if (member.key == "type") job.back().key = "jobtype";
  }
  if (!has_args) job.push_back({.key = "args", .line = field.value.line, .value = {}});
  if (!has_args) job.back().value.content = Value::List();
  std::string json = object_json(job);
  const auto parsed = parse_wire_job(json, cron_jid);
  if (!parsed) return fault(field.value.line, parsed.error().message, "see docs/guides/faktory.md");
  if (parsed->unique_for > Duration(0) || parsed->expires_at != Time() || parsed->is_tracked ||
      !parsed->batch.empty()) {
    return fault(field.value.line,
                 "a job that comes again and again is not unique, tracked or of a batch, and does "
                 "not expire",
                 "leave unique_for, track, bid and expires_at out of its custom");
  }
  return json;
}

// By its type, so that a change of the rest is one of the schedule. Of a type called "A-2" and the
// second "A" the one that comes later has the next number.
std::string cron_name(const std::string& jobtype, std::set<std::string>& names) {
  for (std::size_t number = 1;; ++number) {
    std::string name = std::string(wire_cron_prefix) + jobtype;
    if (number > 1) name += "-" + std::to_string(number);
    if (name.size() > limits::name_bytes_max) {
      name = std::string(wire_cron_prefix) + to_hex(blake2b(as_bytes(name)));
    }
    if (names.insert(name).second) return name;
  }
}

Result<ScheduleSpec> cron_spec(const WireCron& cron, std::set<std::string>& names) {
  auto recurrence = Recurrence::parse(cron.schedule);
  if (!recurrence) return std::unexpected(recurrence.error());
  const auto job = parse_wire_job(cron.job, cron_jid);
  if (!job) return std::unexpected(job.error());
  ScheduleSpec spec{.name = cron_name(job->jobtype, names),
                    .recurrence = std::move(*recurrence),
                    .task = task_of(*job, cron.job),
                    .missed = MissedPolicy::skip,
                    .overlap = OverlapPolicy::allow};
  spec.task.label.clear();
  return spec;
}

}  // namespace

Checked<WireCron> read_wire_cron(const Value& value) {
  constexpr std::array<std::string_view, 2> keys = {"schedule", "job"};
  const auto* table = std::get_if<Value::Table>(&value.content);
  if (table == nullptr) {
    return fault(value.line, "'cron' is no list of tables", "write [[cron]] on a line of its own");
  }
  WireCron cron;
  for (const Member& member : *table) {
    const Field field{member.key, member.value};
    if (member.key == "schedule") {
      const auto recurrence = read_cron_schedule(field);
      if (!recurrence) return std::unexpected(recurrence.error());
      cron.schedule = recurrence->text();
    } else if (member.key == "job") {
      auto read = workload::put(read_cron_job(field), cron.job);
      if (!read) return std::unexpected(std::move(read.error()));
    } else {
      return workload::unknown_key(member, keys);
    }
  }
  if (!cron.schedule.empty() && !cron.job.empty()) return cron;
  return fault(value.line, "a [[cron]] needs a schedule and a job",
               R"(write schedule = "*/5 * * * *", and [cron.job] with its type)");
}

Result<void> set_wire_crons(Engine& engine, const std::vector<WireCron>& crons) {
  std::set<std::string> names;
  std::vector<ScheduleSpec> specs;
  for (const WireCron& cron : crons) {
    auto spec = cron_spec(cron, names);
    if (!spec) return std::unexpected(spec.error());
    specs.push_back(std::move(*spec));
  }
  return engine.set_schedules(std::string(wire_cron_prefix), std::move(specs));
}

}  // namespace almanac
