#include <almanac/tools/task_event.h>

#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>

#include <algorithm>

namespace almanac {
namespace {

std::string end_text(const AttemptEnd& end) {
  if (!end.message.empty()) return printable(end.message);
  return std::string(name(end.status));
}

std::string because(std::string_view reason) {
  return reason.empty() ? std::string() : ": " + printable(reason);
}

std::string sentence(const TaskEnqueued& event) {
  std::string text = fmt::format("enqueued in {}", printable(event.queue));
  if (event.priority != 0) text += fmt::format(", priority {}", event.priority);
  for (std::size_t i = 0; i < event.dependencies.size(); ++i) {
    text += (i == 0 ? ", after " : ", ") + std::to_string(event.dependencies[i].value);
    if (event.conditions.empty() || event.conditions[i] == DependencyCondition::success) continue;
    text += fmt::format(" ({})", name(event.conditions[i]));
  }
  return text;
}
std::string sentence(const TaskReadied&) { return "its time has come"; }
std::string sentence(const TaskStarted& event) {
  const std::string by =
      event.implementation.empty() ? "" : " by " + printable(event.implementation);
  const std::string at = event.worker.empty() ? "" : " at worker " + printable(event.worker);
  const std::string why =
      event.advisor.empty() ? "" : " on the advice of " + printable(event.advisor);
  const std::string on = event.gpu.empty() ? "" : " on GPU " + printable(event.gpu);
  return fmt::format("attempt {} began{}{}{}{}", event.attempt, by, at, on, why);
}
std::string sentence(const TaskSucceeded&) { return "succeeded"; }
std::string sentence(const TaskFailed& event) { return "failed: " + end_text(event.end); }
std::string sentence(const TaskCancelRequested& event) {
  return "told to stop" + because(event.reason);
}
std::string sentence(const TaskCancelled& event) {
  if (!event.dependency) return "cancelled" + because(event.reason);
  return fmt::format("cancelled, since task {} did not succeed", event.dependency.value);
}
std::string crash_text(std::uint32_t crashes) {
  return crashes == 0 ? std::string() : fmt::format(" (crash {})", crashes);
}
std::string sentence(const TaskHandedBack& event) {
  switch (event.reason) {
    case HandBackReason::stopping: return "handed back: what ran it stopped";
    case HandBackReason::engine_died:
      return "handed back: the engine died" + crash_text(event.crashes);
    case HandBackReason::crashed:
      return fmt::format("crashed: {}{}", end_text(event.end), crash_text(event.crashes));
    case HandBackReason::silent: return "its worker was silent" + crash_text(event.crashes);
    case HandBackReason::forked: return "handed back: it goes on in the log this one is a fork of";
  }
  return "handed back";
}
std::string sentence(const TaskHeld& event) {
  if (event.reason == HoldReason::paused) return "paused";
  return "held for review: " +
         known_text({event.reason, event.outcome, event.started, event.ended});
}
std::string sentence(const TaskReleased&) { return "released: it may run"; }
std::string sentence(const TaskAccepted&) { return "accepted: it counts as succeeded"; }
std::string sentence(const TaskSnoozed& event) {
  return "asked to run again at " + format_time(event.until);
}
std::string sentence(const TaskFailedOver& event) {
  return fmt::format("{} failed: {}; {} goes on", printable(event.from), end_text(event.end),
                     printable(event.to));
}
std::string sentence(const TaskProgressed& event) {
  return fmt::format("{}.{} % done", event.permille / 10, event.permille % 10) +
         because(event.message);
}
std::string sentence(const TaskRequestCarried&) {
  return "written again, so that the log in front of it can be trimmed";
}
std::string sentence(const TaskResultCarried& event) {
  return "what it has come to, written again: " + end_text(event.end);
}
std::string sentence(const TaskRedriven& event) { return "to run again" + because(event.reason); }
std::string sentence(const auto&) { return {}; }

}  // namespace

std::string known_text(const Hold& hold) {
  if (hold.reason == HoldReason::paused) return "paused";
  if (hold.outcome != TaskOutcome::unknown) {
    return fmt::format("{} at {} of the origin", name(hold.outcome), hold.ended.value);
  }
  if (!hold.started) return "its end is not known";
  return fmt::format("started at {} of the origin, its end is not known", hold.started.value);
}

TaskId task_of(const EventBody& body) {
  return std::visit(
      [](const auto& event) {
        if constexpr (requires { TaskId(event.id); }) {
          return TaskId(event.id);
        } else if constexpr (requires { event.request.id; }) {
          return event.request.id;
        } else {
          return TaskId();
        }
      },
      body);
}

std::string step_time(Time at) {
  return format_time(at).substr(0, std::string_view("2026-11-21T10:00:00.000").size()) + "Z";
}

std::string task_event_sentence(const Event& event) {
  if (const auto* failed = std::get_if<TaskAttemptFailed>(&event.body)) {
    return fmt::format("failed: {}; again in {}", end_text(failed->end),
                       format_compact(std::max(failed->retry_at - event.at, Duration(0))));
  }
  return std::visit([](const auto& body) { return sentence(body); }, event.body);
}

}  // namespace almanac
