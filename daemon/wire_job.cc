#include <almanac/daemon/wire_job.h>

#include <almanac/daemon/wire_json.h>
#include <almanac/daemon/wire_time.h>
#include <almanac/engine/command_spec.h>
#include <almanac/engine/limits.h>
#include <almanac/engine/submission.h>
#include <almanac/log/hash.h>
#include <almanac/tools/units.h>

#include <algorithm>
#include <utility>

namespace almanac {
namespace {

constexpr std::size_t fault_message_bytes_max = 1'000;
constexpr std::size_t fault_type_bytes_max = 100;
constexpr std::size_t fault_lines_max = 50;
constexpr std::size_t fault_bytes_max = 64 * 1024;

std::unexpected<Error> bad_job(std::string text) {
  return fail(ErrorCode::invalid, std::move(text), "send the job as the protocol has it");
}

std::unexpected<Error> bad_field(std::string_view name, std::string_view wanted) {
  return bad_job("invalid JSON: " + std::string(name) + " is " + std::string(wanted));
}

Result<void> read_text(const std::vector<WireMember>& members, std::string_view name,
                       std::string& text) {
  const WireValue* found = find_member(members, name);
  if (found == nullptr) return {};
  if (found->kind != WireKind::string) return bad_field(name, "no text");
  text = found->string;
  return {};
}

Result<void> read_whole(const std::vector<WireMember>& members, std::string_view name,
                        std::int64_t& number) {
  const WireValue* found = find_member(members, name);
  if (found == nullptr) return {};
  const auto whole = wire_whole_number(*found);
  if (!whole) return bad_field(name, "no whole number");
  number = *whole;
  return {};
}

Result<void> read_slice(const std::vector<WireMember>& members, std::string_view name,
                        WireKind kind, std::string_view& slice) {
  const WireValue* found = find_member(members, name);
  if (found == nullptr) return {};
  if (found->kind != kind) return bad_field(name, kind == WireKind::list ? "no list" : "no object");
  slice = found->text;
  return {};
}

Result<Time> read_time(std::string_view name, const std::string& text) {
  auto time = parse_time(text);
  if (time) return time;
  return bad_job("invalid timestamp for '" + std::string(name) + "': " + time.error().message);
}

Result<void> read_fields(const std::vector<WireMember>& members, WireJob& job) {
  auto read = read_text(members, "jid", job.jid);
  if (read) read = read_text(members, "jobtype", job.jobtype);
  if (read) read = read_text(members, "queue", job.queue);
  if (read) read = read_text(members, "created_at", job.created_at);
  if (read) read = read_text(members, "at", job.at);
  if (read) read = read_whole(members, "retry", job.retry);
  if (read) read = read_whole(members, "reserve_for", job.reserve_for);
  if (read) read = read_whole(members, "backtrace", job.backtrace);
  if (read) read = read_slice(members, "args", WireKind::list, job.args);
  if (read) read = read_slice(members, "custom", WireKind::object, job.custom);
  return read;
}

Result<void> read_unique(const std::vector<WireMember>& members, WireJob& job) {
  std::int64_t unique_for = 0;
  std::string unique_until;
  auto read = read_whole(members, "unique_for", unique_for);
  if (read) read = read_text(members, "unique_until", unique_until);
  if (!read) return read;
  constexpr std::int64_t most = 100LL * 365 * 24 * 3'600;
  job.unique_for = std::chrono::seconds(std::clamp<std::int64_t>(unique_for, 0, most));
  job.unique_until_start = unique_until == "start";
  return {};
}

Result<void> read_custom(WireJob& job) {
  if (job.custom.empty()) return {};
  auto members = parse_wire_object(job.custom);
  if (!members) return std::unexpected(members.error());
  std::string expires_at;
  std::int64_t track = 0;
  auto read = read_unique(*members, job);
  if (read) read = read_text(*members, "expires_at", expires_at);
  if (read) read = read_text(*members, "bid", job.batch);
  const WireValue* tracked = find_member(*members, "track");
  if (read && tracked != nullptr && tracked->kind == WireKind::number) {
    read = read_whole(*members, "track", track);
  }
  if (!read) return read;
  job.is_tracked = track > 0 || (tracked != nullptr && tracked->text == "true");
  if (expires_at.empty()) return {};
  auto time = read_time("expires_at", expires_at);
  if (!time) return std::unexpected(time.error());
  job.expires_at = *time;
  return {};
}

bool is_queue_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

Result<void> check_wire_job(const WireJob& job) {
  if (job.jid.size() < 8) return bad_job("jobs must have a reasonable jid parameter");
  if (job.jobtype.empty()) return bad_job("jobs must have a jobtype parameter");
  if (job.args.empty()) return bad_job("jobs must have an args parameter");
  if (job.reserve_for > wire_reserve_max.count()) {
    return bad_job("jobs cannot be reserved for more than one day");
  }
  if (!is_queue_name(job.queue)) {
    return bad_job("cannot get \"" + job.queue +
                   "\" queue: queue names must match \\A[a-zA-Z0-9._-]+\\z");
  }
  const std::string most = std::to_string(limits::name_bytes_max);
  if (job.queue.size() > limits::name_bytes_max || job.jobtype.size() > limits::name_bytes_max) {
    return bad_job("the names of a queue and of a jobtype have at most " + most + " bytes");
  }
  if (job.jid.size() > limits::name_bytes_max - wire_track_tag("").size()) {
    return bad_job("a jid has at most 100 bytes");
  }
  // What is refused later would take others of its PUSHB with it.
  if (const auto named = check_name("jobtype", job.jobtype); !named) {
    return bad_job(named.error().message);
  }
  if (job.jobtype == command_kind) {
    return bad_job("the jobtype \"command\" is what Almanac runs itself: give it another name");
  }
  return {};
}

// Without the space around it; never in the middle of a character.
std::string cut_to_fit(std::string_view text, std::size_t bytes_max) {
  constexpr std::string_view space = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return "unknown";
  text = text.substr(first, text.find_last_not_of(space) + 1 - first);
  if (text.size() <= bytes_max) return std::string(text);
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end));
}

