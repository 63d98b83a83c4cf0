// The workers that are connected, and what is said to them. In memory: a worker is there as long as
// one of its connections is, and is heard of.
#pragma once

#include <almanac/daemon/wire_session.h>
#include <almanac/engine/steady_time.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

inline constexpr std::chrono::seconds wire_silence_max{60};

// From one to the next, never back.
enum class WireWorkerState : std::uint8_t { running, quiet, terminate };
// "" for one that runs.
[[nodiscard]] std::string_view name(WireWorkerState state);

struct WireWorker {
  WireHello hello;  // of its first connection
  WireWorkerState state = WireWorkerState::running;
  SteadyTime heard;
  std::set<std::uint64_t> sessions;  // by number
  std::int64_t rss_kb = 0;
};

// On the server's thread.
class WireWorkers {
 public:
  void join(const WireSession& session, SteadyTime now);
  void leave(const WireSession& session);
  // The answer to a BEAT.
  [[nodiscard]] std::string beat(std::string_view argument, SteadyTime now);
  // Forgets those that were silent too long; answers the numbers of their connections.
  [[nodiscard]] std::vector<std::uint64_t> forget_silent(SteadyTime now);
  // By an operator: one, or with no name all of them. False where there is none of this name.
  bool tell(std::string_view wid, WireWorkerState state);
  // Whether its worker is to take no more jobs.
  [[nodiscard]] bool is_quiet(const WireSession& session) const;
  [[nodiscard]] std::size_t size() const { return all_.size(); }
  [[nodiscard]] std::uint64_t reaped() const { return reaped_; }

 private:
  std::map<std::string, WireWorker, std::less<>> all_;
  std::uint64_t reaped_ = 0;
};

}  // namespace almanac
