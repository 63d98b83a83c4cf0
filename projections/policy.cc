#include <almanac/projections/policy.h>

#include <almanac/projections/tasks.h>

#include <algorithm>
#include <limits>

namespace almanac {
namespace {

__extension__ using Wide = __int128;

std::int64_t clamped(Wide number) {
  using Limits = std::numeric_limits<std::int64_t>;
  return static_cast<std::int64_t>(std::clamp<Wide>(number, Limits::min(), Limits::max()));
}

std::int64_t micros(Time time) { return time.time_since_epoch().count(); }

// From when on a task waits for its turn.
std::int64_t waits_since(const Task& task) {
  return std::max(micros(task.enqueued_at), micros(task.run_at));
}

UrgencyPart priority_class(const Task& task) {
  if (task.priority == 0) return UrgencyPart::medium;
  return task.priority < 0 ? UrgencyPart::low : UrgencyPart::high;
}

// The score as far as time does not change it.
std::int64_t lasting_points(const Policy& policy, const Task& task, const TaskTerms& terms) {
  const bool is_short = terms.estimate > Duration(0) && terms.estimate <= policy.short_work;
  return policy.weight(priority_class(task)) +
         std::int64_t{policy.weight(UrgencyPart::priority)} * task.priority +
         (is_short ? policy.weight(UrgencyPart::short_work) : 0);
}

// What a deadline counts at a time, and when that changes.
struct Pressure {
  std::int64_t closeness = 0;
  std::int64_t overdue = 0;
  std::optional<Time> changes_at;
};

Pressure pressure_at(const Policy& policy, const TaskTerms& terms, Time at) {
  Pressure pressure;
  if (terms.deadline == Time()) return pressure;
  const auto reached = [&](Duration before) {
    const Time moment(Duration(clamped(Wide{micros(terms.deadline)} - before.count())));
    if (moment <= at) return true;
    if (!pressure.changes_at) pressure.changes_at = moment;
    return false;
  };
  if (policy.window > Duration(0)) {
    const std::int64_t weight = policy.weight(UrgencyPart::deadline);
    for (int step = 0; step < closeness_steps; ++step) {
      if (!reached(policy.window / (1 << 2 * step))) break;
      pressure.closeness = weight * (step + 1) / closeness_steps;
    }
  }
  if (reached(Duration(0))) pressure.overdue = policy.weight(UrgencyPart::overdue);
  return pressure;
}

std::int64_t rank_of_points(const Policy& policy, const Task& task, std::int64_t points) {
  if (policy.ageing <= Duration(0)) return -points;
  return clamped(waits_since(task) - Wide{points} * policy.ageing.count());
}

}  // namespace

std::string_view name(UrgencyPart part) {
  switch (part) {
    case UrgencyPart::low: return "low";
    case UrgencyPart::medium: return "medium";
    case UrgencyPart::high: return "high";
    case UrgencyPart::priority: return "priority";
    case UrgencyPart::deadline: return "deadline";
    case UrgencyPart::overdue: return "overdue";
    case UrgencyPart::short_work: return "short";
  }
  return "unknown";
}

std::optional<UrgencyPart> urgency_part_from(std::string_view text) {
  for (std::size_t i = 0; i < urgency_part_count; ++i) {
    if (name(static_cast<UrgencyPart>(i)) == text) return static_cast<UrgencyPart>(i);
  }
  return std::nullopt;
}

Policy policy_of(const QueueConfigured& event, Names& names) {
  Policy policy{.kind = event.policy,
                .ageing = event.ageing,
                .window = event.window,
                .short_work = event.short_work};
  for (std::size_t i = 0; i < event.weights.size(); ++i) {
    const auto& [text, weight] = event.weights[i];
    if (event.policy == QueuePolicy::urgency) {
      const auto part = urgency_part_from(text);
      if (part) policy.weights[static_cast<std::size_t>(*part)] = weight;
    } else if (event.policy == QueuePolicy::fair) {
      policy.owners.push_back({names.intern(text), weight});
    }
  }
  std::ranges::stable_sort(policy.owners, {}, &OwnerWeight::owner);
  return policy;
}

std::vector<RankFactor> score_factors(const Policy& policy, const Task& task,
                                      const TaskTerms& terms, Time at) {
  std::vector<RankFactor> factors;
  const auto add = [&](std::string_view name, std::int64_t points) {
    if (points != 0) factors.push_back({name, points});
  };
  if (policy.kind == QueuePolicy::priority) {
    add("priority", task.priority);
  } else if (policy.kind == QueuePolicy::urgency) {
    const UrgencyPart of_class = priority_class(task);
    const Pressure pressure = pressure_at(policy, terms, at);
    const std::int64_t of_priority =
        std::int64_t{policy.weight(UrgencyPart::priority)} * task.priority;
    add(name(of_class), policy.weight(of_class));
    add("priority", of_priority);
    add("short", lasting_points(policy, task, terms) - policy.weight(of_class) - of_priority);
    add("deadline", pressure.closeness);
    add("overdue", pressure.overdue);
  } else {
    return factors;
  }
  if (policy.ageing > Duration(0)) {
    const Wide waited = Wide{micros(at)} - waits_since(task);
    add("waiting", clamped(waited / policy.ageing.count()));
  }
  return factors;
}

Rank rank_of(const Policy& policy, const Task& task, const TaskTerms& terms, Time at) {
  switch (policy.kind) {
    case QueuePolicy::priority: return {rank_of_points(policy, task, task.priority), {}};
    case QueuePolicy::deadline:
      return {terms.deadline == Time() ? std::numeric_limits<std::int64_t>::max()
                                       : micros(terms.deadline),
              {}};
    case QueuePolicy::urgency: {
      const Pressure pressure = pressure_at(policy, terms, at);
      const std::int64_t points =
          lasting_points(policy, task, terms) + pressure.closeness + pressure.overdue;
      return {rank_of_points(policy, task, points), pressure.changes_at};
    }
    case QueuePolicy::fifo:
    case QueuePolicy::fair: break;
  }
  return {};
}

std::int64_t fair_cost(const Policy& policy, const TaskTerms& terms) {
  std::int64_t weight = owner_weight_default;
  if (terms.owner) {
    const auto found =
        std::ranges::lower_bound(policy.owners, *terms.owner, {}, &OwnerWeight::owner);
    if (found != policy.owners.end() && found->owner == *terms.owner) weight = found->weight;
  }
  const Duration estimate = terms.estimate > Duration(0) ? terms.estimate : assumed_estimate;
  const Wide cost =
      Wide{estimate.count()} * owner_weight_default / std::max<std::int64_t>(weight, 1);
  return std::max<std::int64_t>(clamped(cost), 1);
}

}  // namespace almanac
