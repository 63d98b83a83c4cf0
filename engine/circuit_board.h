// The gates of all circuits that programs use: what they are told of the state, and what they have
// gathered for the engine.
#pragma once

#include <almanac/engine/circuit_gate.h>
#include <almanac/engine/command.h>
#include <almanac/projections/state.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// Owned by the engine. Calls out with no lock held.
class CircuitBoard {
 public:
  // Each but `on_move` is called on any thread.
  struct Surroundings {
    std::function<Time()> clock;
    std::function<std::shared_ptr<const State>()> state;  // what is published
    std::function<void()> wake;  // next_due() is sooner than it was: the core is to have a turn
    std::function<Result<Answer>(Command)> ask;       // waits for the answer
    std::function<void(Command)> report;              // does not
    std::function<void(const CircuitMove&)> on_move;  // on the loop's thread; may be empty
  };
  explicit CircuitBoard(Surroundings surroundings) : surroundings_(std::move(surroundings)) {}

  // Any thread. One for each service.
  [[nodiscard]] CircuitGate& gate(const std::string& service);

  // On the loop's thread, as are these. What was gathered, when it is due. O(gates) then.
  [[nodiscard]] std::vector<ObserveCircuit> take_due(Time now);
  [[nodiscard]] std::vector<ObserveCircuit> take_all();
  // What could not be written is told again with what comes next.
  void put_back(const ObserveCircuit& results);
  [[nodiscard]] std::optional<Time> next_due() const;
  // What is published says something new of a service, or of all (an empty name).
  void update(const std::string& service);
  void moved(const CircuitMove& move) const {
    if (surroundings_.on_move) surroundings_.on_move(move);
  }

 private:
  friend class CircuitGate;
  friend class CircuitPermit;
  [[nodiscard]] Time now() const { return surroundings_.clock(); }
  // There are results, to be taken at that time at the latest.
  void note(Time due);
  static void show(CircuitGate& gate, const State& state);

  Surroundings surroundings_;
  std::atomic<Time> due_ = Time::max();
  std::mutex mutex_;
  // Guarded by mutex_; the gates themselves are not, and stay where they are.
  std::map<std::string, std::unique_ptr<CircuitGate>, std::less<>> gates_;
};

}  // namespace almanac
