// Restores from a real archive: the state that was there, at any moment; and what is refused.
#include <almanac/engine/engine.h>
#include <almanac/log/hash.h>
#include <almanac/log/verify.h>
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/checkpoints.h>
#include <almanac/snapshots/rebuild.h>
#include <almanac/snapshots/restore.h>
#include <almanac/snapshots/state_at.h>
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/story.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>
#include <almanac/tests/support/trimmed_log.h>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

// A log that was archived three times, and the digest its state had at each position.
class Restore : public ::testing::Test {
 protected:
  Restore() {
    story.tell(EngineStarted{"0.1.0", 4711, 4, 42});
    for (int i = 0; i < 3; ++i) {
      work(20);
      archive();
    }
  }

  // So many tasks come; every second one starts, and all of those but the last two end.
  void work(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) story.enqueue({.id = ++tasks});
    for (std::uint64_t id = 2; id <= tasks; id += 2) {
      if (story.start(id) && id + 2 < tasks) story.succeed(id);
    }
    // Frames of seven events, so that most positions lie inside one.
    std::vector<Event> frame;
    for (auto at = state.position.value; at < story.events().size(); ++at) {
      const RecordedEvent& recorded = story.events()[at];
      fold_into(state, recorded);
      digests.push_back(digest(state));
      frame.push_back(recorded.event);
      if (frame.size() < 7 && at + 1 < story.events().size()) continue;
      ASSERT_TRUE(log.append(std::exchange(frame, {})));
    }
    ASSERT_TRUE(log.wait_for(state.position).through == state.position);
  }
  void archive(bool full = false) {
    auto repository = Repository::open(store(), Access::write);
    auto made = create_snapshot(*log, place(), *repository, {.made_at = story.now(), .full = full});
    ASSERT_TRUE(made) << describe(made.error());
    ends.push_back(made->manifest.tail.last);
  }

  [[nodiscard]] fs::path place() const { return folder / "log"; }
  [[nodiscard]] fs::path store() const { return folder / "backup"; }
  [[nodiscard]] fs::path other(const std::string& name = "restored") const { return folder / name; }
  [[nodiscard]] Repository repository() const {
    return std::move(*Repository::open(store(), Access::read));
  }
  [[nodiscard]] fs::path segment(std::uint64_t snapshot) const {
    const SegmentRecord record = repository().manifest(snapshot)->segments.back();
    return repository().path_of(name_of(record.header, record.file));
  }
  static void damage(const fs::path& file) {
    std::string bytes = read_file(file);
    bytes[bytes.size() / 2] ^= 1;
    write_file(file, bytes);
  }

  Result<RestoreReport> try_restore(const RestorePoint& point, const RestoreOptions& options = {},
                                    const std::string& name = "restored") {
    const Repository from = repository();
    auto plan = plan_restore(from, point);
    if (!plan) return std::unexpected(plan.error());
    return almanac::restore(from, *plan, other(name), options);
  }
  // Restores a moment, looks at what that gave, and removes it.
  void expect_restored(const RestorePoint& point, Position at,
                       std::optional<ReviewDecision> decision = {}) {
    auto report = try_restore(point, {.decision = decision, .now = story.now()});
    ASSERT_TRUE(report) << describe(report.error());
    const Digest expected = at ? digests[at.value - 1] : digest(State());
    EXPECT_EQ(digest(report->state), expected) << at.value;
    auto made = Log::open(other(), {.access = Access::read});
    ASSERT_TRUE(made) << describe(made.error());
    EXPECT_TRUE(verify(**made));
    EXPECT_EQ(digest(*state_at(**made, other(), at)), expected) << at.value;
    auto end = state_at(**made, other());
    EXPECT_EQ((*made)->tail()->last, report->branch.last);
    EXPECT_EQ(end->ignored, report->state.ignored);
    EXPECT_TRUE(end->tasks.running.empty() && !end->engine.running) << at.value;
    EXPECT_NE((*made)->timeline(), log->timeline());
    const LogOrigin origin{.timeline = log->timeline(),
                           .position = at,
                           .chain = at ? *chain_at(*log, at) : Digest{},
                           .forked = story.now()};
    EXPECT_EQ((*made)->origin().value(), origin) << at.value;
    made->reset();
    fs::remove_all(other());
  }
  // The error of one that leaves nothing behind.
  Error refused(const RestorePoint& point, const std::string& name = "restored") {
    auto report = try_restore(point, {.now = story.now()}, name);
    EXPECT_FALSE(report);
    EXPECT_FALSE(fs::exists(other(name)));
    EXPECT_FALSE(fs::exists(other(name + ".importing")));
    return report ? Error{} : report.error();
  }
  ErrorCode code_at(std::variant<std::monostate, Position, Time> moment) {
    return refused({.moment = moment}).code;
  }

  TempFolder folder;
  Story story;
  State state;
  std::vector<Digest> digests;  // at positions 1, 2, …
  std::vector<Position> ends;   // of the snapshots
  std::uint64_t tasks = 0;
  TestLog log{folder / "log"};
};

