// The circuit of a service as a program uses it that asks the service by itself, beside tasks.
//
//   almanac::CircuitGate* search = *engine->circuit("search");
//   if (auto permit = search->allow()) {
//     ask_it() ? permit->succeeded() : permit->failed();
//   } else {
//     try_again_at(permit.error().retry_at);
//   }
//
// A compiled example is examples/circuit.cc.
#pragma once

#include <almanac/engine/has_worked.h>
#include <almanac/log/types.h>
#include <almanac/projections/circuits.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

namespace almanac {

class CircuitBoard;
class CircuitGate;
struct ObserveCircuit;

// The service is not to be asked now.
struct CircuitRefusal {
  CircuitState state = CircuitState::open;
  Time retry_at;  // when it is worth another try; not set = once an operator has reset it
};

// A circuit has moved.
struct CircuitMove {
  std::string service;
  CircuitState to = CircuitState::closed;
  CircuitCause cause = CircuitCause::reset;
  Time at;
  Time until;  // of an open one: when it has cooled down; not set = none, or not by itself
};

// One request that may be made, and the scope of it: says once what came of it. One that goes
// without a word has failed. Used by one thread at a time; dies before the engine.
class [[nodiscard]] CircuitPermit {
 public:
  CircuitPermit(CircuitPermit&& other) noexcept
      : gate_(std::exchange(other.gate_, nullptr)), began_(other.began_), probe_(other.probe_) {}
  CircuitPermit& operator=(CircuitPermit&&) = delete;
  ~CircuitPermit() {
    if (gate_ != nullptr) failed();
  }

  void succeeded() { end(true); }
  void failed() { end(false); }
  // The service said that it is asked too often: no failure of it, and there are no tokens of the
  // limit of its name before `until`.
  void rate_limited(Time until);

 private:
  friend class CircuitGate;
  CircuitPermit(CircuitGate& gate, Time began, Position probe)
      : gate_(&gate), began_(began), probe_(probe) {}
  void end(bool succeeded);

  CircuitGate* gate_;  // none: it has been said
  Time began_;
  Position probe_;  // the event that admitted it; none = it is no probe
};

// Owned by the engine, and lives as long. Any thread. It knows of a move a moment after the state
// is published that has it, and when on_circuit is told. A check and its result are some atomic
// operations and two looks at the clock: results are gathered and told to the engine every second
// (limits::circuit_interval), and at once when they may be reason enough to open the circuit.
class CircuitGate {
 public:
  CircuitGate(CircuitBoard& board, std::string service)
      : board_(board), service_(std::move(service)) {}
  CircuitGate(const CircuitGate&) = delete;
  CircuitGate& operator=(const CircuitGate&) = delete;

  [[nodiscard]] const std::string& service() const { return service_; }

  // Whether a request may be made now. Returns at once, but while the circuit is half open: then
  // one caller at a time waits for one commit, so that no probe is admitted twice, and the others
  // are refused. Not for that to be called on the engine's own thread (on_events, on_circuit,
  // done).
  [[nodiscard]] std::expected<CircuitPermit, CircuitRefusal> allow();

  // Calls `function` when it may, and answers what that answers. It has failed when it throws,
  // which goes on to the caller, and when has_worked() says no of what it answers.
  template <class Function>
  auto call(Function function) -> std::expected<std::invoke_result_t<Function>, CircuitRefusal> {
    auto permit = allow();
    if (!permit) return std::unexpected(permit.error());
    if constexpr (std::is_void_v<std::invoke_result_t<Function>>) {
      function();
      permit->succeeded();
      return {};
    } else {
      auto result = function();
      has_worked(result) ? permit->succeeded() : permit->failed();
      return result;
    }
  }

 private:
  friend class CircuitBoard;
  friend class CircuitPermit;

  // What was told since the last time, by some of the threads: each has its own most of the time.
  struct alignas(64) Shard {
    std::atomic<std::uint64_t> successes = 0;
    std::atomic<std::uint64_t> failures = 0;
    std::atomic<std::int64_t> took = 0;  // microseconds
  };

  [[nodiscard]] std::expected<CircuitPermit, CircuitRefusal> probe(Time now);
  void record(bool succeeded, Duration took, Time now);
  [[nodiscard]] bool may_open() const;
  // For the board: what has come since the last time; none = nothing has.
  [[nodiscard]] ObserveCircuit take();
  void put_back(const ObserveCircuit& results);
  void update(const Circuit& circuit, const CircuitSetting& setting);

  CircuitBoard& board_;
  const std::string service_;
  std::array<Shard, 16> shards_;
  std::atomic<bool> is_noted_ = false;   // that there are results, …
  std::atomic<bool> is_urgent_ = false;  // … and that they cannot wait
  std::atomic<bool> is_asking_ = false;
  std::atomic<std::uint64_t> failures_in_row_ = 0;

  // As published.
  std::atomic<CircuitState> state_ = CircuitState::closed;
  std::atomic<Time> until_ = Time();
  std::atomic<Position> changed_ = Position();
  std::atomic<std::uint64_t> successes_ = 0;  // in the window
  std::atomic<std::uint64_t> failures_ = 0;
  std::atomic<std::uint32_t> requests_min_ = 0;
  std::atomic<std::uint16_t> failure_permille_ = 0;
  std::atomic<std::uint32_t> failures_in_row_max_ = 0;
};

}  // namespace almanac
