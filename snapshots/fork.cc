#include <almanac/snapshots/fork.h>

#include <almanac/snapshots/rebuild.h>
#include <almanac/snapshots/state_at.h>
#include <almanac/snapshots/user_keys.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac {
namespace {

namespace fs = std::filesystem;

Result<LogBranch::Beginning> find_beginning(const Log& log, const fs::path& folder,
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
  return LogBranch::Beginning{
      .origin = {.timeline = log.timeline(), .position = options.at, .forked = options.now},
      .base = *base,
      .first = base->last ? std::optional(*state) : std::nullopt,
      .fold = {.start = std::move(*state)}};
}

// No attempt runs in the fork.
std::vector<Event> end_attempts(const State& state, const ForkOptions& options,
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
  stop_engine(state, at, events);
  return events;
}

Result<void> copy_events(const Log& log, Position through, LogBranch& branch) {
  if (branch.last() == through) return {};
  return log.read_frames(branch.last().next(), [&](const FrameReader& frame) -> Result<bool> {
    if (frame.header().first == branch.last().next()) return branch.add(frame);
    return fail(ErrorCode::conflict, "the log was trimmed while it was copied", "fork it again");
  });
}

}  // namespace

Result<ForkReport> fork_log(const Log& log, const fs::path& origin, const fs::path& folder,
                            const ForkOptions& options) {
  auto beginning = find_beginning(log, origin, options);
  if (!beginning) return std::unexpected(beginning.error());
  auto branch = LogBranch::begin(folder, std::move(*beginning));
  if (!branch) return std::unexpected(branch.error());
  auto indexed = log.read_removed([&](const IndexRecord& record) -> Result<bool> {
    auto added = branch->add_removed(record);
    return added ? Result<bool>(true) : std::unexpected(added.error());
  });
  if (!indexed) return std::unexpected(indexed.error());
  if (auto copied = copy_events(log, options.at, *branch); !copied) {
    return std::unexpected(copied.error());
  }
  if (auto folded = branch->read_back(); !folded) return std::unexpected(folded.error());
  ForkReport report;
  const std::string reason =
      "it was running when the log was forked at position " + std::to_string(options.at.value);
  auto made = branch->finish(end_attempts(branch->state(), options, reason, report),
                             [&](const fs::path& there) { return share_user_keys(origin, there); });
  if (!made) return std::unexpected(made.error());
  report.branch = *made;
  return report;
}

}  // namespace almanac
