#include <almanac/projections/circuits.h>

#include <almanac/projections/limits.h>
#include <almanac/projections/named_settings.h>
#include <almanac/projections/resource_limits.h>
#include <almanac/projections/tasks.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace almanac {
namespace {

constexpr std::array<std::string_view, circuit_state_count> circuit_state_names = {
    "closed", "open", "half_open", "forced_open", "forced_closed"};

// The probes of one circuit that are out.
template <class Visit>
void visit_probes(const Circuits& circuits, NameId service, Visit visit) {
  for (auto entry = circuits.probes.lower_bound({service, TaskId(), Position()});
       entry != circuits.probes.end() && entry->key.service == service; ++entry) {
    visit(entry->key, entry->value);
  }
}

void remove_probes(Circuits& circuits, NameId service) {
  std::vector<CircuitProbe> out;
  visit_probes(circuits, service, [&](const CircuitProbe& probe, Time) { out.push_back(probe); });
  for (const CircuitProbe& probe : out) circuits.probes.erase(probe);
}

bool reaches_rate(const Circuit& circuit, const CircuitSetting& setting) {
  const auto [successes, failures] = circuit.window.sum();
  const std::uint64_t requests = successes + failures;
  return failures > 0 && requests >= setting.requests_min &&
         failures * 1'000 >= requests * setting.failure_permille;
}

std::optional<DueMove> due_when_closed(const Circuit& circuit, const CircuitSetting& setting) {
  if (setting.consecutive_failures > 0 &&
      circuit.consecutive_failures >= setting.consecutive_failures) {
    return DueMove{CircuitCause::consecutive_failures, circuit.since};
  }
  if (reaches_rate(circuit, setting)) return DueMove{CircuitCause::failure_rate, circuit.since};
  return std::nullopt;
}

std::optional<DueMove> due_when_half_open(const Circuits& circuits, NameId service,
                                          const Circuit& circuit) {
  if (circuit.probes_failed > 0) return DueMove{CircuitCause::probe_failed, circuit.since};
  if (circuit.probes_succeeded >= circuit.probes) {
    return DueMove{CircuitCause::probes_succeeded, circuit.since};
  }
  std::optional<DueMove> late;
  visit_probes(circuits, service, [&](const CircuitProbe& probe, Time since) {
    const Time at = since + limits::circuit_probe_time;
    if (!probe.task && (!late || at < late->at)) late = {CircuitCause::probe_late, at};
  });
  return late;
}

// Changes a circuit, which is made when there is none, and brings `due` up to date with it.
template <class Change>
void change(Circuits& circuits, const Names& names, NameId service, Change change) {
  if (const auto move = due_move(circuits, names, service)) {
    circuits.due.erase({move->at, service});
  }
  if (!circuits.all.contains(service)) circuits.all.set(service, {});
  change(*circuits.all.edit(service));
  if (const auto move = due_move(circuits, names, service)) {
    circuits.due.insert({move->at, service});
  }
}

// Only what comes while it is closed says whether to open it.
void add_results(Circuit& circuit, const CircuitSetting& setting, const CircuitObserved& results,
                 Time at) {
  circuit.successes += results.successes;
  circuit.failures += results.failures;
  // No number in a log makes a fold overflow.
  circuit.took =
      Duration(static_cast<std::int64_t>(static_cast<std::uint64_t>(circuit.took.count()) +
                                         static_cast<std::uint64_t>(results.took.count())));
  if (circuit.state != CircuitState::closed) return;
  circuit.window.add({results.successes, results.failures}, setting.window, at);
  circuit.consecutive_failures = results.successes == 0
                                     ? circuit.consecutive_failures + results.failures
                                     : std::min(results.trailing_failures, results.failures);
}

const CircuitSetting* find_setting_of(const Circuits& circuits, const Names& names,
                                      std::string_view service) {
  if (circuits.settings.empty()) return nullptr;
  const CircuitSetting* found = find_setting(circuits.settings, names, service);
  if (found != nullptr || circuits.families == 0) return found;
  found = find_family_setting(circuits.settings, names, service);
  return found != nullptr ? found : find_setting(circuits.settings, names, "*");
}

// Whether a probe was out, which it no longer is.
bool return_probe(Circuits& circuits, const CircuitProbe& probe) {
  return !circuits.probes.empty() && circuits.probes.erase(probe);
}

void count_probe(Circuit& circuit, const CircuitObserved& results) {
  if (results.failures > 0) {
    ++circuit.probes_failed;
  } else if (results.successes > 0) {
    ++circuit.probes_succeeded;
  }
}

// What moved begins anew, with its totals.
struct CircuitMove {
  CircuitCause cause;
  CircuitState to;
};
template <class Change>
bool move(Circuits& circuits, Names& names, std::string_view of, const EventPlace& place,
          const CircuitMove& move, Change also) {
  const NameId service = names.intern(of);
  if (!allows(circuit_of(circuits, service).state, move.cause, move.to)) return false;
  change(circuits, names, service, [&](Circuit& circuit) {
    remove_probes(circuits, service);
    circuit.state = move.to;
    circuit.changed = place.position;
    circuit.since = place.at;
    circuit.until = Time();
    circuit.window = {};
    circuit.consecutive_failures = 0;
    circuit.probes = 0;
    circuit.probes_succeeded = 0;
    circuit.probes_failed = 0;
    circuit.paced = 0;
    also(circuit);
  });
  return true;
}

}  // namespace

