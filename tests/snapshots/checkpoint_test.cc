// A state in a file: the same state again, or a refusal.
#include <almanac/projections/invariants.h>
#include <almanac/snapshots/checkpoint.h>
#include <almanac/snapshots/state_codec.h>
#include <almanac/tests/support/checkpoint_file.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/full_story.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace almanac::test {
namespace {

TEST(Checkpoint, GivesTheStateAtEveryPositionOfAStory) {
  const TempFolder folder;
  State state;
  const Story story = full_story(40);
  for (const RecordedEvent& event : story.events()) {
    fold_into(state, event);
    const auto read = written_and_read(folder / "one", state);
    EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(state))) << state.position.value;
    EXPECT_EQ(read.header.state, digest(state));
    EXPECT_EQ(read.header.chain, header_of(state).chain);
    EXPECT_EQ(read.header.timeline, header_of(state).timeline);
    EXPECT_TRUE(broken_invariants(read.state).empty()) << broken_invariants(read.state).front();
  }
}

TEST(Checkpoint, HoldsMoreTasksThanABlock) {
  const TempFolder folder;
  const Story story = full_story(3'000);
  const auto& tasks = story.tasks();
  ASSERT_FALSE(tasks.ready.empty() || tasks.due.empty() || tasks.running.empty() ||
               tasks.doomed.empty() || tasks.dependents.empty() || tasks.tagged.empty() ||
               tasks.held.empty() || tasks.keys.empty() || story.state().queues.slots.empty());
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  EXPECT_EQ(read.state.tasks.counts, tasks.counts);
  const auto broken = broken_invariants(read.state);
  EXPECT_TRUE(broken.empty()) << broken.front();
}

TEST(Checkpoint, HoldsTheTermsOfTasks) {
  const TempFolder folder;
  Story story = full_story(12);
  ASSERT_TRUE(story.tell(TaskEnqueued{.id = TaskId(1'000),
                                      .kind = "work",
                                      .queue = "default",
                                      .owner = "ann",
                                      .deadline = Time(Duration(50)),
                                      .estimate = Duration(7),
                                      .expires_at = Time(Duration(90)),
                                      .retry_policy = RetryPolicy::fixed,
                                      .crashes_max = 5}));
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  EXPECT_TRUE(read.state.tasks.terms == story.tasks().terms);
  EXPECT_TRUE(broken_invariants(read.state).empty()) << broken_invariants(read.state).front();
  State changed = story.state();
  changed.tasks.terms.set(TaskId(1'000), {});
  EXPECT_NE(to_hex(digest(changed)), to_hex(digest(story.state())));
}

TEST(Checkpoint, HoldsWhatAttemptsLeaveAndWhatIsPaused) {
  const TempFolder folder;
  Story story = full_story(12);
  const auto ignored = story.state().ignored;
  tell_attempts(story);
  ASSERT_EQ(story.state().ignored, ignored);
  const auto& tasks = story.tasks();
  ASSERT_FALSE(tasks.expiring.empty() || tasks.conditions.empty() || tasks.needed_by.empty() ||
               tasks.crashes.empty() || tasks.progress.empty() || tasks.terms.empty() ||
               tasks.unique.empty() || story.state().pauses.all.empty());
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  EXPECT_EQ(read.state.tasks.expiring.size(), tasks.expiring.size());
  EXPECT_TRUE(read.state.tasks.unique.all == tasks.unique.all);
  EXPECT_TRUE(read.state.tasks.unique.known == tasks.unique.known);
  EXPECT_TRUE(broken_invariants(read.state).empty()) << broken_invariants(read.state).front();
}

TEST(Checkpoint, HoldsHowLongQueuesKeepTasks) {
  const TempFolder folder;
  Story story = full_story(12);
  ASSERT_TRUE(story.tell(QueueConfigured{
      .queue = "even", .slots = 3, .retention = {Duration(7), retained_for_ever, Duration(0)}}));
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  EXPECT_TRUE(read.state.queues.retention == story.state().queues.retention);
  EXPECT_TRUE(broken_invariants(read.state).empty()) << broken_invariants(read.state).front();
  State without = story.state();
  without.queues.retention.clear();
  EXPECT_NE(to_hex(digest(without)), to_hex(digest(story.state())));
  EXPECT_TRUE(std::ranges::equal(encode(without),
                                 Bytes(encode(story.state())).first(encode(without).size())))
      << "what there was before is written as it always was";
}

TEST(Checkpoint, HoldsGroups) {
  const TempFolder folder;
  Story story = full_story(12);
  const auto ignored = story.state().ignored;
  tell_groups(story);
  ASSERT_EQ(story.state().ignored, ignored);
  const Groups& groups = story.tasks().groups;
  ASSERT_EQ(groups.all.size(), 3U);
  ASSERT_FALSE(groups.live.empty() || groups.waiting.empty());
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  EXPECT_TRUE(read.state.tasks.groups.all == groups.all);
  EXPECT_TRUE(read.state.tasks.groups.waits == groups.waits);
  EXPECT_EQ(read.state.tasks.groups.find("export"), groups.find("export"));
  EXPECT_TRUE(broken_invariants(read.state).empty()) << broken_invariants(read.state).front();
  const auto whole = encode(story.state());
  State without_groups = story.state();
  without_groups.tasks.groups = {};
  EXPECT_NE(to_hex(digest(without_groups)), to_hex(digest(story.state())));
  const auto without = encode(without_groups);
  ASSERT_TRUE(std::ranges::equal(without, Bytes(whole).first(without.size())))
      << "what there was before there were groups is written as it always was";
  for (std::size_t length = without.size() + 1; length < whole.size(); ++length) {
    EXPECT_FALSE(decode_state(Bytes(whole).first(length))) << "length " << length;
  }
}

TEST(Checkpoint, HoldsBackups) {
  const TempFolder folder;
  Story story = full_story(12);
  const auto ignored = story.state().ignored;
  tell_backups(story);
  ASSERT_EQ(story.state().ignored, ignored);
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  ASSERT_EQ(read.state.backups.jobs.size(), 3U);
  EXPECT_TRUE(read.state.backups.jobs == story.state().backups.jobs);
  EXPECT_TRUE(broken_invariants(read.state).empty()) << broken_invariants(read.state).front();
  const auto whole = encode(story.state());
  State without_jobs = story.state();
  without_jobs.backups = {};
  const auto without = encode(without_jobs);
  ASSERT_TRUE(std::ranges::equal(without, Bytes(whole).first(without.size())))
      << "what there was before there were backups is written as it always was";
  for (std::size_t length = without.size() + 1; length < whole.size(); ++length) {
    EXPECT_FALSE(decode_state(Bytes(whole).first(length))) << "length " << length;
  }
}

TEST(Checkpoint, HoldsImplementations) {
  const TempFolder folder;
  Story story = full_story(12);
  const auto ignored = story.state().ignored;
  tell_implementations(story);
  ASSERT_EQ(story.state().ignored, ignored);
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  EXPECT_TRUE(read.state.implementations.all == story.state().implementations.all);
  EXPECT_TRUE(read.state.tasks.run_by == story.tasks().run_by);
  ASSERT_EQ(read.state.implementations.all.size(), 2U);
  ASSERT_EQ(read.state.tasks.run_by.size(), 1U);
  EXPECT_TRUE(broken_invariants(read.state).empty()) << broken_invariants(read.state).front();
  State changed = story.state();
  changed.implementations = {};
  EXPECT_NE(to_hex(digest(changed)), to_hex(digest(story.state())));
  changed = story.state();
  changed.tasks.run_by.clear();
  EXPECT_NE(to_hex(digest(changed)), to_hex(digest(story.state())));
}

TEST(Checkpoint, HoldsWorkersElsewhere) {
  const TempFolder folder;
  Story story = full_story(12);
  const auto ignored = story.state().ignored;
  tell_remote(story);
  ASSERT_EQ(story.state().ignored, ignored);
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  EXPECT_TRUE(read.state.tasks.remote == story.tasks().remote);
  ASSERT_EQ(read.state.tasks.remote.size(), 2U);
  EXPECT_TRUE(broken_invariants(read.state).empty()) << broken_invariants(read.state).front();
  for (const RemoteLease& other : {RemoteLease{SharedText("render-2"), std::chrono::seconds(30)},
                                   RemoteLease{SharedText("render-1"), std::chrono::seconds(29)}}) {
    State changed = story.state();
    changed.tasks.remote.set(changed.tasks.last, other);
    EXPECT_NE(to_hex(digest(changed)), to_hex(digest(story.state())));
  }
}

TEST(Checkpoint, HoldsVersions) {
  const TempFolder folder;
  Story story = full_story(12);
  const auto ignored = story.state().ignored;
  tell_versions(story);
  ASSERT_EQ(story.state().ignored, ignored);
  ASSERT_EQ(story.tasks().blocked.size(), 2U);
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  EXPECT_TRUE(read.state.implementations.versions == story.state().implementations.versions);
  EXPECT_TRUE(read.state.tasks.terms == story.tasks().terms);
  EXPECT_TRUE(read.state.tasks.blocked == story.tasks().blocked);
  EXPECT_TRUE(broken_invariants(read.state).empty()) << broken_invariants(read.state).front();
  State changed = story.state();
  changed.implementations.versions.clear();
  EXPECT_NE(to_hex(digest(changed)), to_hex(digest(story.state())));
  changed = story.state();
  changed.tasks.terms.edit(story.tasks().last)->version = 5;
  EXPECT_NE(to_hex(digest(changed)), to_hex(digest(story.state())));
  changed = story.state();
  changed.tasks.blocked.clear();
  EXPECT_NE(to_hex(digest(changed)), to_hex(digest(story.state())));
}

TEST(Checkpoint, HoldsSchedules) {
  const TempFolder folder;
  Story story = full_story(12);
  const auto ignored = story.state().ignored;
  tell_schedules(story);
  ASSERT_EQ(story.state().ignored, ignored);
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  ASSERT_EQ(read.state.schedules.all.size(), 2U);
  EXPECT_TRUE(read.state.schedules.all == story.state().schedules.all);
  EXPECT_TRUE(broken_invariants(read.state).empty()) << broken_invariants(read.state).front();
  const auto whole = encode(story.state());
  State without_any = story.state();
  without_any.schedules = {};
  const auto without = encode(without_any);
  ASSERT_TRUE(std::ranges::equal(without, Bytes(whole).first(without.size())))
      << "what there was before there were schedules is written as it always was";
  for (std::size_t length = without.size() + 1; length < whole.size(); ++length) {
    EXPECT_FALSE(decode_state(Bytes(whole).first(length))) << "length " << length;
  }
}

TEST(Checkpoint, HoldsTheOrdersOfPolicies) {
  const TempFolder folder;
  Story story = full_story(40);
  const std::vector<QueueWeight> weights = {{"overdue", -50}, {"ann", 300}};
  for (const auto& [queue, policy] :
       {std::pair("even", QueuePolicy::urgency), {"odd", QueuePolicy::fair}}) {
    story.tell(QueueConfigured{.queue = queue,
                               .policy = policy,
                               .window = std::chrono::hours(1),
                               .weights = QueueWeightListView(weights)});
  }
  const Time deadline = story.now() + std::chrono::minutes(30);
  for (std::uint64_t id = 41; id <= 60; ++id) {
    story.enqueue({.id = id,
                   .queue = id % 2 == 0 ? "even" : "odd",
                   .owner = "ann",
                   .deadline = deadline + Duration(id)});
  }
  for (std::uint64_t id : {41, 43}) story.start(id);
  story.tell(TasksReranked{deadline - std::chrono::hours(1), TaskId()});
  const Ranking& ranking = story.tasks().ranking;
  ASSERT_FALSE(ranking.policies.empty() || ranking.changes.empty() || ranking.tags.empty() ||
               ranking.flows.empty() || ranking.virtual_times.empty());
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  EXPECT_EQ(broken_invariants(read.state), std::vector<std::string>());
  EXPECT_TRUE(ranking.policies == read.state.tasks.ranking.policies);
  State untagged = story.state();
  untagged.tasks.ranking.tags.clear();
  EXPECT_FALSE(decode_state(encode(untagged)).has_value());
}

TEST(Checkpoint, IsRefusedWithAnyByteFlipped) {
  const TempFolder folder;
  const State state = full_story(12).state();
  ASSERT_TRUE(write_checkpoint(folder / "one", header_of(state), state));
  const std::string whole = read_file(folder / "one");
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
    write_file(folder / "one", bytes);
    ASSERT_FALSE(read_checkpoint(folder / "one").has_value()) << "byte " << at;
  }
}

TEST(Checkpoint, IsRefusedCutAnywhereAndWithMoreBehindIt) {
  const TempFolder folder;
  const State state = full_story(12).state();
  ASSERT_TRUE(write_checkpoint(folder / "one", header_of(state), state));
  const std::string whole = read_file(folder / "one");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    write_file(folder / "one", whole.substr(0, length));
    ASSERT_FALSE(read_checkpoint(folder / "one").has_value()) << "length " << length;
  }
  write_file(folder / "one", whole + "x");
  EXPECT_FALSE(read_checkpoint(folder / "one").has_value());
}

TEST(Checkpoint, IsDecodedOnlyWhenItsHeaderIsAccepted) {
  const TempFolder folder;
  const State state = full_story(12).state();
  ASSERT_TRUE(write_checkpoint(folder / "one", header_of(state), state));
  std::optional<CheckpointHeader> asked;
  const auto refuse = [&](const CheckpointHeader& header) -> Result<void> {
    asked = header;
    return fail(ErrorCode::refused, "not this one");
  };
  EXPECT_EQ(code_of(read_checkpoint(folder / "one", refuse)), "refused");
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->position, state.position);
  EXPECT_EQ(asked->state, digest(state));
  asked.reset();
  write_file(folder / "one", read_file(folder / "one") + "x");
  EXPECT_EQ(code_of(read_checkpoint(folder / "one", refuse)), "corrupt");
  EXPECT_FALSE(asked) << "a header that nobody has checked";
}

TEST(StateCodec, MakesAnErrorOrSomeStateOfWhatItDidNotWrite) {
  const auto whole = encode(full_story(12).state());
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto bytes = whole;
    bytes[at] ^= std::byte{1} << at % 8;
    (void)decode_state(bytes);
    EXPECT_FALSE(decode_state(Bytes(whole).first(at))) << "length " << at;
  }
}

