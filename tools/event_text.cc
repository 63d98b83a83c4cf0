#include <almanac/tools/event_text.h>

#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <string>
#include <type_traits>

namespace almanac {
namespace {

using nlohmann::ordered_json;

// Text as it is, other bytes as hexadecimal digits.
ordered_json text_or_hex(Bytes bytes) {
  auto text = as_text(bytes);
  ordered_json plain(text);
  try {
    (void)plain.dump();
    return plain;
  } catch (const ordered_json::exception&) {
    return {{"hex", to_hex(bytes)}};
  }
}

// Adds the fields that are set: what is missing has its default.
class Fields {
 public:
  explicit Fields(ordered_json& json) : json_(json) {}

  void operator()(const CustomEvent& event) {
    text("custom_type", event.type);
    bytes("data", event.data);
  }
  void operator()(const TaskEnqueued& event) {
    task(event.id);
    text("label", event.label);
    text("kind", event.kind);
    text("queue", event.queue);
    number("priority", event.priority);
    time("run_at", event.run_at);
    number("timeout_us", event.timeout.count());
    number("attempts_max", event.attempts_max);
    number("backoff_us", event.backoff.initial.count());
    number("backoff_max_us", event.backoff.max.count());
    for (std::size_t i = 0; i < event.tags.size(); ++i) {
      json_["tags"].push_back(text_or_hex(as_bytes(event.tags[i])));
    }
    for (TaskId id : event.dependencies) json_["dependencies"].push_back(id.value);
    bytes("payload", event.payload);
  }
  void operator()(const TaskReadied& event) { task(event.id); }
  void operator()(const TaskStarted& event) {
    task(event.id);
    number("attempt", event.attempt);
    time("deadline", event.deadline);
  }
  void operator()(const TaskSucceeded& event) { ended(event.id, event.lease, event.end); }
  void operator()(const TaskAttemptFailed& event) {
    ended(event.id, event.lease, event.end);
    time("retry_at", event.retry_at);
  }
  void operator()(const TaskFailed& event) { ended(event.id, event.lease, event.end); }
  void operator()(const TaskCancelRequested& event) {
    task(event.id);
    text("reason", event.reason);
  }
  void operator()(const TaskCancelled& event) {
    task(event.id);
    text("reason", event.reason);
    number("dependency", event.dependency.value);
    number("lease", event.lease.value);
    bytes("output", event.end.output);
  }
  void operator()(const TaskHandedBack& event) {
    task(event.id);
    number("lease", event.lease.value);
    text("reason", name(event.reason));
  }
  void operator()(const QueueConfigured& event) {
    text("queue", event.queue);
    json_["slots"] = event.slots;
  }
  void operator()(const EngineStarted& event) {
    text("version", event.version);
    number("process", event.process_id);
    number("slots", event.slots);
    number("seed", event.seed);
  }
  void operator()(const EngineStopped&) {}

 private:
  void task(TaskId id) { json_["task"] = id.value; }
  void number(const char* name, auto value) {
    if (value != 0) json_[name] = value;
  }
  void text(const char* name, std::string_view value) {
    if (!value.empty()) json_[name] = text_or_hex(as_bytes(value));
  }
  void bytes(const char* name, Bytes value) {
    if (!value.empty()) json_[name] = text_or_hex(value);
  }
  void time(const char* name, Time value) {
    if (value != Time()) json_[name] = format_time(value);
  }
  void ended(TaskId id, Lease lease, const AttemptEnd& end) {
    task(id);
    number("lease", lease.value);
    text("status", name(end.status));
    number("code", end.code);
    text("message", end.message);
    bytes("result", end.result);
    bytes("output", end.output);
    number("output_dropped", end.output_dropped);
  }

  ordered_json& json_;
};

std::string value_text(const ordered_json& value) {
  return printable(value.is_string() ? value.get<std::string>() : value.dump());
}

}  // namespace

std::string event_json(const RecordedEvent& recorded) {
  const Event& event = recorded.event;
  ordered_json json{{"position", recorded.position.value},
                    {"time", format_time(event.at)},
                    {"type", type_name(event.body)}};
  std::visit(Fields(json), event.body);
  if (!event.idempotency_key.empty()) json["key"] = text_or_hex(as_bytes(event.idempotency_key));
  if (!event.stream.empty()) json["stream"] = text_or_hex(as_bytes(event.stream));
  if (event.correlation) json["correlation"] = event.correlation.value;
  if (event.causation) json["causation"] = event.causation.value;
  return json.dump();
}

std::string event_line(const RecordedEvent& recorded) {
  ordered_json fields;
  std::visit(Fields(fields), recorded.event.body);
  std::string line =
      fmt::format("{:>8}  {}  {:<19}", recorded.position.value, format_time(recorded.event.at),
                  printable(type_name(recorded.event.body)));
  for (const auto& [name, value] : fields.items()) {
    line += fmt::format("  {}={}", name, value_text(value));
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace almanac