std::string_view name(CircuitState state) {
  return circuit_state_names[static_cast<std::size_t>(state)];
}

bool allows(CircuitState from, CircuitCause cause, CircuitState to) {
  return std::ranges::any_of(circuit_edges, [&](const CircuitEdge& edge) {
    return edge.from == from && edge.cause == cause && edge.to == to;
  });
}

std::string circuit_picture() {
  std::string picture = "stateDiagram-v2\n    [*] --> closed\n";
  for (const CircuitEdge& edge : circuit_edges) {
    picture += "    " + std::string(name(edge.from)) + " --> " + std::string(name(edge.to)) + ": " +
               std::string(name(edge.cause)) + '\n';
  }
  return picture;
}

void CircuitWindow::add(const Slice& results, Duration window, Time at) {
  const auto width = std::max<std::int64_t>(1, window.count() / std::int64_t(slices.size()));
  const std::int64_t slice = at.time_since_epoch().count() / width;
  const auto size = static_cast<std::int64_t>(slices.size());
  if (slice < last || slice - last >= size) {
    slices = {};  // all of it is over, or the window is another one
  } else {
    for (std::int64_t fresh = last + 1; fresh <= slice; ++fresh) slices[fresh % size] = {};
  }
  last = slice;
  slices[slice % size].successes += results.successes;
  slices[slice % size].failures += results.failures;
}

CircuitWindow::Slice CircuitWindow::sum() const {
  Slice sum;
  for (const Slice& slice : slices) {
    sum.successes += slice.successes;
    sum.failures += slice.failures;
  }
  return sum;
}

// Where there are none nothing is hashed, as before there was such a thing.
void Circuits::hash_into(StateHasher& hasher) const {
  if (empty()) return;
  constexpr std::uint64_t part = 0x63697263756974;  // "circuit"
  const auto number = [](auto time) {
    if constexpr (requires { time.count(); }) {
      return static_cast<std::uint64_t>(time.count());
    } else {
      return static_cast<std::uint64_t>(time.time_since_epoch().count());
    }
  };
  hasher.numbers(std::array{part, std::uint64_t{settings.size()}, std::uint64_t{all.size()},
                            std::uint64_t{probes.size()}});
  for (const auto& [service, setting] : settings) {
    hasher.numbers(std::array{std::uint64_t{service.value}, std::uint64_t{setting.requests_min},
                              std::uint64_t{setting.failure_permille},
                              std::uint64_t{setting.consecutive_failures}, number(setting.window),
                              number(setting.cooldown), number(setting.cooldown_max),
                              std::uint64_t{setting.probes}});
  }
  for (const auto& [service, circuit] : all) {
    hasher.numbers(std::array{
        std::uint64_t{service.value}, std::uint64_t(circuit.state), circuit.changed.value,
        number(circuit.since), number(circuit.until), number(circuit.cooldown),
        static_cast<std::uint64_t>(circuit.window.last), circuit.consecutive_failures,
        std::uint64_t{circuit.probes}, std::uint64_t{circuit.probes_succeeded},
        std::uint64_t{circuit.probes_failed}, circuit.paced, circuit.successes, circuit.failures,
        circuit.trips, number(circuit.took)});
    for (const auto& [successes, failures] : circuit.window.slices) {
      hasher.numbers(std::array{successes, failures});
    }
  }
  for (const auto& [probe, since] : probes) {
    hasher.numbers(std::array{std::uint64_t{probe.service.value}, probe.task.value,
                              probe.admitted.value, number(since)});
  }
}

