#include <almanac/bench/snapshots/archiving.h>

#include <almanac/bench/require.h>
#include <almanac/bench/snapshots/appends.h>
#include <almanac/bench/stopwatch.h>
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/archive_follower.h>

#include <algorithm>
#include <future>
#include <iterator>

namespace almanac::bench {
namespace {

namespace fs = std::filesystem;

// Follows the log while `appends` runs, and has archived all of it then. What was appended before
// is archived first: it is no work of those that are measured.
void follow_while(Log& log, const fs::path& folder, const std::function<void()>& appends) {
  const Position before = log.tail()->last;
  std::promise<void> caught_up;
  ArchiveFollower follower(
      {.log = log,
       .folder = folder,
       .open_repository =
           [&](Access access) { return Repository::open(folder / "backup", access); }},
      {.report = [&, is_told = false](const FollowStatus& status) mutable {
        if (is_told || status.archived.last < before) return;
        is_told = true;
        caught_up.set_value();
      }});
  caught_up.get_future().wait();
  appends();
  follower.stop();
  const auto status = follower.status();
  require(!status.failure, status.failure ? describe(*status.failure) : "");
  require(status.archived.last == log.tail()->last, "something is not archived");
}

}  // namespace

void measure_archiving(Measured& measured, const Sizes& sizes, Log& log, const fs::path& folder) {
  {
    auto repository = Repository::open(folder / "backup", Access::write);
    require(repository.has_value(), "there is no repository");
    auto made = create_snapshot(log, folder, *repository, {.made_at = system_now()});
    require(made.has_value(), made ? "" : describe(made.error()));
  }
  std::vector<double> alone;
  std::vector<double> followed;
  auto append = [&](std::vector<double>& to) {
    const Stopwatch watch;
    std::ranges::copy(append_while(log, [&] { return watch.seconds() < sizes.append_seconds; }),
                      std::back_inserter(to));
  };
  for (int round = 0; round < sizes.rounds; ++round) {
    append(alone);
    follow_while(log, folder, [&] { append(followed); });
    measured.append_rates.push_back(append_rate(log, sizes.append_seconds));
    follow_while(log, folder, [&] {
      measured.append_followed_rates.push_back(append_rate(log, sizes.append_seconds));
    });
  }
  measured.append_unfollowed_p99_us = percentile(alone, 99);
  measured.append_followed_p99_us = percentile(followed, 99);
}

}  // namespace almanac::bench
