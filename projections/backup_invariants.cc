#include <almanac/projections/backup_invariants.h>

#include <cstddef>
#include <string_view>

namespace almanac {

std::vector<std::string> broken_backups(const State& state) {
  std::vector<std::string> broken;
  std::size_t running = 0;
  for (const auto& [id, job] : state.backups.jobs) {
    const auto fails = [&, of = id](bool holds, std::string_view otherwise) {
      if (holds) return;
      broken.push_back("name " + std::to_string(of.value) + std::string(otherwise));
    };
    fails(state.names.contains(id), " is a backup's job and has no text");
    fails(job.is_scheduled() == (job.next != Time()), " is a job due without a schedule, or not");
    fails(!job.is_scheduled() || job.next > job.due, " is a job that is due a second time");
    fails(!job.running || (job.is_scheduled() && job.runs > 0), " is a job that runs unasked");
    fails(job.failures_in_row <= job.failures && job.failures <= job.runs,
          " is a job with more failures than runs");
    fails(job.succeeded <= job.ended && job.ended <= state.position,
          " is a job whose end is yet to be");
    running += job.running ? 1 : 0;
  }
  if (running > 1) broken.emplace_back("the engine runs more than one backup at once");
  return broken;
}

}  // namespace almanac
