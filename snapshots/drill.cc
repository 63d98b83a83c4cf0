#include <almanac/snapshots/drill.h>

#include <almanac/snapshots/temporary_folder.h>

#include <random>
#include <string>
#include <utility>

namespace almanac {
namespace {

Result<RestorePlan> draw(const Repository& repository, std::uint64_t seed) {
  auto newest = plan_restore(repository, {});
  if (!newest) return newest;
  const Position first = newest->first ? newest->first->position : newest->manifest.first();
  std::mt19937_64 random(seed);
  const Position at(first.value + random() % (newest->at.value - first.value + 1));
  return plan_restore(repository, {.snapshot = {}, .moment = at});
}

// Whether the state leads to that of the next snapshot, if there is one.
Result<void> check_leads_on(const ArchivedLog& log, const RestorePlan& plan, State state,
                            const std::stop_token& stop) {
  if (!plan.next) return {};
  const ArchivedState& next = *plan.next;
  if (state.position < next.position) {
    auto read = log.read(state.position.next(), [&](const RecordedEvent& event) -> Result<bool> {
      if (stop.stop_requested()) return fail(ErrorCode::stopped, "the drill was stopped");
      fold_into(state, event);
      return state.position < next.position;
    });
    if (!read) return read;
  }
  if (digest(state) == next.digest) return {};
  return fail(ErrorCode::corrupt,
              "the state restored at position " + std::to_string(plan.at.value) +
                  " does not lead to that of snapshot " + std::to_string(next.snapshot),
              "`almanac snapshot verify` tells which snapshots are whole");
}

}  // namespace

Result<DrillReport> drill(const Repository& repository, const DrillOptions& options) {
  auto plan = draw(repository, options.seed);
  if (!plan) return std::unexpected(plan.error());
  auto workplace = TemporaryFolder::make(options.folder, "almanac-drill");
  if (!workplace) return std::unexpected(workplace.error());
  DrillReport report{.plan = std::move(*plan), .began = options.clock()};
  auto restored = restore(repository, report.plan, workplace->path() / "log",
                          {.now = report.began,
                           .progress = options.progress,
                           .stop = options.stop,
                           .proves_state = true});
  if (!restored) return std::unexpected(restored.error());
  report.took = options.clock() - report.began;
  report.restored = std::move(*restored);
  const ArchivedLog log(repository, report.plan.manifest);
  auto leads = check_leads_on(log, report.plan, report.restored.state, options.stop);
  if (!leads) return std::unexpected(leads.error());
  return report;
}

}  // namespace almanac
