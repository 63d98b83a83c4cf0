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

namespace almanac {

struct PastStatesOptions {
  // A state is kept at each multiple of so many events that is passed, and where one was asked for.
  std::uint64_t every = 50'000;
  // So many are kept; then the one that served longest ago goes.
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

  // How many states are kept.
  [[nodiscard]] std::size_t kept() const;

 private:
  struct Kept {
    State state;
    std::uint64_t served = 0;  // when, counted in uses
  };

  [[nodiscard]] State nearest(Position through) const;
  [[nodiscard]] Result<State> start(Position through) const;
  [[nodiscard]] State keep(State state) const;
  void drop_those_too_many() const;

  const Log& log_;
  const std::filesystem::path folder_;
  const PastStatesOptions options_;
  mutable std::mutex mutex_;
  mutable std::map<Position, Kept> kept_;  // guarded by mutex_
  mutable std::uint64_t uses_ = 0;         // guarded by mutex_
};

}  // namespace almanac
