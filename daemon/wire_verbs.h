// What each verb of the wire protocol means: requests of all sessions, made into calls of the
// engine.
#pragma once

#include <almanac/daemon/wire_jobs.h>
#include <almanac/daemon/wire_ports.h>
#include <almanac/daemon/wire_session.h>
#include <almanac/daemon/wire_workers.h>
#include <almanac/engine/engine.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace almanac {

struct WireVerbOptions {
  Duration fetch_wait = std::chrono::seconds(2);  // until there is something
  std::string description = "Almanac";            // in INFO
};

// Used on the server's thread; the engine outlives it.
class WireVerbs : public std::enable_shared_from_this<WireVerbs> {
 public:
  using Done = WireSession::Done;
  WireVerbs(Engine& engine, WirePorts ports, WireVerbOptions options);

  void perform(const WireRequest& request, WireSession& session, Done done);
  [[nodiscard]] WireWorkers& workers() { return workers_; }
  [[nodiscard]] WireJobs& jobs() { return *jobs_; }
  // Connections that are open now.
  std::uint64_t connections = 0;

 private:
  void info(const Done& done);
  void flush(Done done);
  void mutate(const WireRequest& request, Done done);
  void queue(const WireRequest& request, Done done);
  void batch(const WireRequest& request, Done done);
  void track(const WireRequest& request, Done done);
  void latency(const std::vector<std::string>& names, const Done& done);
  // Calls what waits for a disk, and answers OK or why not.
  void call_aside(std::function<Result<void>()> call, Done done);
  [[nodiscard]] std::vector<std::string> known_queues() const;

  Engine& engine_;
  WirePorts ports_;
  WireVerbOptions options_;
  std::shared_ptr<WireJobs> jobs_;
  WireWorkers workers_;
  SteadyTime begun_ = steady_time();
  std::uint64_t commands_ = 0;
};

}  // namespace almanac
