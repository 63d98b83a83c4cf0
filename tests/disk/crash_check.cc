#include <almanac/tests/disk/crash_check.h>

#include <almanac/tests/disk/crash_point.h>
#include <almanac/tests/disk/state_folder.h>

#include <set>

namespace almanac::test {
namespace {

constexpr StateLimits few{.family_max = 12, .random_states = 8, .all_subsets_of_max = 5};

}  // namespace

CrashReport crash_everywhere(const CrashCheck& check, SectorPool& pool, const DiskFaults& faults) {
  CrashReport report;
  std::set<std::uint64_t> seen;
  ShadowDisk disk(pool, check.before, faults);
  std::uint64_t promised = 0;
  auto crash = [&](std::size_t step) {
    const CrashPoint point(disk, pool);
    point.each_state(few, step, [&](const StateChoice& choice) {
      if (!report.problem.empty()) return;
      if (!seen.insert(mix(point.hash(choice), promised)).second) return;
      const MemoryFolder found;
      StateFolder(found.path(), pool).make(point.image(choice));
      report.problem = check.problem_of(found.path(), promised);
      if (report.problem.empty()) return;
      report.problem += "\nbefore step " + std::to_string(step) + ": " + point.describe(choice);
    });
  };
  const auto& steps = check.recording.steps;
  for (std::size_t step = 0; step < steps.size(); ++step) {
    if (const auto* mark = std::get_if<Mark>(&steps[step])) {
      promised = mark->position;
      continue;
    }
    crash(step);
    disk.apply(std::get<RecordedCall>(steps[step]), step);
  }
  crash(steps.size());
  report.states = seen.size();
  return report;
}

}  // namespace almanac::test
