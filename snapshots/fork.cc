#include <almanac/snapshots/fork.h>

#include <almanac/snapshots/rebuild.h>
#include <almanac/snapshots/state_at.h>

#include <string>
#include <utility>

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
      .state = std::move(*state)};
}

Result<void> copy_events(const Log& log, Position through, LogBranch& branch) {
  if (branch.last() == through) return {};
  return log.read_frames(branch.last().next(), [&](const FrameReader& frame) -> Result<bool> {
    if (frame.header().first == branch.last().next()) return branch.add(frame);
    return fail(ErrorCode::conflict, "the log was trimmed while it was copied", "fork it again");
  });
}

}  // namespace

Result<BranchReport> fork_log(const Log& log, const fs::path& origin, const fs::path& folder,
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
  return branch->finish(options.running, "it was running when the log was forked at position " +
                                             std::to_string(options.at.value));
}

}  // namespace almanac
