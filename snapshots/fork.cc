#include <almanac/snapshots/fork.h>

#include <almanac/log/hash.h>
#include <almanac/log/import.h>
#include <almanac/projections/state.h>
#include <almanac/snapshots/checkpoints.h>
#include <almanac/snapshots/rebuild.h>
#include <almanac/snapshots/state_at.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace almanac {
namespace {

namespace fs = std::filesystem;

// What the new log begins with.
struct Beginning {
  LogTail base;
  State state;  // of the first position there is one of
  LogOrigin origin;
};

Result<Beginning> find_beginning(const Log& log, const fs::path& folder,
                                 const ForkOptions& options) {
  if (auto there = last_position(log, options.at); !there) return std::unexpected(there.error());
  auto base = log.base();
  if (!base) return std::unexpected(base.error());
  auto first = first_state_position(log, folder);
  if (!first) return std::unexpected(first.error());
  if (options.at < *first) {
    return fail(ErrorCode::refused,
                "there is no state in front of position " + std::to_string(first->value) +
                    ": the front of the log was removed",
                "fork it there or later");
  }
  auto state = state_at(log, folder, *first);
  if (!state) return std::unexpected(state.error());
  Beginning beginning{
      .base = *base,
      .state = std::move(*state),
      .origin = {.timeline = log.timeline(), .position = options.at, .forked = options.now}};
  if (!options.at) return beginning;
  auto chain = chain_at(log, options.at);
  if (!chain) return std::unexpected(chain.error());
  beginning.origin.chain = *chain;
  return beginning;
}

// Copies the events behind the base up to a position, frame by frame, and folds those that are
// behind `state`.
Result<void> copy_events(const Log& log, Position through, LogImport& copy, State& state) {
  if (copy.tail().last == through) return {};
  return log.read_frames(copy.tail().last.next(), [&](const FrameReader& frame) -> Result<bool> {
    const FrameHeader& header = frame.header();
    if (header.first != copy.tail().last.next()) {
      return fail(ErrorCode::conflict, "the log was trimmed while it was copied", "fork it again");
    }
    std::vector<Event> events(
        std::min<std::uint64_t>(header.count, through.value - header.first.value + 1));
    for (std::uint32_t i = 0; i < events.size(); ++i) {
      if (auto read = frame.read(i, events[i]); !read) return std::unexpected(read.error());
      const RecordedEvent recorded{Position(header.first.value + i), events[i]};
      if (recorded.position > state.position) fold_into(state, recorded);
    }
    if (auto added = copy.add(header.time, std::move(events)); !added) {
      return std::unexpected(added.error());
    }
    return copy.tail().last < through;
  });
}

// What makes a past its own: no attempt runs, and no engine.
std::vector<Event> parting_events(const State& state, const ForkOptions& options,
                                  std::string_view reason, ForkReport& report) {
  const Time at = std::max(options.now, state.time);
  std::vector<Event> events;
  for (const RunningKey& key : state.tasks.running) {
    const Task& task = *state.tasks.all.find(key.id);
    const bool is_told_to_stop = task.state == TaskState::cancelling;
    if (options.running == RunningTasks::requeue && !is_told_to_stop) {
      events.push_back(
          {.at = at, .body = TaskHandedBack{key.id, task.lease, HandBackReason::forked}});
      report.requeued += 1;
      continue;
    }
    if (!is_told_to_stop) events.push_back({.at = at, .body = TaskCancelRequested{key.id, reason}});
    events.push_back({.at = at, .body = TaskCancelled{.id = key.id, .reason = reason}});
    report.cancelled += 1;
  }
  if (state.engine.running) events.push_back({.at = at, .body = EngineStopped{}});
  return events;
}

Result<void> keep_beginning(const fs::path& folder, const State& state) {
  auto log = Log::open(folder, {.access = Access::read});
  if (!log) return std::unexpected(log.error());
  auto kept = keep_checkpoint(**log, folder, state);
  return kept ? Result<void>() : std::unexpected(kept.error());
}

}  // namespace

Result<ForkReport> fork_log(const Log& log, const fs::path& origin, const fs::path& folder,
                            const ForkOptions& options) {
  auto beginning = find_beginning(log, origin, options);
  if (!beginning) return std::unexpected(beginning.error());
  ForkReport report{.origin = beginning->origin};
  fill_random(report.timeline);
  auto copy = LogImport::begin(folder, report.timeline, beginning->base);
  if (!copy) return std::unexpected(copy.error());
  if (auto said = (*copy)->set_origin(report.origin); !said) {
    return std::unexpected(said.error());
  }
  auto indexed = log.read_removed([&](const IndexRecord& record) -> Result<bool> {
    auto added = (*copy)->add_removed(record);
    return added ? Result<bool>(true) : std::unexpected(added.error());
  });
  if (!indexed) return std::unexpected(indexed.error());
  State state = beginning->state;
  if (auto copied = copy_events(log, options.at, **copy, state); !copied) {
    return std::unexpected(copied.error());
  }
  const std::string reason =
      "it was running when the log was forked at position " + std::to_string(options.at.value);
  auto events = parting_events(state, options, reason, report);
  if (!events.empty()) {
    const Time at = events.front().at;
    if (auto added = (*copy)->add(at, std::move(events)); !added) {
      return std::unexpected(added.error());
    }
  }
  report.last = (*copy)->tail().last;
  LogImport::Also also;
  if (beginning->base.last) {
    also = [&](const fs::path& made) { return keep_beginning(made, beginning->state); };
  }
  if (auto finished = (*copy)->finish(also); !finished) return std::unexpected(finished.error());
  return report;
}

}  // namespace almanac
