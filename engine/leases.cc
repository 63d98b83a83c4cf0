#include <almanac/engine/leases.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/tasks.h>

#include <algorithm>
#include <string>

namespace almanac {
namespace {

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= limits::name_bytes_max;
}

std::string time_text(Duration time) {
  const auto milliseconds = time / std::chrono::milliseconds(1);
  return milliseconds % 1'000 == 0 ? std::to_string(milliseconds / 1'000) + " s"
                                   : std::to_string(milliseconds) + " ms";
}

Result<void> check(const LeaseSpec& spec) {
  const auto invalid = [](std::string text, std::string next) {
    return fail(ErrorCode::invalid, std::move(text), std::move(next));
  };
  const std::string names_max = std::to_string(limits::name_bytes_max);
  if (!is_name(spec.worker)) {
    return invalid("a worker's name has 1 to " + names_max + " bytes", "name what would be known");
  }
  if (std::max(spec.kinds.size(), spec.queues.size()) > limits::lease_names_max) {
    return invalid("a worker names at most " + std::to_string(limits::lease_names_max) +
                       " kinds, and as many queues",
                   "name fewer, or none to take any");
  }
  if (!std::ranges::all_of(spec.kinds, is_name) || !std::ranges::all_of(spec.queues, is_name)) {
    return invalid("the name of a kind or queue has 1 to " + names_max + " bytes",
                   "name those that tasks have");
  }
  if (spec.versions.is_empty()) {
    return invalid("a worker runs at least one version of its kinds",
                   "let versions begin no later than they end");
  }
  if (spec.tasks_max == 0 || spec.tasks_max > limits::lease_tasks_max) {
    return invalid(
        "a worker asks for 1 to " + std::to_string(limits::lease_tasks_max) + " tasks at once",
        "ask for a number in that range");
  }
  if (spec.lease_time < limits::lease_time_min || spec.lease_time > limits::lease_time_max) {
    return invalid("the time of a lease is " + time_text(limits::lease_time_min) + " to " +
                       time_text(limits::lease_time_max),
                   "ask for a time in that range: heartbeats give all of it anew");
  }
  return {};
}

}  // namespace

Result<Decision> decide_one(const State&, const LeaseTasks& command, const DecideContext&) {
  if (auto checked = check(command.spec); !checked) return std::unexpected(checked.error());
  return Decision{};
}

Result<Decision> decide_one(const State& state, const LapseLease& command,
                            const DecideContext& context) {
  const auto held = find_attempt(state, command.id, command.token, context);
  if (!held) return std::unexpected(held.error());
  const RemoteLease* lease = state.tasks.remote.find(command.id);
  if (lease == nullptr) {
    return fail(ErrorCode::refused,
                "task " + std::to_string(command.id.value) + " runs at no worker elsewhere");
  }
  const std::string text = "worker \"" + std::string(lease->worker.view()) + "\" was silent for " +
                           time_text(lease->time);
  const AttemptEnd end{.status = AttemptStatus::crashed, .message = context.memory.text(text)};
  Decision decision;
  Event event{.at = context.now};
  if ((*held)->state == TaskState::cancelling) {
    event.body = TaskCancelled{.id = command.id,
                               .lease = command.token.lease,
                               .reason = "cancelled while it ran",
                               .end = end};
  } else {
    event.body = crashed(state, command.id, HandBackReason::silent, end, context.memory);
  }
  decision.events.push_back(event);
  return decision;
}

}  // namespace almanac