std::optional<CircuitSetting> setting_of(const Circuits& circuits, const Names& names,
                                         NameId service) {
  const CircuitSetting* found = find_setting_of(circuits, names, names.text(service));
  return found == nullptr ? std::nullopt : std::optional(*found);
}

CircuitSetting setting_or_default(const Circuits& circuits, const Names& names,
                                  std::string_view service) {
  const CircuitSetting* found = find_setting_of(circuits, names, service);
  return found == nullptr ? CircuitSetting() : *found;
}

bool guards(const Circuits& circuits, const Names& names, NameId service) {
  if (circuits.empty()) return false;
  const CircuitState state = circuit_of(circuits, service).state;
  return state == CircuitState::forced_open || state == CircuitState::forced_closed ||
         setting_of(circuits, names, service);
}

Circuit circuit_of(const Circuits& circuits, NameId service) {
  const Circuit* found = circuits.all.find(service);
  return found == nullptr ? Circuit() : *found;
}

std::uint32_t probes_out(const Circuits& circuits, NameId service) {
  std::uint32_t out = 0;
  visit_probes(circuits, service, [&](const CircuitProbe&, Time) { ++out; });
  return out;
}

std::uint64_t admits(const Circuits& circuits, NameId service) {
  const Circuit* circuit = circuits.all.find(service);
  if (circuit == nullptr) return UINT64_MAX;
  switch (circuit->state) {
    case CircuitState::closed:
    case CircuitState::forced_closed: return UINT64_MAX;
    case CircuitState::open:
    case CircuitState::forced_open: return 0;
    case CircuitState::half_open: break;
  }
  const std::uint64_t taken =
      circuit->probes_succeeded + circuit->probes_failed + probes_out(circuits, service);
  return circuit->probes - std::min<std::uint64_t>(taken, circuit->probes);
}

std::string recovery_limit_of_circuit(std::string_view service) {
  return recovery_limit("circuit:" + std::string(service));
}

std::optional<DueMove> due_move(const Circuits& circuits, const Names& names, NameId service) {
  const Circuit* circuit = circuits.all.find(service);
  if (circuit == nullptr) return std::nullopt;
  switch (circuit->state) {
    case CircuitState::closed:
      return due_when_closed(*circuit, setting_or_default(circuits, names, names.text(service)));
    case CircuitState::open: return DueMove{CircuitCause::cooled_down, circuit->until};
    case CircuitState::half_open: return due_when_half_open(circuits, service, *circuit);
    case CircuitState::forced_open:
    case CircuitState::forced_closed: break;
  }
  return std::nullopt;
}

Duration next_cooldown(const Circuit& circuit, const CircuitSetting& setting) {
  const bool again = circuit.state == CircuitState::half_open;
  if (!again) return std::min(setting.cooldown, setting.cooldown_max);
  if (circuit.cooldown > setting.cooldown_max / 2) return setting.cooldown_max;
  return std::min(std::max(2 * circuit.cooldown, setting.cooldown), setting.cooldown_max);
}

void set_circuit(Circuits& circuits, const Names& names, NameId service,
                 const CircuitSetting& setting) {
  const bool was = circuits.settings.contains(service);
  const bool is = setting.probes > 0;
  if (is) {
    circuits.settings.set(service, setting);
  } else {
    circuits.settings.erase(service);
  }
  if (is_family(names.text(service)) && was != is) circuits.families += was ? -1 : 1;
}

void enter_due(Circuits& circuits, const Names& names) {
  circuits.due = {};
  for (const auto& [service, circuit] : circuits.all) {
    if (const auto move = due_move(circuits, names, service)) {
      circuits.due.insert({move->at, service});
    }
  }
}

void begin_attempt(Circuits& circuits, const Names& names, NameId service, TaskId task, Time at) {
  const Circuit* circuit = circuits.all.find(service);
  if (circuit == nullptr) return;
  const bool is_probe = circuit->state == CircuitState::half_open;
  if (!is_probe && circuit->paced == 0) return;
  change(circuits, names, service, [&](Circuit& changed) {
    if (changed.paced > 0) --changed.paced;
    if (is_probe) circuits.probes.set({service, task, Position()}, at);
  });
}

