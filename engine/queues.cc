#include <almanac/engine/queues.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/submission.h>

#include <algorithm>
#include <map>
#include <string>

namespace almanac {
namespace {

// As they are asked for and recorded: a policy with its names, and what is apart from it.
struct Settings {
  std::uint32_t slots = 0;
  QueueRetention retention;
  QueuePolicy policy = QueuePolicy::priority;
  Duration ageing{0};
  Duration window{0};
  Duration short_work{0};
  std::map<std::string, std::int32_t> weights;
};

// What a policy begins with. That of urgency: a deadline in sight outweighs the class of the
// priority, one that has passed outweighs both, and a day of waiting makes up for a class.
Settings defaults_of(QueuePolicy policy) {
  Settings settings{.policy = policy};
  if (policy != QueuePolicy::urgency) return settings;
  settings.ageing = std::chrono::hours(1);
  settings.window = std::chrono::hours(24);
  settings.short_work = std::chrono::minutes(5);
  settings.weights = {{"low", 10},      {"medium", 20},  {"high", 30}, {"priority", 1},
                      {"deadline", 40}, {"overdue", 50}, {"short", 10}};
  return settings;
}

Settings settings_of(const Policy& policy, const Names& names) {
  Settings settings{.policy = policy.kind,
                    .ageing = policy.ageing,
                    .window = policy.window,
                    .short_work = policy.short_work};
  if (policy.kind == QueuePolicy::urgency) {
    for (std::size_t i = 0; i < urgency_part_count; ++i) {
      settings.weights[std::string(name(static_cast<UrgencyPart>(i)))] = policy.weights[i];
    }
  }
  for (const auto& [owner, weight] : policy.owners) {
    settings.weights[std::string(names.text(owner))] = weight;
  }
  return settings;
}

std::unexpected<Error> unused(std::string_view setting, QueuePolicy policy,
                              std::string_view users) {
  return fail(ErrorCode::invalid,
              std::string(setting) + " means nothing to the policy " + std::string(name(policy)),
              "it is a setting of " + std::string(users));
}

Result<void> check_duration(std::string_view setting, Duration duration) {
  if (duration >= Duration(0) && duration <= limits::recurrence_interval_max) return {};
  return fail(ErrorCode::invalid, std::string(setting) + " must be 0 to 366 days");
}

Result<void> check_retention(const QueueRetention& retention) {
  for (const Duration kept : {retention.succeeded, retention.failed, retention.cancelled}) {
    if (kept == retained_for_ever) continue;
    if (kept >= Duration(0) && kept <= limits::duration_max) continue;
    return fail(ErrorCode::invalid, "ended tasks are kept for 0 to 36500 days, or for ever");
  }
  return {};
}

Result<void> check_weight(QueuePolicy policy, const std::string& text, std::int32_t weight) {
  const std::string most = std::to_string(limits::queue_weight_max);
  if (policy == QueuePolicy::urgency) {
    if (!urgency_part_from(text)) {
      return fail(ErrorCode::invalid, "urgency has no weight '" + text + "'",
                  "use low, medium, high, priority, deadline, overdue or short");
    }
    if (std::abs(std::int64_t{weight}) <= limits::queue_weight_max) return {};
    return fail(ErrorCode::invalid, "a weight must be -" + most + " to " + most);
  }
  if (auto checked = check_name("owner", text); !checked) return checked;
  if (weight >= 1 && weight <= limits::queue_weight_max) return {};
  return fail(ErrorCode::invalid,
              "an owner's weight must be 1 to " + most + ", not " + std::to_string(weight),
              std::to_string(owner_weight_default) + " is that of an owner who has none");
}

Result<void> check(const ConfigureQueue& command, QueuePolicy policy) {
  if (auto checked = check_name("queue", command.queue); !checked) return checked;
  if (command.slots && *command.slots > limits::slots_max) {
    return fail(ErrorCode::invalid, "a queue takes at most " + std::to_string(limits::slots_max) +
                                        " slots, not " + std::to_string(*command.slots));
  }
  const bool is_urgency = policy == QueuePolicy::urgency;
  if (command.ageing && !is_urgency && policy != QueuePolicy::priority) {
    return unused("ageing", policy, "priority and urgency");
  }
  if (command.window && !is_urgency) return unused("a window", policy, "urgency");
  if (command.short_work && !is_urgency) return unused("short work", policy, "urgency");
  if (!command.weights.empty() && !is_urgency && policy != QueuePolicy::fair) {
    return unused("a weight", policy, "urgency and fair");
  }
  Result<void> checked = check_duration("ageing", command.ageing.value_or(Duration(0)));
  if (checked) checked = check_duration("the window", command.window.value_or(Duration(0)));
  if (checked) checked = check_duration("short work", command.short_work.value_or(Duration(0)));
  for (const auto& [name, weight] : command.weights) {
    if (checked) checked = check_weight(policy, name, weight);
  }
  return checked;
}

void apply(const ConfigureQueue& command, Settings& settings) {
  settings.slots = command.slots.value_or(settings.slots);
  settings.ageing = command.ageing.value_or(settings.ageing);
  settings.window = command.window.value_or(settings.window);
  settings.short_work = command.short_work.value_or(settings.short_work);
  for (const auto& [name, weight] : command.weights) settings.weights[name] = weight;
  QueueRetention& kept = settings.retention;
  kept.succeeded = command.retain_succeeded.value_or(kept.succeeded);
  kept.failed = command.retain_failed.value_or(kept.failed);
  kept.cancelled = command.retain_cancelled.value_or(kept.cancelled);
  if (settings.policy != QueuePolicy::fair) return;
  std::erase_if(settings.weights,
                [](const auto& entry) { return entry.second == owner_weight_default; });
}

QueueConfigured event_of(std::string_view queue, const Settings& settings, Arena& memory) {
  const auto weights = memory.array<QueueWeight>(settings.weights.size());
  std::ranges::transform(settings.weights, weights.begin(), [&](const auto& entry) {
    return QueueWeight{memory.text(entry.first), entry.second};
  });
  return {.queue = queue,
          .slots = settings.slots,
          .policy = settings.policy,
          .ageing = settings.ageing,
          .window = settings.window,
          .short_work = settings.short_work,
          .weights = QueueWeightListView(weights),
          .retention = settings.retention};
}

}  // namespace

Result<Decision> decide_one(const State& state, const ConfigureQueue& command,
                            const DecideContext& context) {
  const auto queue = state.names.find(command.queue);
  const Policy before = queue ? state.tasks.ranking.policy(*queue) : Policy();
  const std::uint32_t* slots = queue ? state.queues.slots.find(*queue) : nullptr;
  const QueuePolicy policy = command.policy.value_or(before.kind);
  if (auto checked = check(command, policy); !checked) return std::unexpected(checked.error());
  Settings settings =
      policy == before.kind ? settings_of(before, state.names) : defaults_of(policy);
  settings.slots = slots == nullptr ? 0 : *slots;
  if (queue) settings.retention = retention_of(state.queues, *queue);
  const std::uint32_t slots_before = settings.slots;
  const QueueRetention retention_before = settings.retention;
  apply(command, settings);
  if (auto checked = check_retention(settings.retention); !checked) {
    return std::unexpected(checked.error());
  }
  if (settings.weights.size() > limits::queue_weights_max) {
    return fail(ErrorCode::invalid,
                "a queue has at most " + std::to_string(limits::queue_weights_max) + " weights");
  }
  const QueueConfigured event = event_of(command.queue, settings, context.memory);
  Names names = state.names;
  Decision decision;
  if (settings.slots == slots_before && settings.retention == retention_before &&
      policy_of(event, names) == before) {
    return decision;
  }
  decision.events.push_back({.at = context.now, .body = event});
  return decision;
}

}  // namespace almanac
