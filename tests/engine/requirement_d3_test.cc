// Requirement D3: moves and figures of a circuit are right under concurrency; no lock is held while
// waiting or calling out; what is told follows the decision, exactly once.
#include <almanac/tests/support/engine_fixture.h>

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <tuple>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

// In the order in which they were told.
struct ToldOnce {
  std::vector<CircuitMove> moves;
  std::mutex mutex;
  void operator()(const CircuitMove& move) {
    std::lock_guard guard(mutex);
    moves.push_back(move);
  }
};

class RequirementD3 : public EngineTest {
 protected:
  // What the engine calls goes after it.
  void TearDown() override {
    EngineTest::TearDown();
    close();
  }
  void open_telling() {
    EngineOptions options;
    options.on_circuit = [this](const CircuitMove& move) {
      // What is told is there to be seen, and the gate can be asked: nobody holds a lock.
      EXPECT_GE(circuit_in(*running->state()).since, move.at);
      told(move);
      if (gate != nullptr && move.to == CircuitState::open) {
        EXPECT_FALSE(gate->allow());
      }
    };
    open(std::move(options));
    running = engine.get();
    ASSERT_TRUE(engine->configure_circuit("search", {.requests_min = 10,
                                                     .failure_permille = 500,
                                                     .consecutive_failures = 0,
                                                     .cooldown = 20ms,
                                                     .cooldown_max = 40ms,
                                                     .probes = 3}));
    gate = *engine->circuit("search");
  }
  static Circuit circuit_in(const State& state) {
    return circuit_of(state.circuits, *state.names.find("search"));
  }

  // The moves of the log, each as it is told.
  using Row = std::tuple<CircuitState, CircuitCause, Time>;
  std::vector<Row> moves_in_log() {
    std::vector<Row> rows;
    State state;
    const auto read = engine->log().read(Position(1), [&](const RecordedEvent& event) {
      const CircuitState before = state_of(state);
      fold_into(state, event);
      EXPECT_EQ(state.ignored, 0U);
      const auto note = [&](CircuitCause cause) {
        const Circuit now = circuit_in(state);
        EXPECT_TRUE(allows(before, cause, now.state));
        rows.emplace_back(now.state, cause, now.since);
      };
      if (const auto* opened = std::get_if<CircuitOpened>(&event.event.body)) note(opened->cause);
      if (const auto* closed = std::get_if<CircuitClosed>(&event.event.body)) note(closed->cause);
      if (std::holds_alternative<CircuitHalfOpened>(event.event.body)) {
        note(CircuitCause::cooled_down);
      }
      return Result<bool>(true);
    });
    EXPECT_TRUE(read);
    return rows;
  }
  static CircuitState state_of(const State& state) {
    const auto id = state.names.find("search");
    return id ? circuit_of(state.circuits, *id).state : CircuitState::closed;
  }

  ToldOnce told;
  Engine* running = nullptr;
  CircuitGate* gate = nullptr;
};

TEST_F(RequirementD3, AThousandResultsAtOnceMoveItOnceEach) {
  open_telling();
  constexpr int threads_max = 1'000;
  std::atomic<bool> begin = false;
  std::atomic<int> permitted = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < threads_max; ++i) {
    threads.emplace_back([&] {
      auto permit = gate->allow();
      ++permitted;
      begin.wait(false);
      ASSERT_TRUE(permit);
      permit->failed();
    });
  }
  while (permitted < threads_max) std::this_thread::yield();
  begin = true;
  begin.notify_all();
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(
      engine->wait([](const State& state) { return circuit_in(state).failures == 1'000; }, 1min));
  const auto rows = moves_in_log();
  std::size_t openings = 0;
  for (const auto& [to, cause, at] : rows) openings += cause == CircuitCause::failure_rate ? 1 : 0;
  EXPECT_EQ(openings, 1U);
  EXPECT_EQ(circuit_in(*engine->state()).trips, 1U);
}

// Threads that ask as long as they may, of a service that comes and goes.
TEST_F(RequirementD3, EveryMoveIsToldOnceInOrderAndEveryResultIsCountedOnce) {
  open_telling();
  std::atomic<bool> works = true;
  std::atomic<bool> over = false;
  std::atomic<std::uint64_t> successes = 0;
  std::atomic<std::uint64_t> failures = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      while (!over) {
        auto permit = gate->allow();
        if (!permit) {
          std::this_thread::yield();
          continue;
        }
        const bool succeeds = works;
        ++(succeeds ? successes : failures);
        succeeds ? permit->succeeded() : permit->failed();
      }
    });
  }
  for (int round = 0; round < 3; ++round) {
    works = false;
    EXPECT_TRUE(engine->wait(
        [&](const State& state) { return state_of(state) == CircuitState::open; }, 1min));
    works = true;
    EXPECT_TRUE(engine->wait(
        [&](const State& state) { return state_of(state) == CircuitState::closed; }, 1min));
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(engine->wait(
      [&](const State& state) {
        const Circuit circuit = circuit_in(state);
        return circuit.successes == successes && circuit.failures == failures;
      },
      1min));
  const auto rows = moves_in_log();
  EXPECT_GE(rows.size(), 9U);
  std::lock_guard guard(told.mutex);
  ASSERT_EQ(told.moves.size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ((Row{told.moves[i].to, told.moves[i].cause, told.moves[i].at}), rows[i]) << i;
  }
}

}  // namespace
}  // namespace almanac::test
