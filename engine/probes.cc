#include <almanac/engine/probes.h>

#include <almanac/engine/limits.h>

#include <algorithm>

namespace almanac {

void Probes::set(const std::string& kind, const std::vector<Implementation>& implementations,
                 Time now) {
  std::erase_if(all_, [&](const auto& entry) { return entry.first.first == kind; });
  for (const Implementation& one : implementations) {
    if (!one.probe) continue;
    all_[{kind, one.name}] = {.probe = std::make_shared<const Probe>(one.probe),
                              .interval = one.probe_interval,
                              .wait = one.probe_interval,
                              .due = now};
  }
}

void Probes::suspect(const std::string& kind, const std::string& implementation, Time now) {
  const auto found = all_.find({kind, implementation});
  if (found == all_.end() || found->second.runs) return;
  Schedule& schedule = found->second;
  schedule.due = std::min(schedule.due, std::max(now, schedule.asked + limits::probe_pause));
}

void Probes::answered(const ReportProbe& answer, Time now) {
  const auto found = all_.find({answer.kind, answer.implementation});
  if (found == all_.end() || !answer.has_answered) return;
  Schedule& schedule = found->second;
  const Duration longest = std::max(schedule.interval, limits::probe_backoff_max);
  schedule.due = now + (answer.is_usable ? schedule.interval : schedule.wait);
  schedule.wait = answer.is_usable ? schedule.interval : std::min(2 * schedule.wait, longest);
  schedule.runs = false;
  schedule.is_late = false;
}

void Probes::advance(Time now) {
  for (auto& [of, schedule] : all_) {
    if (schedule.is_late || schedule.due > now) continue;
    const auto& [kind, implementation] = of;
    if (schedule.runs) {
      schedule.is_late = true;
      surroundings_.report(ReportProbe{.kind = kind,
                                       .implementation = implementation,
                                       .is_usable = false,
                                       .reason = "its probe does not answer",
                                       .has_answered = false});
      continue;
    }
    schedule.runs = true;
    schedule.asked = now;
    schedule.due = now + limits::probe_timeout;
    surroundings_.run({schedule.probe, kind, implementation});
  }
}

std::optional<Time> Probes::next_due() const {
  std::optional<Time> next;
  for (const auto& [of, schedule] : all_) {
    if (!schedule.is_late && (!next || schedule.due < *next)) next = schedule.due;
  }
  return next;
}

}  // namespace almanac
