// A second copy of a repository: what is there after each step, and what goes wrong on the way.
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/archive_verify.h>
#include <almanac/snapshots/archived_log.h>
#include <almanac/snapshots/copy_out.h>
#include <almanac/snapshots/prune.h>
#include <almanac/snapshots/segment_writer.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// A folder that can be watched and disturbed.
class WatchedCopy : public CopyTarget {
 public:
  WatchedCopy(const fs::path& folder, const Repository& of)
      : copy_(std::move(*FolderCopy::open(folder, of))) {}

  Result<std::vector<std::string>> names() override { return copy_.names(); }
  bool has(const CopyFile& file) override { return copy_.has(file); }
  Result<void> put(const CopyFile& file) override {
    ++tries;
    if (failures > 0) {
      --failures;
      return fail(ErrorCode::io, "the line is down");
    }
    auto put = copy_.put(file);
    if (put) names_put.push_back(file.name);
    if (after_each) after_each();
    return put;
  }
  Result<void> remove(const std::string& name) override {
    auto removed = copy_.remove(name);
    if (after_each) after_each();
    return removed;
  }

  std::function<void()> after_each;
  std::uint64_t failures = 0;  // to come
  std::uint64_t tries = 0;
  std::vector<std::string> names_put;

 private:
  FolderCopy copy_;
};

class CopyOut : public ::testing::Test {
 protected:
  CopyOut() {
    snapshot();
    snapshot();
    add_tail();
  }

  void append() {
    ASSERT_TRUE(log.append(numbered_events(events + 1, 3)));
    events += 3;
  }
  void snapshot() {
    append();
    auto to = Repository::open(store(), Access::write);
    auto made = create_snapshot(*log, folder / "log", *to, {.made_at = Time(Duration(1))});
    ASSERT_TRUE(made) << describe(made.error());
  }
  // One segment more, as who follows the log does it.
  void add_tail() {
    auto to = Repository::open(store(), Access::write);
    auto newest = find_newest(*to, log->timeline());
    ArchiveTail tail = newest->tail.value_or(
        ArchiveTail{.timeline = log->timeline(), .snapshot = newest->snapshot.number});
    SegmentWriter segment(log->timeline(), newest->joined().tail, 1);
    append();
    ASSERT_TRUE(log->read_frames(segment.header().first, [&](const FrameReader& frame) {
      return Result<bool>(segment.add(frame).has_value());
    }));
    const SegmentHeader header = segment.header();
    tail.segments.push_back(*write_segment(*to, header, *segment.finish()));
    tail.end = *log->tail();
    ASSERT_TRUE(to->put(tail));
  }
  void prune_all_but_one() {
    auto to = Repository::open(store(), Access::write);
    ASSERT_TRUE(prune(*to, {.policy = {.last = 1}, .now = Time(Duration(1))}));
  }

  Result<CopyReport> copy(CopyTarget& to, CopyOptions options = {}) {
    options.retry_after = 1ms;
    options.temporary = folder.path();
    const auto from = Repository::open(store(), Access::read);
    if (!from) return std::unexpected(from.error());
    return copy_out(*from, to, options);
  }
  // Whatever it has is whole, and it never has less than before.
  std::function<void()> checks_copy() {
    return [this] {
      const auto there = Repository::open(place(), Access::read);
      if (!there || there->numbers().empty()) return;
      auto verified = verify_archive(*there, {});
      ASSERT_TRUE(verified && verified->whole());
      const Position end = find_newest(*there, log->timeline())->joined().tail.last;
      EXPECT_GE(end, copied);
      copied = end;
    };
  }
  [[nodiscard]] static std::map<std::string, std::string> contents(const fs::path& of) {
    std::map<std::string, std::string> contents;
    for (const auto& entry : fs::recursive_directory_iterator(of)) {
      const fs::path name = entry.path().lexically_relative(of);
      if (!entry.is_regular_file() || name == "lock") continue;
      contents[name.string()] = read_file(entry.path());
    }
    return contents;
  }
  void expect_same() { EXPECT_EQ(contents(place()), contents(store())); }

  [[nodiscard]] Repository repository() const {
    return std::move(*Repository::open(store(), Access::read));
  }
  [[nodiscard]] fs::path store() const { return folder / "backup"; }
  [[nodiscard]] fs::path place() const { return folder / "copy"; }

  TempFolder folder;
  TestLog log{folder / "log"};
  std::uint64_t events = 0;
  Position copied;
};

