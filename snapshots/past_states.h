// Past states of one log for who asks for more than one: what a question leads through stays in
// memory, and the next one starts there. Who asks once takes state_at().
#pragma once

#include <almanac/log/log.h>
#include <almanac/projections/state.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>

namespace almanac {

struct PastStatesOptions {
  // A state is kept at each multiple of so many events that is passed, and where one was asked for.
  std::uint64_t every = 50'000;
  // So many are kept; then the one that served longest ago goes, as long as there are some of those
  // that were asked for.
  std::size_t states_max = 512;
  // The same, but for the last one, while all states of this process, whoever holds them, take more
  // than this together.
  std::size_t memory_bytes_max = std::size_t{4} << 30;
  // Told of checkpoints that do not serve, and why; may be empty.
  std::function<void(const Error&)> refused = {};
};

// Any thread may call; threads that ask for the same stretch at once fold it each for itself. Must
// not outlive the log, which may grow and be trimmed meanwhile.
//
// What is kept costs what changed between one state and the next, not the states: nodes that did
// not change are shared.
class PastStates {
 public:
  // `folder` is the one the log was opened in.
  PastStates(const Log& log, std::filesystem::path folder, PastStatesOptions options = {});

  // The state at a position; none = where the log ends now. O(events from the nearest state in
  // front): one that is kept, or of a checkpoint that lies so far ahead of it that loading takes
  // less than folding. Errors: those of rebuild().
  [[nodiscard]] Result<State> at(std::optional<Position> through = {}) const;

  // Goes through the log once, so that later questions begin close to their answers: a state is
  // kept at each multiple of `every`, or of more where those would be more than three quarters of
  // `states_max`. O(events) in all, no more than that of each stretch at a time. Errors: those of
  // rebuild(), stopped.
  [[nodiscard]] Result<void> walk(std::stop_token stop = {}) const;
  // Keeps a state of this log that somebody else came to, such as an engine, where none is kept
  // within `every` events in front of it. O(log states).
  void offer(const State& state) const;

  // How many states are kept.
  [[nodiscard]] std::size_t kept() const;

 private:
  struct Kept {
    State state;
    std::uint64_t served = 0;  // when, counted in uses
    bool is_mark = false;      // on the way for others; else it was asked for
  };
  enum class KeptAs : std::uint8_t { answer, mark };

  [[nodiscard]] State nearest(Position through) const;
  [[nodiscard]] Result<State> start(Position through) const;
  [[nodiscard]] State keep(State state, KeptAs as) const;
  [[nodiscard]] bool is_multiple(Position position) const {
    return position.value % options_.every == 0;
  }
  void drop_those_too_many() const;

  const Log& log_;
  const std::filesystem::path folder_;
  const PastStatesOptions options_;
  mutable std::mutex mutex_;
  mutable std::map<Position, Kept> kept_;  // guarded by mutex_
  mutable std::uint64_t uses_ = 0;         // guarded by mutex_
};

}  // namespace almanac
