#include <almanac/engine/circuit_board.h>

#include <utility>

namespace almanac {

// A new one is shown what is published while nobody else is shown anything, so that no older state
// replaces a newer one.
CircuitGate& CircuitBoard::gate(const std::string& service) {
  std::lock_guard guard(mutex_);
  auto& gate = gates_[service];
  if (!gate) {
    gate = std::make_unique<CircuitGate>(*this, service);
    show(*gate, *surroundings_.state());
  }
  return *gate;
}

void CircuitBoard::note(Time due) {
  Time known = due_;
  do {
    if (known <= due) return;
  } while (!due_.compare_exchange_weak(known, due));
  surroundings_.wake();
}

std::vector<ObserveCircuit> CircuitBoard::take_due(Time now) {
  return due_.load() <= now ? take_all() : std::vector<ObserveCircuit>();
}

std::vector<ObserveCircuit> CircuitBoard::take_all() {
  std::vector<ObserveCircuit> all;
  due_ = Time::max();  // first: what is noted from now on is noted again
  std::lock_guard guard(mutex_);
  for (auto& [service, gate] : gates_) {
    ObserveCircuit results = gate->take();
    if (results.successes + results.failures > 0) all.push_back(std::move(results));
  }
  return all;
}

void CircuitBoard::put_back(const ObserveCircuit& results) {
  std::lock_guard guard(mutex_);
  gates_.find(results.service)->second->put_back(results);
  due_ = now();
}

std::optional<Time> CircuitBoard::next_due() const {
  const Time due = due_;
  return due == Time::max() ? std::nullopt : std::optional(due);
}

void CircuitBoard::update(const std::string& service) {
  std::lock_guard guard(mutex_);
  if (gates_.empty()) return;
  const auto state = surroundings_.state();
  if (service.empty()) {
    for (auto& [name, gate] : gates_) show(*gate, *state);
  } else if (const auto found = gates_.find(service); found != gates_.end()) {
    show(*found->second, *state);
  }
}

void CircuitBoard::show(CircuitGate& gate, const State& state) {
  const auto id = state.names.find(gate.service());
  gate.update(id ? circuit_of(state.circuits, *id) : Circuit(),
              setting_or_default(state.circuits, state.names, gate.service()));
}

}  // namespace almanac