Result<std::string> read_backtrace(const WireValue& value) {
  if (value.kind != WireKind::list) return bad_job("backtrace is no list");
  auto lines = parse_wire_list(value.text);
  if (!lines) return std::unexpected(lines.error());
  std::string kept;
  for (std::size_t i = 0; i < std::min(lines->size(), fault_lines_max); ++i) {
    if ((*lines)[i].kind != WireKind::string) return bad_job("a line of backtrace is no text");
    const std::string line = wire_quoted((*lines)[i].string);
    if (kept.size() + line.size() > fault_bytes_max) break;
    kept += (kept.empty() ? "[" : ",") + line;
  }
  return kept.empty() ? kept : kept + "]";
}

}  // namespace

Duration WireJob::reserved_for() const {
  if (reserve_for == 0) return wire_reserve_default;
  return std::clamp(std::chrono::seconds(reserve_for), wire_reserve_min, wire_reserve_max);
}

std::uint16_t WireJob::attempts() const {
  const std::int64_t most = limits::attempts_max;
  return static_cast<std::uint16_t>(std::clamp<std::int64_t>(retry, 0, most - 1) + 1);
}

std::string wire_jid_of(TaskId id) { return "almanac-task-" + std::to_string(id.value); }

Result<WireJob> parse_wire_job(std::string_view json, std::string_view jid) {
  auto members = parse_wire_object(json);
  if (!members) return bad_job("invalid JSON: " + members.error().message);
  WireJob job;
  if (auto read = read_fields(*members, job); !read) return std::unexpected(read.error());
  if (job.jid.empty()) job.jid = jid;
  if (json.size() > limits::payload_bytes_max) return bad_job("a job has at most 8 MiB");
  if (auto checked = check_wire_job(job); !checked) return std::unexpected(checked.error());
  if (!job.at.empty()) {
    auto due = read_time("at", job.at);
    if (!due) return std::unexpected(due.error());
    job.due = *due;
  }
  if (auto read = read_custom(job); !read) return std::unexpected(read.error());
  const auto named = check_name("jid", job.jid);
  if (job.is_tracked && !named) return bad_job(named.error().message);
  return job;
}

std::string wire_track_tag(std::string_view jid) { return "faktory-jid:" + std::string(jid); }