TEST_F(CopyOut, CanBeRestoredFromAfterEveryStep) {
  WatchedCopy to(place(), repository());
  to.after_each = checks_copy();
  ASSERT_TRUE(copy(to));
  expect_same();
  EXPECT_EQ(copied, Position(events));
  for (int i = 0; i < 12; ++i) {
    add_tail();
    if (i % 5 == 1) snapshot();
    if (i % 5 == 2) prune_all_but_one();
    if (i % 2 == 0) continue;
    auto report = copy(to);
    ASSERT_TRUE(report) << describe(report.error());
    expect_same();
    EXPECT_EQ(copied, Position(events));
  }
}

TEST_F(CopyOut, CopiesNothingTwice) {
  {
    WatchedCopy to(place(), repository());
    std::stop_source stop;
    to.after_each = [&] {
      if (to.names_put.size() == 3) stop.request_stop();
    };
    EXPECT_EQ(code_of(copy(to, {.stop = stop.get_token()})), "stopped");
    EXPECT_EQ(to.names_put.size(), 3U);
  }
  WatchedCopy to(place(), repository());
  auto report = copy(to);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->files, contents(store()).size() - 3);
  EXPECT_EQ(copy(to)->files, 0U);
  add_tail();
  EXPECT_EQ(copy(to)->files, 2U) << "a segment and the tail";
  expect_same();
}

TEST_F(CopyOut, TriesAgainWhatFails) {
  WatchedCopy to(place(), repository());
  to.failures = 2;
  ASSERT_TRUE(copy(to));
  expect_same();
  add_tail();
  to.failures = 100;
  to.tries = 0;
  auto report = copy(to, {.tries = 4});
  EXPECT_EQ(code_of(report), "io");
  EXPECT_EQ(report.error().message, "the line is down");
  EXPECT_EQ(to.tries, 4U);
}

TEST_F(CopyOut, FollowsARepositoryThatChangesMeanwhile) {
  WatchedCopy to(place(), repository());
  to.after_each = [&] {
    if (to.names_put.size() != 2) return;
    for (int i = 0; i < 10; ++i) add_tail();
    snapshot();  // in which all those are one segment
    prune_all_but_one();
  };
  auto report = copy(to);
  ASSERT_TRUE(report) << describe(report.error());
  expect_same();
}

TEST_F(CopyOut, ReplacesNoCopyOfAnotherRepository) {
  {
    WatchedCopy to(place(), repository());
    ASSERT_TRUE(copy(to));
  }
  const auto before = contents(place());
  auto outcome = [&] {
    WatchedCopy to(place(), repository());
    return std::string(code_of(copy(to)));
  };
  // One that was begun anew, with fewer snapshots and with as many.
  fs::rename(store(), folder / "aside");
  snapshot();
  EXPECT_EQ(outcome(), "conflict");
  snapshot();
  EXPECT_EQ(outcome(), "conflict");
  // And one without its manifests.
  fs::remove_all(store() / "manifests");
  EXPECT_EQ(outcome(), "conflict");
  EXPECT_EQ(contents(place()), before);
  fs::create_directory(folder / "else");
  write_file(folder / "else/file", "");
  for (const fs::path& wrong : {folder / "else", store(), store() / "copy"}) {
    EXPECT_EQ(code_of(FolderCopy::open(wrong, repository())), "refused");
  }
}

TEST_F(CopyOut, PassesNoDamageOn) {
  WatchedCopy to(place(), repository());
  ASSERT_TRUE(copy(to));
  snapshot();
  const fs::path manifest = store() / "manifests/1";
  const std::string whole = read_file(manifest);
  write_file(manifest, whole + " ");
  auto report = copy(to);
  ASSERT_TRUE(report) << describe(report.error());
  ASSERT_EQ(report->refused.size(), 1U);
  EXPECT_NE(report->refused[0].message.find(manifest.string()), std::string::npos);
  EXPECT_EQ(report->removed, 0U);
  EXPECT_EQ(read_file(place() / "manifests/1"), whole);
  write_file(manifest, whole);
  snapshot();
  const auto from = Repository::open(store(), Access::read);
  const fs::path segment = from->path_of(files_of(*from->manifest(4)).back());
  std::string damaged = read_file(segment);
  damaged[100] ^= 1;
  write_file(segment, damaged);
  auto refused = copy(to);
  ASSERT_EQ(code_of(refused), "corrupt");
  EXPECT_NE(refused.error().message.find(segment.string()), std::string::npos);
  EXPECT_TRUE(verify_archive(*Repository::open(place(), Access::read), {})->whole());
}

}  // namespace
}  // namespace almanac::test
