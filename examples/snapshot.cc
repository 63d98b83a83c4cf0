// A log is archived beside its engine, and a log of a moment is made of that again.
#include <almanac/engine/engine.h>
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/archive_follower.h>
#include <almanac/snapshots/restore.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

int give_up(const almanac::Error& error) {
  std::fprintf(stderr, "%s\n", almanac::describe(error).c_str());
  return 1;
}

// [create]
// All that is new, beside the engine. A new repository has no keys unless it is given some.
almanac::Result<std::uint64_t> archive(const almanac::Engine& engine, const fs::path& folder,
                                       const fs::path& backup) {
  auto repository = almanac::Repository::open(backup, almanac::Access::write);
  if (!repository) return std::unexpected(repository.error());
  auto made = almanac::create_snapshot(engine.log(), folder, *repository,
                                       {.made_at = almanac::system_now()});
  if (!made) return std::unexpected(made.error());
  return made->manifest.number;
}
// [create]

// [restore]
// The log as it was at a position, in a folder of its own.
almanac::Result<almanac::State> restore_at(almanac::Position position, const fs::path& backup,
                                           const fs::path& to) {
  auto repository = almanac::Repository::open(backup, almanac::Access::read);
  if (!repository) return std::unexpected(repository.error());
  auto plan = almanac::plan_restore(*repository, {.moment = position});
  if (!plan) return std::unexpected(plan.error());
  auto restored = almanac::restore(*repository, *plan, to, {.now = almanac::system_now()});
  if (!restored) return std::unexpected(restored.error());
  return std::move(restored->state);
}
// [restore]

// [follow]
// Archives what is new twice a second, on a thread of its own, as long as the answer lives.
almanac::ArchiveFollower follow(const almanac::Engine& engine, const fs::path& folder,
                                const fs::path& backup) {
  return almanac::ArchiveFollower(
      {.log = engine.log(),
       .folder = folder,
       .open_repository =
           [backup](almanac::Access access) { return almanac::Repository::open(backup, access); }},
      {.every = 500ms});
}
// [follow]

// [schedule]
// An engine that does so by itself.
almanac::EngineOptions with_backups(const fs::path& folder, const fs::path& backup) {
  almanac::EngineOptions options{.folder = folder};
  options.backups.repository = backup;
  options.backups.jobs = {{.recurrence = *almanac::Recurrence::parse("every 15 minutes")}};
  return options;
}
// [schedule]

}  // namespace

int main(int argc, char** argv) {
  const fs::path base = argc > 1 ? argv[1] : "snapshot-example";
  auto engine = almanac::Engine::open(with_backups(base / "work", base / "scheduled"));
  if (!engine) return give_up(engine.error());
  (*engine)->handle("sum", [](const almanac::Attempt&) { return almanac::Outcome::success("3"); });
  auto task = (*engine)->submit({.kind = "sum", .payload = "1 + 2"});
  if (!task) return give_up(task.error());
  (*engine)->wait([](const almanac::State& state) { return state.tasks.live() == 0; });

  auto number = archive(**engine, base / "work", base / "backup");
  if (!number) return give_up(number.error());
  const auto enqueued = (*engine)->state()->tasks.all.find(task->id)->enqueued;
  auto before = restore_at(enqueued, base / "backup", base / "before");
  if (!before) return give_up(before.error());
  std::printf("snapshot %llu; the task is %s here and %s there\n",
              static_cast<unsigned long long>(*number),
              std::string(name((*engine)->state()->tasks.all.find(task->id)->state)).c_str(),
              std::string(name(before->tasks.all.find(task->id)->state)).c_str());
  auto follower = follow(**engine, base / "work", base / "backup");
  follower.stop();
  const auto lost = follower.status().loss_window(almanac::system_now());
  std::printf("%s would be lost with the log\n",
              lost > almanac::Duration(0) ? "something" : "nothing");
  return 0;
}