TEST_F(Restore, GivesTheStateThatWasThereAtAnyPosition) {
  const int rounds = std::getenv("ALMANAC_CAMPAIGN") != nullptr ? 2'000 : 50;
  std::mt19937_64 random(std::random_device{}());
  for (Position at : {Position(), Position(1), ends[0], ends[0].next(), ends[1], ends[2]}) {
    expect_restored({.moment = at}, at);
  }
  for (int i = 0; i < rounds && !HasFailure(); ++i) {
    const Position at(random() % (ends[2].value + 1));
    const auto decision = i % 2 == 0 ? std::nullopt : std::optional(ReviewDecision(i % 3));
    expect_restored({.moment = at}, at, decision);
  }
}

// What its readers saw while it ran, failures and all, is what comes back.
TEST_F(Restore, GivesWhatAnEngineHadPublished) {
  std::map<Position, Digest> published;
  {
    auto engine = Engine::open({.folder = other("engine"), .slots = 4});
    ASSERT_TRUE(engine) << describe(engine.error());
    (*engine)->handle("work", [](const Attempt& attempt) {
      return attempt.id.value % 3 == 0 ? almanac::Outcome::failure("no")
                                       : almanac::Outcome::success();
    });
    for (int i = 0; i < 60; ++i) {
      ASSERT_TRUE((*engine)->submit(TaskSpec{.kind = "work"}));
      const auto seen = (*engine)->state();
      published.emplace(seen->position, digest(*seen));
    }
    EXPECT_TRUE((*engine)->wait([](const State& seen) { return seen.tasks.live() == 0; },
                                std::chrono::minutes(1)));
  }
  {
    auto made = Log::open(other("engine"), {.access = Access::read});
    ASSERT_TRUE(made) << describe(made.error());
    auto to = Repository::open(other("engine-backup"), Access::write);
    ASSERT_TRUE(create_snapshot(**made, other("engine"), *to, {.made_at = system_now()}));
  }
  EXPECT_GE(published.size(), 30U);
  auto from = Repository::open(other("engine-backup"), Access::read);
  for (const auto& [at, expected] : published) {
    auto plan = plan_restore(*from, {.moment = at});
    ASSERT_TRUE(plan) << describe(plan.error());
    auto report = almanac::restore(*from, *plan, other(), {.now = system_now()});
    ASSERT_TRUE(report) << describe(report.error());
    EXPECT_EQ(digest(report->state), expected) << at.value;
    fs::remove_all(other());
  }
}

TEST_F(Restore, TakesATimeForTheLastEventThatIsNotYounger) {
  for (std::uint64_t at = 1; at <= ends[2].value; at += 9) {
    const Time time = story.events()[at - 1].event.at;
    EXPECT_EQ(plan_restore(repository(), {.moment = time})->at, Position(at));
    auto between = plan_restore(repository(), {.moment = time + Duration(1)});
    EXPECT_EQ(between->at, Position(at)) << "nothing happened until a second later";
  }
  EXPECT_EQ(plan_restore(repository(), {.moment = story.now()})->at, ends[2]);
  expect_restored({.moment = story.events()[40].event.at}, Position(41));
}

