// States of checkpoints that are made as they are asked: the same states, and little of them made.
#include <almanac/projections/invariants.h>
#include <almanac/projections/persistent/node_pool.h>
#include <almanac/projections/state_diff.h>
#include <almanac/snapshots/checkpoint.h>
#include <almanac/snapshots/deferred_tasks.h>
#include <almanac/snapshots/state_codec.h>
#include <almanac/snapshots/tasks_codec.h>
#include <almanac/tests/support/checkpoint_file.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/full_story.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

constexpr std::uint64_t many_tasks = 60'000;

// So many that each of the large tables has more than one subtree: two lanes, a key for every
// second task, a tag for every third, some that run and some that have ended.
const Story& large_story() {
  static const Story* story = [] {
    auto* told = new Story();
    for (std::uint64_t id = 1; id <= many_tasks; ++id) {
      NewTask task{.id = id, .queue = id % 2 == 0 ? "even" : "odd"};
      if (id % 2 == 0) task.key = "order/" + std::to_string(id * 7'919);
      if (id % 3 == 0) task.tags = {"third"};
      if (id % 5 == 0) task.run_at = Time(std::chrono::hours(id));
      told->enqueue(task);
    }
    for (std::uint64_t id = 1; id <= many_tasks; id += 4) {
      if (told->start(id) && id % 8 == 1) told->succeed(id);
    }
    return told;
  }();
  return *story;
}

class DeferredState : public ::testing::Test {
 protected:
  void write(const State& state) { ASSERT_TRUE(write_checkpoint(file(), header_of(state), state)); }
  [[nodiscard]] State read(Loading loading = Loading::as_asked) const {
    auto found = read_checkpoint(file(), {}, loading);
    EXPECT_TRUE(found.has_value()) << describe(found.error());
    return found ? std::move(found->state) : State();
  }
  [[nodiscard]] std::filesystem::path file() const { return folder_ / "one"; }

 private:
  const TempFolder folder_;
};

TEST_F(DeferredState, IsTheStateThatWasWritten) {
  const State& state = large_story().state();
  write(state);
  const State asked = read();
  EXPECT_EQ(hex(asked), hex(state));
  EXPECT_EQ(asked.tasks.counts, state.tasks.counts);
  const auto broken = broken_invariants(asked);
  EXPECT_TRUE(broken.empty()) << broken.front();
}

TEST_F(DeferredState, AnswersQuestionsWithoutBeingMade) {
  write(large_story().state());
  const std::size_t before = node_pool::used_bytes();
  const State whole = read(Loading::whole);
  const std::size_t of_whole = node_pool::used_bytes() - before;
  const State asked = read();
  const Task* task = asked.tasks.all.find(TaskId(30'001));
  ASSERT_NE(task, nullptr);
  EXPECT_TRUE(*task == *whole.tasks.all.find(TaskId(30'001)));
  const KeyedTask* keyed = asked.tasks.keys.find("order/" + std::to_string(40'000 * 7'919));
  ASSERT_NE(keyed, nullptr);
  EXPECT_EQ(keyed->id, TaskId(40'000));
  EXPECT_FALSE(asked.tasks.keys.contains("order/1"));
  EXPECT_EQ(asked.tasks.ready.size(), whole.tasks.ready.size());
  EXPECT_EQ(*asked.tasks.ready.begin(), *whole.tasks.ready.begin());
  if (of_whole > 0) {
    EXPECT_LT(node_pool::used_bytes() - before - of_whole, of_whole / 2);
  }
}

TEST_F(DeferredState, GoesOnAsIfItHadBeenThere) {
  Story story = full_story(3'000);
  write(story.state());
  State asked = read();
  const auto at = story.events().size();
  for (std::uint64_t id = 10'001; id <= 10'400; ++id) {
    story.enqueue({.id = id, .queue = "even", .tags = {"new"}, .key = std::to_string(id)});
    if (story.start(id)) id % 2 == 0 ? story.succeed(id) : story.fail(id);
  }
  for (std::size_t i = at; i < story.events().size(); ++i) fold_into(asked, story.events()[i]);
  EXPECT_EQ(hex(asked), hex(story.state()));
}

TEST_F(DeferredState, OfManyTasksGoesOnToo) {
  Story story = large_story();
  write(story.state());
  State asked = read();
  const State kept = asked;
  const auto at = story.events().size();
  for (std::uint64_t id = 2; id <= many_tasks; id += 9) {
    if (story.start(id)) id % 2 == 0 ? story.succeed(id) : story.hand_back(id);
  }
  std::vector<std::uint64_t> ended;
  for (std::uint64_t id = 1; id <= many_tasks; id += 8) ended.push_back(id);
  story.forget(ended);
  story.enqueue({.id = many_tasks + 1, .key = "order/" + std::to_string(2 * 7'919) + "x"});
  for (std::size_t i = at; i < story.events().size(); ++i) fold_into(asked, story.events()[i]);
  EXPECT_EQ(hex(asked), hex(story.state()));
  EXPECT_EQ(hex(kept), hex(large_story().state()));
  const auto broken = broken_invariants(asked);
  EXPECT_TRUE(broken.empty()) << broken.front();
}

TEST_F(DeferredState, IsOneForManyThreads) {
  write(large_story().state());
  const std::string expected = hex(large_story().state());
  const State asked = read();
  std::array<std::string, 4> digests;
  {
    std::vector<std::jthread> threads;
    for (std::string& each : digests) {
      threads.emplace_back([&each, asked] { each = hex(asked); });
    }
  }
  for (const std::string& each : digests) EXPECT_EQ(each, expected);
}

TEST_F(DeferredState, NeedsNoFileOnceItIsRead) {
  write(large_story().state());
  const State asked = read();
  ASSERT_TRUE(std::filesystem::remove(file()));
  EXPECT_EQ(hex(asked), hex(large_story().state()));
}

TEST_F(DeferredState, IsRefusedWithAnyByteFlippedOrMissing) {
  write(full_story(12).state());
  const std::string whole = read_file(file());
  for (std::size_t at = 0; at < whole.size(); at += 3) {
    auto bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
    write_file(file(), bytes);
    ASSERT_FALSE(read_checkpoint(file(), {}, Loading::as_asked).has_value()) << "byte " << at;
    write_file(file(), whole.substr(0, at));
    ASSERT_FALSE(read_checkpoint(file(), {}, Loading::as_asked).has_value()) << "length " << at;
  }
}

// Bytes whose checksum is right, and which no writer has written.
TEST_F(DeferredState, IsAnErrorOrSomeStateOfBytesThatNobodyWrote) {
  const auto whole = std::make_shared<const std::vector<std::byte>>(encode(large_story().state()));
  std::mt19937_64 random(7);
  int made = 0;
  for (int round = 0; round < 300; ++round) {
    auto bytes = std::make_shared<std::vector<std::byte>>(*whole);
    for (int i = 0; i < 3; ++i) (*bytes)[random() % bytes->size()] ^= std::byte(1 + random() % 255);
    auto state = decode_state(*bytes, bytes);
    if (!state) continue;
    ++made;
    (void)digest(*state);
    state->tasks.all.erase(TaskId(random() % many_tasks));
    if (auto first = state->tasks.ready.begin(); first != state->tasks.ready.end()) {
      state->tasks.ready.erase(*first);
    }
    (void)state->tasks.keys.contains("order/1");
  }
  EXPECT_GT(made, 10);
}

TEST(DeferredTasks, AreRefusedWhereTheirNumbersDoNotRise) {
  for (const std::uint64_t second : {4, 5, 6}) {
    const std::array<Row<task_columns>, 2> rows = {{{5}, {second}}};
    ColumnWriter writer;
    writer.table<task_columns>(rows, rows.size(), [](const auto& row) { return row; });
    const auto bytes = std::make_shared<const std::vector<std::byte>>(writer.take());
    ColumnReader reader(*bytes, bytes);
    Tasks tasks;
    read_all_deferred(reader, tasks);
    EXPECT_EQ(reader.failed(), second <= 5) << second;
  }
}

TEST_F(DeferredState, IsRefusedCutAnywhere) {
  const auto whole = std::make_shared<const std::vector<std::byte>>(encode(full_story(40).state()));
  for (std::size_t length = 0; length < whole->size(); ++length) {
    ASSERT_FALSE(decode_state(Bytes(*whole).first(length), whole)) << "length " << length;
  }
}

TEST_F(DeferredState, DiffersFromWhatItBecameByWhatChanged) {
  write(large_story().state());
  const State asked = read();
  State changed = asked;
  Task task = *changed.tasks.all.find(TaskId(7));
  task.attempts = 9;
  changed.tasks.all.set(TaskId(7), task);
  std::vector<std::uint64_t> visited;
  diff(asked.tasks.all, changed.tasks.all,
       [&](TaskId id, const Task*, const Task*) { visited.push_back(id.value); });
  EXPECT_EQ(visited, std::vector<std::uint64_t>{7});
}

}  // namespace
}  // namespace almanac::test