void end_attempt(Circuits& circuits, const Names& names, NameId service, TaskId task,
                 const AttemptResult& end) {
  const CircuitProbe probe{service, task, Position()};
  const bool is_probe = circuits.probes.contains(probe);
  if (end.result == ServiceResult::none && !is_probe) return;
  const bool failed = end.result == ServiceResult::failure;
  CircuitObserved results{.took = end.took};
  if (end.result == ServiceResult::success) results.successes = 1;
  if (failed) results.failures = results.trailing_failures = 1;
  if (end.result == ServiceResult::none) results.took = Duration(0);
  const CircuitSetting setting = setting_or_default(circuits, names, names.text(service));
  change(circuits, names, service, [&](Circuit& circuit) {
    add_results(circuit, setting, results, end.at);
    if (return_probe(circuits, probe)) count_probe(circuit, results);
  });
}

void forget_program_probes(Circuits& circuits, const Names& names) {
  const PersistentMap<CircuitProbe, Time> before = circuits.probes;
  for (const auto& [probe, since] : before) {
    if (probe.task) continue;
    change(circuits, names, probe.service, [&](Circuit&) { circuits.probes.erase(probe); });
  }
}

// What was counted under another setting says nothing under this one.
bool fold(Circuits& circuits, Names& names, const EventPlace&, const CircuitConfigured& event) {
  const Circuits before = circuits;
  set_circuit(circuits, names, names.intern(event.service),
              {.requests_min = event.requests_min,
               .failure_permille = event.failure_permille,
               .consecutive_failures = event.consecutive_failures,
               .window = event.window,
               .cooldown = event.cooldown,
               .cooldown_max = event.cooldown_max,
               .probes = event.probes});
  for (const auto& [service, circuit] : before.all) {
    const std::string_view name = names.text(service);
    if (setting_or_default(before, names, name) != setting_or_default(circuits, names, name)) {
      circuits.all.edit(service)->window = {};
    }
  }
  enter_due(circuits, names);
  return true;
}

bool fold(Circuits& circuits, Names& names, const EventPlace& place, const CircuitObserved& event) {
  const NameId service = names.intern(event.service);
  const CircuitSetting setting = setting_or_default(circuits, names, event.service);
  change(circuits, names, service, [&](Circuit& circuit) {
    add_results(circuit, setting, event, place.at);
    if (!event.probe) return;
    if (return_probe(circuits, {service, TaskId(), event.probe})) count_probe(circuit, event);
  });
  return true;
}

bool fold(Circuits& circuits, Names& names, const EventPlace& place, const CircuitProbed& event) {
  const NameId service = names.intern(event.service);
  const bool is_half_open = circuit_of(circuits, service).state == CircuitState::half_open;
  if (!is_half_open || admits(circuits, service) == 0) return false;
  change(circuits, names, service,
         [&](Circuit&) { circuits.probes.set({service, TaskId(), place.position}, place.at); });
  return true;
}

bool fold(Circuits& circuits, Names& names, const EventPlace& place, const CircuitOpened& event) {
  const bool is_forced = event.cause == CircuitCause::forced;
  const auto to = is_forced ? CircuitState::forced_open : CircuitState::open;
  return move(circuits, names, event.service, place, {event.cause, to}, [&](Circuit& circuit) {
    if (is_forced) {
      circuit.cooldown = Duration(0);
    } else {
      circuit.until = std::max({event.until, place.at, Time(Duration(1))});
      circuit.cooldown = circuit.until - place.at;
    }
    circuit.trips += is_forced ? 0 : 1;
  });
}

bool fold(Circuits& circuits, Names& names, const EventPlace& place,
          const CircuitHalfOpened& event) {
  return move(circuits, names, event.service, place,
              {CircuitCause::cooled_down, CircuitState::half_open},
              [&](Circuit& circuit) { circuit.probes = event.probes; });
}

bool fold(Circuits& circuits, Names& names, const EventPlace& place, const CircuitClosed& event) {
  const bool is_forced = event.cause == CircuitCause::forced;
  const auto to = is_forced ? CircuitState::forced_closed : CircuitState::closed;
  if (event.paced > 0) (void)names.intern(recovery_limit_of_circuit(event.service));
  return move(circuits, names, event.service, place, {event.cause, to}, [&](Circuit& circuit) {
    circuit.cooldown = Duration(0);
    circuit.paced = event.paced;
  });
}

}  // namespace almanac