TEST_F(Restore, TakesTheEndOfASnapshotWhenNoMomentIsNamed) {
  expect_restored({}, ends[2]);
  expect_restored({.snapshot = 2}, ends[1]);
}

TEST_F(Restore, PlansWithoutWriting) {
  auto plan = plan_restore(repository(), {.moment = ends[0].next()});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->manifest.number, 3U);
  EXPECT_EQ(plan->files, 2U);
  EXPECT_EQ(plan->bytes, fs::file_size(segment(1)) + fs::file_size(segment(2)));
  EXPECT_EQ(plan->compared->snapshot, 1U);
  EXPECT_EQ(plan->compared->position, ends[0]);
  EXPECT_FALSE(fs::exists(other()));
}

TEST_F(Restore, OfARestoredLogGoesOn) {
  ASSERT_TRUE(
      try_restore({.moment = Position(50)}, {.decision = ReviewDecision::run, .now = story.now()}));
  {
    auto engine = Engine::open({.folder = other(), .slots = 4});
    ASSERT_TRUE(engine) << describe(engine.error());
    (*engine)->handle("work", [](const Attempt&) { return almanac::Outcome::success(); });
    EXPECT_TRUE((*engine)->wait([](const State& seen) { return seen.tasks.live() == 0; },
                                std::chrono::minutes(1)));
  }
  // And is archived beside the log it is from.
  auto made = Log::open(other(), {.access = Access::read});
  auto to = Repository::open(store(), Access::write);
  ASSERT_TRUE(create_snapshot(**made, other(), *to, {.made_at = story.now()}));
  auto report = try_restore({}, {.now = story.now()}, "again");
  ASSERT_TRUE(report) << describe(report.error());
  EXPECT_EQ(report->branch.origin.timeline, (*made)->timeline());
}

TEST_F(Restore, RefusesMomentsThatAreNotArchived) {
  work(1);
  EXPECT_EQ(code_at(ends[2].next()), ErrorCode::not_found);
  EXPECT_EQ(code_at(story.now()), ErrorCode::not_found) << "what happened since is not there";
  EXPECT_EQ(code_at(story.events()[0].event.at - Duration(1)), ErrorCode::not_found);
  EXPECT_EQ(refused({.snapshot = 1, .moment = ends[0].next()}).code, ErrorCode::not_found);
  EXPECT_EQ(refused({.snapshot = 9}).code, ErrorCode::not_found);
  fs::remove_all(store() / "manifests");
  EXPECT_EQ(refused({}).code, ErrorCode::not_found);
}

TEST_F(Restore, RefusesFoldersThatAreThereOrLeadElsewhere) {
  fs::create_directory(other());
  write_file(other() / "letter", "dear");
  auto used = try_restore({});
  EXPECT_EQ(code_of(used), "conflict");
  EXPECT_EQ(read_file(other() / "letter"), "dear");
  EXPECT_EQ(code_of(try_restore({}, {}, "log")), "conflict");
  fs::create_directory(other("empty"));
  fs::create_directory_symlink(other("empty"), other("link"));
  EXPECT_EQ(code_of(try_restore({}, {}, "link")), "refused");
  EXPECT_EQ(code_of(try_restore({}, {}, "link/")), "refused");
  fs::create_directory_symlink(store(), other("way"));
  for (const char* inside : {"backup/restored", "way/restored", "empty/../backup/a/b"}) {
    EXPECT_EQ(refused({}, inside).code, ErrorCode::refused) << inside;
  }
  EXPECT_TRUE(fs::is_empty(other("empty")));
}

TEST_F(Restore, NamesEveryDamagedFile) {
  fs::remove(segment(1));
  damage(segment(3));
  const Error error = refused({});
  EXPECT_EQ(error.code, ErrorCode::corrupt);
  EXPECT_NE(error.message.find(segment(1).string()), std::string::npos) << error.message;
  EXPECT_EQ(error.message.find(segment(2).string()), std::string::npos) << error.message;
  EXPECT_NE(error.message.find(segment(3).string()), std::string::npos) << error.message;
}

TEST_F(Restore, NeedsNothingFromBehindTheMoment) {
  fs::remove(segment(3));
  expect_restored({.moment = ends[1]}, ends[1]);
  expect_restored({.moment = Position(5)}, Position(5));
}

