#include <almanac/engine/uniqueness.h>

#include <almanac/engine/content.h>
#include <almanac/engine/limits.h>

#include <algorithm>
#include <string>

namespace almanac {
namespace {

const Task& task_of(const State& state, TaskId id) { return *state.tasks.all.find(id); }

bool is_in_the_way(const Task& other, const Uniqueness& unique, Duration lasts, Time now) {
  if (lasts > Duration(0) && now - other.enqueued_at >= lasts) return false;
  if (now - other.enqueued_at < unique.within) return true;
  const bool goes_on = !has_ended(other.state) && other.state != TaskState::cancelling;
  switch (unique.until) {
    case UniqueUntil::ended: return goes_on;
    case UniqueUntil::started: return goes_on && !holds_lease(other.state);
    case UniqueUntil::succeeded: return goes_on || other.state == TaskState::failed;
    case UniqueUntil::enqueued: break;
  }
  return false;
}

}  // namespace

std::string_view name(OnConflict on_conflict) {
  switch (on_conflict) {
    case OnConflict::existing: return "existing";
    case OnConflict::skip: return "skip";
    case OnConflict::replace: return "replace";
    case OnConflict::refuse: return "refuse";
  }
  return "";
}

Result<void> check_unique(const TaskSpec& spec) {
  if (!spec.unique) return {};
  const UniqueSpec& unique = *spec.unique;
  if (unique.key.size() > limits::key_bytes_max) {
    return fail(ErrorCode::invalid, "what it is unique by is " + std::to_string(unique.key.size()) +
                                        " bytes long, over the limit of " +
                                        std::to_string(limits::key_bytes_max));
  }
  if (unique.within < Duration(0) || unique.within > limits::duration_max) {
    return fail(ErrorCode::invalid, "it is unique within a time of 0 to 100 years");
  }
  if (unique.lasts < Duration(0) || unique.lasts > limits::duration_max ||
      (unique.lasts > Duration(0) && unique.lasts < unique.within)) {
    return fail(
        ErrorCode::invalid,
        "it is unique for a time of 0 to 100 years, and no shorter than within which it is");
  }
  if (unique.until == UniqueUntil::enqueued && unique.within == Duration(0)) {
    return fail(ErrorCode::invalid, "it is unique until it is enqueued, which is at once",
                "say within which time there may be one, or until when");
  }
  return {};
}

Uniqueness uniqueness_of(const TaskSpec& spec) {
  if (!spec.unique) return {};
  const UniqueSpec& unique = *spec.unique;
  Content content;
  content.number(unique.key.empty() ? 0 : 1);
  content.text(unique.key.empty() ? spec.kind : unique.key);
  content.text(unique.key.empty() ? spec.payload : std::string_view());
  if (unique.per_queue) content.text(spec.queue);
  return {identity_of(content.bytes()), unique.until, unique.within};
}

std::vector<TaskId> in_the_way(const State& state, const Uniqueness& unique, Duration lasts,
                               Time now) {
  auto ids = state.tasks.unique.of(unique.identity);
  std::erase_if(ids,
                [&](TaskId id) { return !is_in_the_way(task_of(state, id), unique, lasts, now); });
  return ids;
}

Error unique_conflict(const State& state, TaskId other) {
  const TaskState now = task_of(state, other).state;
  return {ErrorCode::conflict,
          "it is the same work as task " + std::to_string(other.value) + ", which " +
              (has_ended(now) ? "has ended as " : "is ") + std::string(name(now)),
          "submit it later, or let it skip, replace or be answered with the existing one"};
}

std::vector<TaskId> stopping_of(const State& state, const TaskIdentity& identity) {
  auto ids = state.tasks.unique.of(identity);
  std::erase_if(ids, [&](TaskId id) { return task_of(state, id).state != TaskState::cancelling; });
  return ids;
}

std::optional<TaskId> live_other(const State& state, TaskId id) {
  const Uniqueness* unique = state.tasks.unique.all.find(id);
  if (unique == nullptr) return std::nullopt;
  for (TaskId other : state.tasks.unique.of(unique->identity)) {
    if (other != id && !has_ended(task_of(state, other).state)) return other;
  }
  return std::nullopt;
}

}  // namespace almanac
