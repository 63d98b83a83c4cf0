#include <almanac/daemon/wire_track.h>

#include <almanac/daemon/wire_json.h>
#include <almanac/daemon/wire_time.h>
#include <almanac/tools/units.h>

#include <algorithm>
#include <cmath>

namespace almanac {
namespace {

// Of the log, in front of an attempt's end.
constexpr std::size_t told_looks_max = 10'000;

std::string_view track_state(const Task& task) {
  switch (task.state) {
    case TaskState::running:
    case TaskState::cancelling: return "working";
    case TaskState::succeeded: return "success";
    case TaskState::failed: return "dead";
    case TaskState::cancelled: return "unknown";
    case TaskState::delayed: return task.failures > 0 ? "failed" : "enqueued";
    case TaskState::held: return task.failures > 0 ? "dead" : "enqueued";
    case TaskState::waiting:
    case TaskState::ready: break;
  }
  return "enqueued";
}

Time changed_at(const Log& log, const Task& task) {
  Time at = task.enqueued_at;
  (void)log.read_one(task.changed, [&](const Event& event) { at = event.at; });
  return at;
}

std::string told_by(const Log& log, const TaskProgress& progress) {
  std::string message;
  (void)log.read_one(progress.told, [&](const Event& event) {
    if (const auto* told = std::get_if<TaskProgressed>(&event.body)) message = told->message;
  });
  return message;
}

// The state forgets progress with the attempt; what was said last stands in front of its end.
WireTold told_before_end(const Log& log, const State& state, TaskId id) {
  WireTold last;
  const Task* task = state.tasks.all.find(id);
  const bool is_over = task != nullptr && task->state != TaskState::running &&
                       task->state != TaskState::cancelling && task->changed > task->enqueued;
  if (!is_over) return last;
  std::size_t looks = 0;
  (void)log.read_backward(task->changed, [&](const RecordedEvent& recorded) -> Result<bool> {
    if (recorded.position <= task->enqueued || ++looks > told_looks_max) return false;
    const auto* told = std::get_if<TaskProgressed>(&recorded.event.body);
    if (told == nullptr || told->id != id) return true;
    last = {.fraction = double(told->permille) / 1'000,
            .description = std::string(told->message),
            .at = recorded.event.at};
    return false;
  });
  return last;
}

}  // namespace

Result<WireProgress> parse_wire_progress(std::string_view json) {
  const auto members = parse_wire_object(json);
  if (!members) return std::unexpected(members.error());
  WireProgress progress;
  const WireValue* jid = find_member(*members, "jid");
  if (jid == nullptr || jid->string.empty()) return fail(ErrorCode::invalid, "missing JID");
  progress.jid = jid->string;
  if (const WireValue* percent = find_member(*members, "percent")) {
    const auto whole = wire_whole_number(*percent);
    if (!whole || *whole < 0 || *whole > 100) {
      return fail(ErrorCode::invalid, "percent is a whole number from 0 to 100");
    }
    progress.fraction = double(*whole) / 100;
  }
  if (const WireValue* text = find_member(*members, "desc")) progress.description = text->string;
  const WireValue* until = find_member(*members, "reserve_until");
  if (until == nullptr || until->kind == WireKind::null) return progress;
  const auto time = parse_time(until->string);
  if (until->kind != WireKind::string || !time) {
    return fail(ErrorCode::invalid, "reserve_until is no time such as 2026-11-22T10:00:00Z");
  }
  progress.reserve_until = *time;
  return progress;
}

std::optional<TaskId> find_tracked(const State& state, std::string_view jid) {
  const auto tag = state.names.find(wire_track_tag(jid));
  if (!tag) return std::nullopt;
  std::optional<TaskId> last;
  for (auto key = state.tasks.tagged.lower_bound({*tag, TaskId()});
       key != state.tasks.tagged.end() && (*key).tag == *tag; ++key) {
    last = (*key).id;
  }
  return last;
}

WireTold read_told(const Log& log, const State& state, TaskId id) {
  const TaskProgress* progress = state.tasks.progress.find(id);
  if (progress == nullptr) return told_before_end(log, state, id);
  return {.fraction = double(progress->permille) / 1'000,
          .description = told_by(log, *progress),
          .at = progress->at};
}

std::string wire_track_json(const Log& log, const State& state, std::string_view jid,
                            const std::optional<WireTold>& told) {
  std::string json = "{\"jid\":" + wire_quoted(jid);
  const auto id = find_tracked(state, jid);
  if (!id) return json + R"(,"state":"unknown","updated_at":""})";
  const Task& task = *state.tasks.all.find(*id);
  const WireTold progress = told ? *told : read_told(log, state, *id);
  const Time at = std::max(changed_at(log, task), progress.at);
  json += ",\"state\":" + wire_quoted(track_state(task)) +
          ",\"updated_at\":" + wire_quoted(wire_time(at));
  if (progress.at == Time()) return json + "}";
  json += ",\"percent\":" + std::to_string(std::lround(progress.fraction * 100));
  if (!progress.description.empty()) json += ",\"desc\":" + wire_quoted(progress.description);
  return json + "}";
}

}  // namespace almanac
