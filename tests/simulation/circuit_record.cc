#include <almanac/tests/simulation/circuit_record.h>

#include <algorithm>
#include <utility>

namespace almanac::test {

using namespace std::chrono_literals;

std::string CircuitRecord::see(const RecordedEvent& recorded) {
  now_ = recorded.event.at;
  position_ = recorded.position;
  std::visit([this](const auto& event) { judge(event); }, recorded.event.body);
  return std::exchange(wrong_, {});
}

std::string CircuitRecord::missing(Time now) const {
  for (const auto& [service, one] : all_) {
    const std::string of = "the circuit of " + service;
    const CircuitSetting rules = one.rules();
    switch (one.state) {
      case CircuitState::closed:
        if (rules.consecutive_failures > 0 && one.in_row >= rules.consecutive_failures) {
          return of + " does not open";
        }
        break;
      case CircuitState::open:
        if (one.until <= now) return of + " has cooled down and is open";
        break;
      case CircuitState::half_open:
        if (one.failed > 0) return of + " does not open again";
        if (one.succeeded >= one.probes) return of + " does not close";
        for (const auto& [probe, since] : one.programs) {
          if (since + 1min <= now) return of + " waits for a probe for ever";
        }
        break;
      default: break;
    }
  }
  return {};
}

bool CircuitRecord::may_hold_back(const std::string& service) const {
  const auto found = all_.find(service);
  if (found == all_.end() || !found->second.guards()) return false;
  const One& one = found->second;
  if (one.state == CircuitState::half_open) {
    return one.out() + one.succeeded + one.failed >= one.probes;
  }
  const bool is_closed =
      one.state == CircuitState::closed || one.state == CircuitState::forced_closed;
  return !is_closed || one.paced > 0;
}

void CircuitRecord::judge(const CircuitConfigured& event) {
  One& one = all_[std::string(event.service)];
  const CircuitSetting before = one.rules();
  one.setting.reset();
  if (event.probes > 0) {
    one.setting = {.requests_min = event.requests_min,
                   .failure_permille = event.failure_permille,
                   .consecutive_failures = event.consecutive_failures,
                   .window = event.window,
                   .cooldown = event.cooldown,
                   .cooldown_max = event.cooldown_max,
                   .probes = event.probes};
  }
  if (one.rules() != before) one.results.clear();
}

void CircuitRecord::count(One& one, const Result& result, bool was_probe) {
  if (was_probe && result.failures > 0) ++one.failed;
  if (was_probe && result.successes > 0) ++one.succeeded;
  if (one.state != CircuitState::closed) return;
  one.results.push_back(result);
  one.in_row = result.successes > 0 ? 0 : one.in_row + result.failures;
}

// In a simulation each is told by itself.
void CircuitRecord::judge(const CircuitObserved& event) {
  One& one = all_[std::string(event.service)];
  const bool was_probe = one.programs.erase(event.probe) > 0;
  count(one, {now_, event.successes, event.failures}, was_probe);
}

void CircuitRecord::admit(One& one) {
  require(one.state == CircuitState::half_open, "a probe of a circuit that is not half open");
  require(one.out() + one.succeeded + one.failed < one.probes, "a probe too many");
}

void CircuitRecord::judge(const CircuitProbed& event) {
  One& one = all_[std::string(event.service)];
  admit(one);
  one.programs.emplace(position_, now_);
}

// Along an edge of the table, and no other way.
void CircuitRecord::move(One& one, CircuitCause cause, CircuitState to) {
  const auto edge = std::ranges::find_if(circuit_edges, [&](const CircuitEdge& row) {
    return row.from == one.state && row.cause == cause && row.to == to;
  });
  require(edge != circuit_edges.end(), "a circuit moves along no edge of its table");
  if (edge != circuit_edges.end()) coverage_.reach(*edge);
  ++moves_;
  const One before = std::exchange(one, {});
  one.setting = before.setting;
  one.state = to;
  one.cooldown = before.cooldown;
}

void CircuitRecord::judge_opening(const One& one, const CircuitOpened& event) {
  const CircuitSetting rules = one.rules();
  switch (event.cause) {
    case CircuitCause::failure_rate: {
      // As of the last result: a full disk may have kept the engine from opening it then.
      std::uint64_t most = 0;
      for (const Result& result : one.results) {
        if (result.at + rules.window > one.results.back().at)
          most += result.successes + result.failures;
      }
      require(event.requests >= rules.requests_min && event.requests <= most &&
                  event.failures * 1'000 >= event.requests * rules.failure_permille,
              "a circuit opens below its failure rate");
      break;
    }
    case CircuitCause::consecutive_failures:
      require(rules.consecutive_failures > 0 && one.in_row >= rules.consecutive_failures,
              "a circuit opens before so many failures in a row");
      break;
    case CircuitCause::probe_failed:
      require(one.failed > 0, "a circuit opens again and no probe has failed");
      break;
    case CircuitCause::probe_late:
      require(std::ranges::any_of(one.programs,
                                  [&](const auto& probe) { return probe.second + 1min <= now_; }),
              "a circuit opens again for a probe that is not late");
      break;
    default: break;
  }
}

void CircuitRecord::judge(const CircuitOpened& event) {
  One& one = all_[std::string(event.service)];
  judge_opening(one, event);
  const bool is_forced = event.cause == CircuitCause::forced;
  const bool again = one.state == CircuitState::half_open;
  const Duration wait = is_forced ? Duration(0) : event.until - now_;
  const CircuitSetting rules = one.rules();
  const Duration longer = std::max(rules.cooldown, 2 * one.cooldown);
  require(is_forced || wait == std::min(again ? longer : rules.cooldown, rules.cooldown_max),
          "a circuit cools down too long or not long enough");
  move(one, event.cause, is_forced ? CircuitState::forced_open : CircuitState::open);
  one.until = event.until;
  one.cooldown = wait;
}

void CircuitRecord::judge(const CircuitHalfOpened& event) {
  One& one = all_[std::string(event.service)];
  require(now_ >= one.until, "a circuit has not cooled down");
  require(event.probes == one.rules().probes, "a circuit admits another number of probes");
  move(one, CircuitCause::cooled_down, CircuitState::half_open);
  one.probes = event.probes;
}

void CircuitRecord::judge(const CircuitClosed& event) {
  One& one = all_[std::string(event.service)];
  require(event.cause != CircuitCause::probes_succeeded ||
              (one.failed == 0 && one.succeeded == one.probes),
          "a circuit closes before its probes have succeeded");
  const bool is_forced = event.cause == CircuitCause::forced;
  move(one, event.cause, is_forced ? CircuitState::forced_closed : CircuitState::closed);
  one.cooldown = Duration(0);
  one.paced = event.paced;
}

void CircuitRecord::judge(const TaskEnqueued& event) {
  for (std::size_t i = 0; i < event.demands.size(); ++i) {
    tasks_[event.id].services.emplace_back(event.demands[i].limit);
  }
}

void CircuitRecord::judge(const TaskStarted& event) {
  const auto asking = tasks_.find(event.id);
  if (asking == tasks_.end()) return;
  asking->second.runs = true;
  for (const std::string& service : asking->second.services) {
    One& one = all_[service];
    if (!one.guards()) continue;
    require(one.state != CircuitState::open && one.state != CircuitState::forced_open,
            "a task began that needs a service whose circuit is open");
    if (one.paced > 0) --one.paced;
    if (one.state != CircuitState::half_open) continue;
    admit(one);
    one.tasks.insert(event.id);
  }
}

void CircuitRecord::judge(const TaskFailed& event) {
  const bool died = event.end.status == AttemptStatus::crashed;
  end(event.id, died ? Result() : Result{.at = now_, .failures = 1});
}

void CircuitRecord::judge(const TaskHandedBack& event) {
  const bool crashed = event.reason == HandBackReason::crashed;
  end(event.id, crashed ? Result{.at = now_, .failures = 1} : Result());
}

void CircuitRecord::judge(const EngineStarted&) {
  for (auto& [service, one] : all_) one.programs.clear();
}

void CircuitRecord::end(TaskId id, const Result& result) {
  const auto asking = tasks_.find(id);
  if (asking == tasks_.end() || !std::exchange(asking->second.runs, false)) return;
  for (const std::string& service : asking->second.services) {
    One& one = all_[service];
    const bool was_probe = one.tasks.erase(id) > 0;
    if (one.guards() && result.successes + result.failures > 0) count(one, result, was_probe);
  }
}

}  // namespace almanac::test
