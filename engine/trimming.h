// Trims the log of an engine that runs.
#pragma once

#include <almanac/engine/command.h>
#include <almanac/engine/trim_report.h>
#include <almanac/log/log.h>
#include <almanac/projections/state.h>
#include <almanac/snapshots/checkpointer.h>

#include <functional>
#include <memory>

namespace almanac {

// What it acts on; all of it may be used from any thread.
struct Trimming {
  Log& log;
  std::function<std::shared_ptr<const State>()> state;
  std::function<Result<Answer>(Command)> ask;
  Checkpointer& checkpointer;
};

// As far as the options say and the checkpoint before the one that is written now allows. What
// tasks need from there is written again first, unless that is more than half as many events as go.
// Errors: those of Log::trim, Log::read_one and keep_checkpoint, storage_full, stopped, busy.
[[nodiscard]] Result<EngineTrimReport> trim(const Trimming& engine, const TrimOptions& options);

}  // namespace almanac
