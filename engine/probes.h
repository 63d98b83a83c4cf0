// When the implementations of kinds are probed: at their intervals, after a failure at once, and at
// growing intervals while they cannot be used. What a probe says is decided like everything else.
#pragma once

#include <almanac/engine/command.h>
#include <almanac/engine/handler.h>
#include <almanac/engine/workers.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace almanac {

// Owned by the engine's attempts; used on the loop's thread alone.
class Probes {
 public:
  struct Surroundings {
    std::function<void(ProbeJob)> run;    // on a thread of its own; its answer comes as ReportProbe
    std::function<void(Command)> report;  // of one that does not answer
  };
  explicit Probes(Surroundings surroundings) : surroundings_(std::move(surroundings)) {}

  // From now on these of a kind, and no others of it. They are due at once.
  void set(const std::string& kind, const std::vector<Implementation>& implementations, Time now);
  // An attempt by it has failed: it is due at once, or soon after the last probe.
  void suspect(const std::string& kind, const std::string& implementation, Time now);
  // What was reported of one that was run.
  void answered(const ReportProbe& answer, Time now);
  // Runs what is due, and says no for what has not answered in time.
  void advance(Time now);
  // When advance() has something to do next. O(probes), as is that.
  [[nodiscard]] std::optional<Time> next_due() const;

 private:
  struct Schedule {
    std::shared_ptr<const Probe> probe;
    Duration interval{0};
    Duration wait{0};  // between the last and the next
    Time asked;
    Time due;  // the next; of one that runs, the end of the time it has
    bool runs = false;
    bool is_late = false;
  };
  std::map<std::pair<std::string, std::string>, Schedule> all_;
  Surroundings surroundings_;
};

}  // namespace almanac