TEST_F(Restore, RefusesANewestManifestThatCannotBeRead) {
  damage(store() / "manifests/3");
  EXPECT_EQ(refused({}).code, ErrorCode::corrupt);
  expect_restored({.snapshot = 2}, ends[1]);
  const Manifest third = *repository().manifest(2);
  std::string text = encode(third);
  text.replace(text.find("manifest\":1") + 10, 1, "2");
  write_file(store() / "manifests/3", text + "\nblake2b " + to_hex(blake2b(as_bytes(text))) + "\n");
  EXPECT_EQ(refused({}).code, ErrorCode::newer_format);
}

// A log that was put back from a copy and archived anew: of one timeline, but of another past.
TEST_F(Restore, ComparesNothingWithAnotherPast) {
  const auto archived = [&](const std::string& name, std::uint64_t number) {
    TestLog appended(other(name));
    ASSERT_TRUE(appended.append(numbered_events(number, 1)));
    auto to = Repository::open(other("pasts"), Access::write);
    ASSERT_TRUE(create_snapshot(*appended, other(name), *to, {.made_at = Time(), .full = true}));
  };
  ASSERT_TRUE(TestLog(other("one")).append(numbered_events(1, 3)));
  fs::copy(other("one"), other("two"), fs::copy_options::recursive);
  archived("one", 10);
  archived("two", 20);
  archived("two", 30);
  auto from = Repository::open(other("pasts"), Access::read);
  auto plan = plan_restore(*from, {.moment = Position(4)});
  ASSERT_TRUE(plan) << describe(plan.error());
  EXPECT_EQ(plan->manifest.number, 3U);
  ASSERT_TRUE(plan->compared);
  EXPECT_EQ(plan->compared->snapshot, 2U) << "the first is of another past";
  EXPECT_EQ(plan->next->snapshot, 2U);
  EXPECT_TRUE(almanac::restore(*from, *plan, other(), {}));
}

TEST_F(Restore, NoticesAStateThatWasNotTheOneArchived) {
  Manifest second = *repository().manifest(2);
  second.state[0] ^= std::byte{1};
  auto archive = Repository::open(store(), Access::write);
  ASSERT_TRUE(archive->remove(2));
  ASSERT_TRUE(archive->add(second));
  const Error error = refused({.moment = ends[1].next()});
  EXPECT_EQ(error.code, ErrorCode::corrupt);
  EXPECT_NE(error.message.find("snapshot 2"), std::string::npos) << error.message;
  expect_restored({.moment = Position(ends[1].value - 1)}, Position(ends[1].value - 1));
}

// What it needs of an archive with damaged states is the frames.
TEST_F(Restore, FoldsFromTheLastStateThatCanBeRead) {
  const auto folded_from = [&](bool proves_state = false) {
    auto report =
        try_restore({.moment = ends[1].next()}, {.now = story.now(), .proves_state = proves_state});
    EXPECT_TRUE(report) << describe(report.error());
    EXPECT_EQ(digest(report->state), digests[ends[1].value]);
    fs::remove_all(other());
    return report->folded_from;
  };
  const auto remove_state = [&](std::uint64_t snapshot) {
    const Manifest manifest = *repository().manifest(snapshot);
    fs::remove(repository().path_of(name_of(manifest.timeline, manifest.checkpoint)));
  };
  EXPECT_EQ(folded_from(), ends[1]);
  EXPECT_EQ(folded_from(true), ends[0]);
  remove_state(2);
  EXPECT_EQ(folded_from(), ends[0]);
  remove_state(1);
  EXPECT_EQ(folded_from(), Position());
}

