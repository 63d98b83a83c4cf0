#include <almanac/tests/disk/archived_story.h>

#include <almanac/log/verify.h>
#include <almanac/snapshots/archive_follower.h>
#include <almanac/snapshots/archive_verify.h>
#include <almanac/snapshots/checkpoints.h>
#include <almanac/snapshots/state_at.h>
#include <almanac/tests/support/test_log.h>
#include <almanac/tests/support/trimmed_log.h>

#include <algorithm>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

std::string text_of(Position position) { return std::to_string(position.value); }

std::string damage_in(const ArchiveVerification& verified) {
  for (const CheckedSnapshot& each : verified.snapshots) {
    if (!each.whole()) return describe(each.damage.front());
  }
  for (const CheckedTail& each : verified.tails) {
    if (!each.whole()) return describe(each.damage.front());
  }
  return "";
}

// What no manifest names, or what has no name yet.
std::string leftover_in(const fs::path& store) {
  const auto repository = Repository::open(store, Access::read);
  if (!repository) return describe(repository.error());
  const auto leftovers = repository->unreferenced();
  if (!leftovers) return describe(leftovers.error());
  if (!leftovers->empty()) return "nothing names " + leftovers->front().path().string();
  for (const auto& entry : fs::recursive_directory_iterator(store)) {
    if (entry.path().extension() == ".writing") return entry.path().string() + " is still there";
  }
  return "";
}

}  // namespace

void ArchivedStory::work(std::uint64_t count) {
  TestLog log(place());
  for (; count > 0; --count) {
    const std::size_t told = story_.events().size();
    story_.enqueue({.id = ++tasks_});
    if (tasks_ % 2 == 0 && story_.start(tasks_)) story_.succeed(tasks_);
    for (std::size_t i = told; i < story_.events().size(); ++i) {
      fold_into(state_, story_.events()[i]);
      digests_.push_back(digest(state_));
      ALMANAC_CHECK(log.append({story_.events()[i].event}));
    }
  }
}

void ArchivedStory::trim() {
  std::vector<Event> events;
  for (const RecordedEvent& recorded : story_.events()) events.push_back(recorded.event);
  fs::remove_all(place());
  write_trimmed(place(), events, Position(end().value / 2));
  auto log = Log::open(place(), {.access = Access::read});
  ALMANAC_CHECK(log && keep_checkpoint(**log, place(), state_));
}

Result<SnapshotReport> ArchivedStory::snapshot(const fs::path& store) const {
  auto log = Log::open(place(), {.access = Access::read});
  if (!log) return std::unexpected(log.error());
  auto repository = Repository::open(store, Access::write);
  if (!repository) return std::unexpected(repository.error());
  return create_snapshot(**log, place(), *repository, {.made_at = story_.now()});
}

// A follower that is told to end has one try to archive what is left.
Result<void> ArchivedStory::ship(const fs::path& store,
                                 const std::function<void(Position)>& told) const {
  auto log = Log::open(place(), {.access = Access::read});
  if (!log) return std::unexpected(log.error());
  ArchiveFollower follower(
      {.log = **log,
       .folder = place(),
       .open_repository = [&](Access access) { return Repository::open(store, access); }},
      {.clock = [this] { return story_.now(); },
       .report =
           [&](const FollowStatus& status) {
             if (told) told(status.archived.last);
           }});
  follower.stop();
  const FollowStatus status = follower.status();
  if (status.failure) return std::unexpected(*status.failure);
  return {};
}

Result<RestoreReport> ArchivedStory::restore_to(const fs::path& target, Position at,
                                                const fs::path& store) const {
  const auto repository = Repository::open(store, Access::read);
  if (!repository) return std::unexpected(repository.error());
  const auto plan = plan_restore(*repository, {.moment = at});
  if (!plan) return std::unexpected(plan.error());
  return restore(*repository, *plan, target, {.now = story_.now(), .replace = true});
}

std::string ArchivedStory::problem_of(const fs::path& store, Position archived) const {
  const auto repository = Repository::open(store, Access::read);
  if (!repository) return describe(repository.error());
  const auto verified = verify_archive(*repository, {});
  if (!verified) return describe(verified.error());
  if (auto damage = damage_in(*verified); !damage.empty()) return damage;
  const auto plan = plan_restore(*repository, {});
  if (!plan) return describe(plan.error());
  if (plan->at < archived) return "archived up to " + text_of(plan->at) + " only";
  const auto preview = preview_restore(*repository, *plan, {.now = story_.now()});
  if (!preview) return describe(preview.error());
  if (digest(preview->newest) == digest_at(plan->at)) return "";
  return "the archive gives another state";
}

std::string ArchivedStory::problem_of_restored(const fs::path& target, Position at) const {
  const auto log = Log::open(target, {.access = Access::read});
  if (!log) return describe(log.error());
  if (auto verified = verify(**log); !verified) return describe(verified.error());
  const auto state = state_at(**log, target, at);
  if (!state) return describe(state.error());
  return digest(*state) == digest_at(at) ? "" : "what was restored has another state";
}

std::string ArchivedStory::problem_of_going_on(const fs::path& store,
                                               const fs::path& target) const {
  const auto made = snapshot(store);
  if (!made) return describe(made.error());
  if (made->manifest.tail.last != end()) return "the new snapshot is too short";
  if (auto problem = problem_of(store, end()); !problem.empty()) return problem;
  if (auto leftover = leftover_in(store); made->made && !leftover.empty()) return leftover;
  if (auto restored = restore_to(target, end(), store); !restored) {
    return describe(restored.error());
  }
  return problem_of_restored(target, end());
}

std::optional<Timeline> timeline_in(const fs::path& folder) {
  const auto log = Log::open(folder, {.access = Access::read});
  return log ? std::optional((*log)->timeline()) : std::nullopt;
}

bool has_log(const fs::path& folder, const std::optional<Timeline>& timeline) {
  return std::ranges::any_of(fs::directory_iterator(folder), [&](const auto& entry) {
    return timeline_in(entry.path()) == timeline;
  });
}

}  // namespace almanac::test