TEST(StateCodec, RefusesATaskInAStateThereIsNot) {
  State state;
  state.tasks.all.set(TaskId(1), {.state = static_cast<TaskState>(task_state_count)});
  EXPECT_FALSE(decode_state(encode(state)));
}

TEST(Checkpoint, LeavesNothingBehindWhereItCannotBeWritten) {
  const TempFolder folder;
  const State state = full_story(3).state();
  std::filesystem::create_directories(folder / "taken" / "inside");
  EXPECT_FALSE(write_checkpoint(folder / "taken", header_of(state), state));
  EXPECT_FALSE(std::filesystem::exists(folder / "taken.writing"));
}

TEST(ChainAt, IsTheDigestOfTheFrameThatHoldsThePosition) {
  const TempFolder folder;
  TestLog log(folder / "log");
  ASSERT_TRUE(log.append(numbered_events(1, 3)));
  const auto first = log->tail()->digest;
  ASSERT_TRUE(log.append(numbered_events(4, 3)));
  for (const std::uint64_t position : {1, 2, 3}) {
    EXPECT_EQ(*chain_at(*log, Position(position)), first);
  }
  EXPECT_EQ(*chain_at(*log, Position(4)), log->tail()->digest);
  for (const std::uint64_t position : {0, 7}) {
    EXPECT_EQ(chain_at(*log, Position(position)).error().code, ErrorCode::not_found);
  }
}

}  // namespace
}  // namespace almanac::test