// The log was trimmed behind its last snapshot: the archive has a gap, and begins anew behind it.
TEST_F(Restore, BeginsAtAStateWhereTheFrontIsNotArchived) {
  std::vector<Event> events;
  for (const RecordedEvent& recorded : story.events()) events.push_back(recorded.event);
  const auto backup = [&](Position removed, Position through) {
    const auto name = "trimmed-" + std::to_string(through.value);
    write_trimmed(other(name), {events.begin(), events.begin() + std::ptrdiff_t(through.value)},
                  removed);
    auto trimmed = Log::open(other(name), {.access = Access::read});
    for (const Position kept : {removed, through}) {
      ASSERT_TRUE(keep_checkpoint(**trimmed, other(name), *rebuild(*log, {.through = kept})));
    }
    auto to = Repository::open(store(), Access::write);
    auto made = create_snapshot(**trimmed, other(name), *to, {.made_at = story.now()});
    ASSERT_TRUE(made) << describe(made.error());
  };
  backup(Position(30), Position(60));
  for (std::uint64_t end = 65; end <= 105; end += 5) backup(Position(30), Position(end));
  const auto early = refused({.moment = Position(59)});
  EXPECT_EQ(early.code, ErrorCode::refused) << early.message;
  EXPECT_EQ(code_at(Position(29)), ErrorCode::not_found);
  // So often that segments were merged, and none ends any more where the first state is.
  ASSERT_GT(repository().manifest(repository().numbers().front())->segments[0].header.last,
            Position(60));
  for (const Position at : {Position(60), Position(75), Position(105)}) {
    auto report = try_restore({.moment = at}, {.now = story.now()});
    ASSERT_TRUE(report) << describe(report.error());
    EXPECT_EQ(digest(report->state), digests[at.value - 1]) << at.value;
    auto made = Log::open(other(), {.access = Access::read});
    EXPECT_EQ((*made)->first(), Position(31));
    EXPECT_EQ(first_state_position(**made, other()), Position(60));
    EXPECT_EQ(digest(*state_at(**made, other(), at)), digests[at.value - 1]);
    made->reset();
    fs::remove_all(other());
  }
}

// While it copies, and while it reads again what it wrote.
TEST_F(Restore, StopsWhenItIsToldTo) {
  for (const Position at : {Position(30), ends[2]}) {
    std::stop_source stop;
    RestoreOptions options{.now = story.now(), .stop = stop.get_token()};
    options.progress = [&](const RestoreProgress& progress) {
      EXPECT_FALSE(stop.stop_requested()) << progress.through.value;
      EXPECT_EQ(progress.last, ends[2]);
      if (progress.through >= at) stop.request_stop();
    };
    EXPECT_EQ(code_of(try_restore({}, options)), "stopped");
    EXPECT_FALSE(fs::exists(other()));
    EXPECT_FALSE(fs::exists(other("restored.importing")));
  }
}

// `almanac snapshot restore` where no file may grow beyond so many pages: a write behind that
// fails, or the kernel kills who writes.
class RestoreWithoutRoom : public Restore {
 protected:
  [[nodiscard]] almanac::test::CommandOutput restore_within(rlim_t pages,
                                                            sighandler_t on_excess) const {
    return run_almanac(
        {.arguments = {"snapshot", "restore", "--repository", "backup", "--to", "restored"},
         .folder = folder.path(),
         .input = {},
         .in_child = files_end_after(pages, on_excess)});
  }
};

TEST_F(RestoreWithoutRoom, LeavesNothing) {
  rlim_t pages = 1;
  for (; restore_within(pages, SIG_IGN).code != 0; ++pages) {
    ASSERT_FALSE(fs::exists(other())) << pages;
    ASSERT_FALSE(fs::exists(other("restored.importing"))) << pages;
  }
  EXPECT_GT(pages, 5U);
  EXPECT_TRUE(verify(**Log::open(other(), {.access = Access::read})));
}

TEST_F(RestoreWithoutRoom, KilledOnItsWayLeavesNothingUnderItsName) {
  int killed = 0;
  for (rlim_t pages = 1;; ++pages) {
    const int code = restore_within(pages, SIG_DFL).code;
    if (code == 0) break;
    ASSERT_FALSE(fs::exists(other())) << pages;
    if (code != -SIGXFSZ) continue;  // the write was cut short, and the next one not tried
    ++killed;
    ASSERT_TRUE(fs::exists(other("restored.importing"))) << pages;
    expect_restored({}, ends[2]);
  }
  EXPECT_GT(killed, 0);
}

}  // namespace
}  // namespace almanac::test