TaskSpec task_of(const WireJob& job, std::string text) {
  TaskSpec spec{
      .kind = job.jobtype,
      .queue = job.queue,
      .label = job.jid,
      .run_at = job.due,
      .attempts_max = job.attempts(),
      // Of reservations that run out; what a worker fails says itself when it goes on.
      .backoff = {.initial = std::chrono::seconds(15), .max = std::chrono::hours(24)},
      // Who is tracked may ask for more time: the door ends its reservation (wire_jobs.h).
      .timeout = job.is_tracked ? wire_tracked_max : job.reserved_for()};
  spec.tags.emplace_back(wire_tag);
  if (job.is_tracked) spec.tags.push_back(wire_track_tag(job.jid));
  spec.expires_at = job.expires_at;
  spec.group = job.batch;
  if (job.unique_for > Duration(0)) {
    const std::string work = job.jobtype + '\n' + wire_compact(job.args);
    spec.unique = {.key = "faktory:" + to_hex(blake2b(as_bytes(work))),
                   .per_queue = true,
                   .until = job.unique_until_start ? UniqueUntil::started : UniqueUntil::succeeded,
                   .on_conflict = OnConflict::refuse,
                   .lasts = job.unique_for};
  }
  spec.payload = std::move(text);
  return spec;
}

std::string wire_job_json(const WireJob& job, const WireJobTimes& times, std::string_view failure) {
  constexpr std::size_t bytes_around = 256;  // names, times and numbers
  std::string json;
  json.reserve(bytes_around + failure.size() + job.custom.size() + job.jid.size() +
               job.queue.size() + job.jobtype.size() + job.args.size());
  json.append("{\"retry\":").append(std::to_string(job.retry));
  const auto add = [&](std::string_view name, std::string_view value) {
    json.append(",\"").append(name).append("\":").append(value);
  };
  const auto add_text = [&](std::string_view name, std::string_view text) {
    json.append(",\"").append(name).append("\":");
    append_wire_quoted(json, text);
  };
  if (!failure.empty()) add("failure", failure);
  if (!job.custom.empty()) add("custom", job.custom);
  add_text("jid", job.jid);
  add_text("queue", job.queue);
  add_text("jobtype", job.jobtype);
  const auto add_time = [&](std::string_view name, Time time) {
    json.append(",\"").append(name).append("\":");
    append_wire_time(json, time);
  };
  if (job.created_at.empty()) add_time("created_at", times.created_at);
  if (!job.created_at.empty()) add_text("created_at", job.created_at);
  if (times.enqueued_at != Time()) add_time("enqueued_at", times.enqueued_at);
  if (!job.at.empty()) add_text("at", job.at);
  add("args", job.args);
  if (job.reserve_for != 0) add("reserve_for", std::to_string(job.reserve_for));
  if (job.backtrace != 0) add("backtrace", std::to_string(job.backtrace));
  json += '}';
  return json;
}

Result<WireFault> parse_wire_fault(std::string_view json) {
  auto members = parse_wire_object(json);
  if (!members) return std::unexpected(members.error());
  WireFault fault{.jid = {}, .errtype = {}, .message = {}, .backtrace = {}};
  auto read = read_text(*members, "jid", fault.jid);
  if (read) read = read_text(*members, "errtype", fault.errtype);
  if (read) read = read_text(*members, "message", fault.message);
  if (!read) return std::unexpected(read.error());
  fault.errtype = cut_to_fit(fault.errtype, fault_type_bytes_max);
  fault.message = cut_to_fit(fault.message, fault_message_bytes_max);
  if (const WireValue* backtrace = find_member(*members, "backtrace")) {
    auto lines = read_backtrace(*backtrace);
    if (!lines) return std::unexpected(lines.error());
    fault.backtrace = std::move(*lines);
  }
  return fault;
}

std::string wire_failure_json(const WireFailure& failure) {
  std::string json = "{\"retry_count\":" + std::to_string(failure.retry_count) +
                     ",\"remaining\":" + std::to_string(failure.remaining) +
                     ",\"failed_at\":" + wire_quoted(wire_time(failure.failed_at));
  if (failure.next_at != Time()) json += ",\"next_at\":" + wire_quoted(wire_time(failure.next_at));
  json += ",\"message\":" + wire_quoted(failure.fault.message) +
          ",\"errtype\":" + wire_quoted(failure.fault.errtype);
  if (!failure.fault.backtrace.empty()) json += ",\"backtrace\":" + failure.fault.backtrace;
  return json + "}";
}

}  // namespace almanac
