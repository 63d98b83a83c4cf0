// The GPU of a rehearsal (what_if.h): what is loaded to it when, on the rehearsal's own clock.
// Loads take what their models say, unloads take no time.
#pragma once

#include <almanac/engine/command.h>
#include <almanac/engine/model_turns.h>
#include <almanac/engine/what_if.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

namespace almanac {

// Owned by a rehearsal, whose state it reads and changes by commands.
class VirtualGpu {
 public:
  using Apply = std::function<Result<void>(const Command&)>;
  // A turn is at most as long as the longest attempt allows.
  VirtualGpu(const WhatIfModelSettings& settings, const State& state, Duration longest_attempt,
             Apply apply)
      : settings_(settings),
        state_(state),
        longest_attempt_(longest_attempt),
        apply_(std::move(apply)) {}

  // Makes the GPU and registers the models. Errors: invalid.
  [[nodiscard]] Result<void> begin(Time now);
  // Ends the loads that are over, and begins what is to be.
  [[nodiscard]] Result<void> advance(Time now);
  // Which models begin nothing now. As of the last advance().
  [[nodiscard]] const ModelTurns& turns() const { return turns_; }
  // The only task that may begin; none where any may.
  [[nodiscard]] std::optional<TaskId> only() const { return only_; }
  [[nodiscard]] std::optional<Time> next() const;
  [[nodiscard]] const WhatIfModels& report() const { return report_; }

 private:
  struct Wait {
    Time since;
    std::optional<std::uint64_t> ahead;  // how many others were in front when it was overdue
  };
  [[nodiscard]] Result<void> end_loads(Time now);
  [[nodiscard]] Result<bool> take_turns(Time now);
  [[nodiscard]] Result<bool> serve_first(Time now);
  [[nodiscard]] Result<bool> make_room(const Lane& lane, Time now);
  [[nodiscard]] std::optional<NameId> used_longest_ago() const;
  [[nodiscard]] Result<void> load(NameId model, Time now);
  [[nodiscard]] Result<void> unload(NameId model, NameId other);
  [[nodiscard]] Result<void> report(NameId model, ModelStep step);
  void follow_waits(Time now);
  [[nodiscard]] Duration bound(std::uint64_t ahead) const;
  [[nodiscard]] const ModelSpec& spec(NameId model) const;
  [[nodiscard]] std::optional<NameId> absent_model_of(const Lane& lane) const;

  const WhatIfModelSettings& settings_;
  const State& state_;
  const Duration longest_attempt_;
  Apply apply_;
  std::multimap<Time, NameId> loading_;  // by when they are loaded
  std::map<NameId, Wait> waits_;
  ModelTurns turns_;
  std::optional<TaskId> only_;
  WhatIfModels report_;
};

}  // namespace almanac
