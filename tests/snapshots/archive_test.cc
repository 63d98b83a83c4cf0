// Snapshots of a real log: what is in them, what they build on, and what they refuse.
#include <almanac/log/hash.h>
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/archive_checkpoint.h>
#include <almanac/snapshots/limits.h>
#include <almanac/snapshots/rebuild.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/noon.h>
#include <almanac/tests/support/story.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

// The frames of a snapshot, or of a log, as bytes.
Result<std::vector<std::string>> frames_of(const Repository& repository, const Manifest& manifest) {
  std::vector<std::string> frames;
  for (const SegmentRecord& record : manifest.segments) {
    auto file = repository.read(name_of(record.header, record.file), record.file);
    if (!file) return std::unexpected(file.error());
    auto segment = ArchiveSegment::open(std::move(*file));
    if (!segment) return std::unexpected(segment.error());
    EXPECT_EQ(segment->header(), record.header);
    auto read = segment->read_frames(Position(1), [&](const FrameReader& frame) -> Result<bool> {
      frames.emplace_back(as_text(frame.value()));
      return true;
    });
    if (!read) return std::unexpected(read.error());
  }
  return frames;
}

std::vector<std::string> frames_of(const Log& log) {
  std::vector<std::string> frames;
  auto read = log.read_frames(Position(1), [&](const FrameReader& frame) -> Result<bool> {
    frames.emplace_back(as_text(frame.value()));
    return true;
  });
  EXPECT_TRUE(read);
  return frames;
}

class Archive : public ::testing::Test {
 protected:
  Archive() { work(40); }

  [[nodiscard]] fs::path place() const { return folder / "log"; }
  [[nodiscard]] fs::path store() const { return folder / "backup"; }
  [[nodiscard]] Repository repository(Access access = Access::read) const {
    auto opened = Repository::open(store(), access);
    EXPECT_TRUE(opened) << describe(opened.error());
    return std::move(*opened);
  }
  // So many tasks are enqueued, and every second one of all there were is started and ends.
  void work(std::uint64_t count) {
    const std::size_t told = story.events().size();
    for (std::uint64_t i = 0; i < count; ++i) story.enqueue({.id = ++tasks});
    for (std::uint64_t id = 2; id <= tasks; id += 2) {
      if (story.start(id)) story.succeed(id);
    }
    // Frames of ten events.
    std::vector<Event> events;
    for (std::size_t i = told; i < story.events().size(); ++i) {
      events.push_back(story.events()[i].event);
      if (events.size() < 10 && i + 1 < story.events().size()) continue;
      ASSERT_TRUE(log->append(events));
      events.clear();
    }
    ASSERT_EQ(log.wait_for(Position(story.events().size())).through,
              Position(story.events().size()));
  }
  Result<SnapshotReport> create(const SnapshotOptions& options = {.made_at = noon}) {
    auto repository = this->repository(Access::write);
    return create_snapshot(*log, place(), repository, options);
  }
  Manifest created(const SnapshotOptions& options = {.made_at = noon}) {
    auto report = create(options);
    EXPECT_TRUE(report) << describe(report.error());
    return report ? report->manifest : Manifest{};
  }
  // That the snapshot is the log and the state at its end, as the files say.
  void expect_whole(const Manifest& manifest) {
    const Repository repository = this->repository();
    auto read = repository.manifest(manifest.number);
    ASSERT_TRUE(read) << describe(read.error());
    EXPECT_EQ(encode(*read), encode(manifest));
    auto frames = frames_of(repository, *read);
    ASSERT_TRUE(frames) << describe(frames.error());
    auto of_log = frames_of(*log);
    ASSERT_LE(frames->size(), of_log.size());
    of_log.resize(frames->size());
    EXPECT_EQ(*frames, of_log);
    auto archived = read_checkpoint(repository, *read);
    ASSERT_TRUE(archived) << describe(archived.error());
    auto checkpoint = decode_checkpoint(archived->file);
    ASSERT_TRUE(checkpoint) << describe(checkpoint.error());
    EXPECT_EQ(checkpoint->header.timeline, log->timeline());
    EXPECT_EQ(checkpoint->header.chain, manifest.tail.digest);
    const auto state = rebuild(*log, {.through = manifest.tail.last});
    EXPECT_EQ(digest(checkpoint->state), digest(*state));
    EXPECT_EQ(manifest.state, digest(*state));
  }

  TempFolder folder;
  Story story;
  std::uint64_t tasks = 0;
  TestLog log{folder / "log"};
};

TEST_F(Archive, HoldsTheLogAndTheStateAtItsEnd) {
  auto report = create();
  ASSERT_TRUE(report) << describe(report.error());
  EXPECT_TRUE(report->made);
  EXPECT_EQ(report->from, Position(1));
  const Manifest& manifest = report->manifest;
  EXPECT_EQ(manifest.number, 1U);
  EXPECT_EQ(manifest.made_at, noon);
  EXPECT_EQ(manifest.first(), Position(1));
  EXPECT_EQ(manifest.tail.last, log->tail()->last);
  EXPECT_EQ(manifest.tail.time, log->tail()->time);
  EXPECT_EQ(manifest.previous, Digest{});
  EXPECT_EQ(report->file_bytes, manifest.bytes());
  expect_whole(manifest);
}

TEST_F(Archive, GoesOnBehindTheLastSnapshot) {
  const Manifest first = created();
  work(10);
  auto report = create();
  ASSERT_TRUE(report) << describe(report.error());
  const Manifest& second = report->manifest;
  EXPECT_EQ(second.number, 2U);
  EXPECT_EQ(second.previous, Repository::digest_of(first));
  EXPECT_EQ(report->from, first.tail.last.next());
  ASSERT_EQ(second.segments.size(), 2U);
  EXPECT_EQ(second.segments[0].file, first.segments[0].file);
  EXPECT_EQ(second.segments[1].header.first, first.tail.last.next());
  expect_whole(first);
  expect_whole(second);
}

TEST_F(Archive, MakesNothingOfALogInWhichNothingHappened) {
  const Manifest first = created();
  auto report = create();
  ASSERT_TRUE(report) << describe(report.error());
  EXPECT_FALSE(report->made);
  EXPECT_EQ(encode(report->manifest), encode(first));
  EXPECT_EQ(repository().numbers(), std::vector<std::uint64_t>{1});
}

TEST_F(Archive, GivesASnapshotATagOfItsOwn) {
  const Manifest tagged = created({.made_at = noon, .tag = "before-upgrade"});
  expect_whole(tagged);
  work(5);
  (void)created();
  const Repository repository = this->repository();
  EXPECT_EQ(find_tagged(repository, "before-upgrade")->number, 1U);
  EXPECT_FALSE(find_tagged(repository, "before"));
  const auto taken = create({.made_at = noon, .tag = "before-upgrade"});
  EXPECT_EQ(taken.error().code, ErrorCode::conflict);
  EXPECT_EQ(taken.error().message, "snapshot 1 has the tag before-upgrade already");
  for (const std::string bad : {"1.0", "a b", "../x", "\xc3\xa9", "-a"}) {
    EXPECT_EQ(create({.made_at = noon, .tag = bad}).error().code, ErrorCode::invalid) << bad;
  }
  EXPECT_EQ(create({.made_at = noon, .tag = std::string(65, 'a')}).error().code,
            ErrorCode::invalid);
}

TEST_F(Archive, GivesATagThoughNothingHappened) {
  const Manifest first = created();
  auto report = create({.made_at = noon + std::chrono::hours(1), .tag = std::string(64, 'a')});
  ASSERT_TRUE(report) << describe(report.error());
  EXPECT_TRUE(report->made);
  EXPECT_EQ(report->file_bytes, 0U);
  EXPECT_EQ(report->manifest.number, 2U);
  EXPECT_EQ(report->manifest.previous, Repository::digest_of(first));
  EXPECT_EQ(files_of(report->manifest), files_of(first));
  expect_whole(report->manifest);
}

TEST_F(Archive, KeepsAStateAsADeltaWhileThatIsSmall) {
  work(5000);
  const Manifest first = created();
  EXPECT_EQ(first.base, std::nullopt);
  std::size_t deltas = 0;
  for (int i = 0; i < 3; ++i) {
    work(20);
    const Manifest next = created();
    expect_whole(next);
    if (!next.base) continue;
    ++deltas;
    EXPECT_EQ(next.base->position, first.tail.last);
    EXPECT_LT(next.checkpoint.file.bytes * limits::delta_times_smaller_min,
              first.checkpoint.file.bytes);
  }
  EXPECT_EQ(deltas, 3U);
  work(20'000);
  const Manifest other = created();
  EXPECT_EQ(other.base, std::nullopt);
  expect_whole(other);
}

TEST_F(Archive, BuildsOnNothingWhenItIsToBeFull) {
  created();
  work(10);
  created();
  const Manifest full = created({.made_at = noon, .full = true});
  EXPECT_EQ(full.number, 3U);
  EXPECT_EQ(full.segments.size(), 1U);
  EXPECT_EQ(full.base, std::nullopt);
  for (std::uint64_t number : {1, 2, 3}) expect_whole(*repository().manifest(number));
}

// A log of events that each have a value of the store to themselves, so that any can be trimmed.
class TrimmedArchive : public ::testing::Test {
 protected:
  void append(std::uint64_t count) {
    static const std::string data(600 * limits::kibibyte, 'x');
    TestLog log(place());
    for (; count > 0; --count) {
      const Time at = noon + std::chrono::seconds(++events);
      ASSERT_TRUE(log.append({{.at = at, .body = CustomEvent{"large", as_bytes(data)}}}));
    }
  }
  void trim(std::uint64_t before) {
    TestLog log(place());
    ASSERT_TRUE(log->set_checkpoint(Position(events)));
    ASSERT_TRUE(log->trim({.before = Position(before)}));
    ASSERT_EQ(log->first(), Position(before));
  }
  Result<SnapshotReport> create(const SnapshotOptions& options = {.made_at = noon}) {
    auto log = Log::open(place(), {.access = Access::read});
    auto repository = Repository::open(folder / "backup", Access::write);
    return create_snapshot(**log, place(), *repository, options);
  }
  [[nodiscard]] std::filesystem::path place() const { return folder / "log"; }

  TempFolder folder;
  std::uint64_t events = 0;
};

TEST_F(TrimmedArchive, GoesOnBehindWhatItHas) {
  append(4);
  ASSERT_TRUE(create());
  for (std::uint64_t front : {3, 5}) {  // in the log, and just what is archived
    trim(front);
    append(1);
    auto report = create();
    ASSERT_TRUE(report) << describe(report.error());
    EXPECT_EQ(report->from, Position(events));
    EXPECT_EQ(report->manifest.first(), Position(1));
    auto frames = frames_of(*Repository::open(folder / "backup", Access::read), report->manifest);
    ASSERT_TRUE(frames) << describe(frames.error());
    EXPECT_EQ(frames->size(), events);
    EXPECT_EQ(frames->back(), frames_of(**Log::open(place(), {.access = Access::read})).back());
  }
}

TEST_F(TrimmedArchive, NamesTheGapToALogThatWasTrimmedTooFar) {
  append(4);
  ASSERT_TRUE(create());
  append(4);
  trim(7);
  auto refused = create();
  ASSERT_EQ(code_of(refused), "refused");
  EXPECT_NE(refused.error().message.find("positions 5 to 6"), std::string::npos)
      << refused.error().message;
  EXPECT_EQ(Repository::open(folder / "backup", Access::read)->numbers().size(), 1U);
}

TEST_F(Archive, RefusesALogWithAnotherPast) {
  const fs::path copy = folder / "copy";
  {
    TestLog other(folder / "other");
    ASSERT_TRUE(other.append(numbered_events(1, 3)));
  }
  fs::copy(folder / "other", copy, fs::copy_options::recursive);
  auto snapshot = [&](const fs::path& path, std::uint64_t number) {
    TestLog other(path);
    EXPECT_TRUE(other.append(numbered_events(number, 1)));
    auto repository = this->repository(Access::write);
    return create_snapshot(*other, path, repository, {.made_at = noon});
  };
  ASSERT_TRUE(snapshot(folder / "other", 10));
  EXPECT_EQ(code_of(snapshot(copy, 11)), "conflict");
  // Nor is what the first one left taken for the front of the second.
  ASSERT_TRUE(repository(Access::write).remove(1));
  auto made = snapshot(copy, 12);
  ASSERT_TRUE(made) << describe(made.error());
  TestLog second(copy);
  EXPECT_EQ(frames_of(repository(), made->manifest), frames_of(*second));
  fs::remove_all(copy);
}

TEST_F(Archive, KeepsSeveralLogsApart) {
  const Manifest first = created();
  TestLog other(folder / "other");
  ASSERT_TRUE(other.append(numbered_events(1, 3)));
  {
    auto repository = this->repository(Access::write);
    auto report = create_snapshot(*other, folder / "other", repository, {.made_at = noon});
    ASSERT_TRUE(report) << describe(report.error());
    EXPECT_EQ(report->manifest.number, 2U);
    EXPECT_EQ(report->manifest.previous, Repository::digest_of(first));
    EXPECT_EQ(report->manifest.segments.size(), 1U);
  }
  work(5);
  const Manifest third = created();
  EXPECT_EQ(third.segments.front().file, first.segments.front().file);
  expect_whole(third);
}

TEST_F(Archive, TakesOverWhatASnapshotThatWasCutShortHasLeft) {
  const Manifest first = created();
  ASSERT_TRUE(repository(Access::write).remove(1));
  const fs::path segment =
      repository().path_of(name_of(first.segments[0].header, first.segments[0].file));
  const auto written = fs::last_write_time(segment);
  work(5);
  auto report = create();
  ASSERT_TRUE(report) << describe(report.error());
  EXPECT_EQ(report->manifest.segments.size(), 2U);
  EXPECT_EQ(report->manifest.segments[0].file, first.segments[0].file);
  EXPECT_EQ(fs::last_write_time(segment), written);
  expect_whole(report->manifest);
  // The checkpoint that nobody names is gone.
  EXPECT_EQ(repository().files().size(), 3U);
}

TEST_F(Archive, TakesOverNothingThatIsNotOfThisLog) {
  const Manifest first = created();
  ASSERT_TRUE(repository(Access::write).remove(1));
  const fs::path segment =
      repository().path_of(name_of(first.segments[0].header, first.segments[0].file));
  std::string bytes = read_file(segment);
  bytes[bytes.size() / 2] ^= 1;
  write_file(segment, bytes);
  expect_whole(created());
}

// Nor what somebody put there whose checksums are right: only the frames tell.
TEST_F(Archive, TakesOverNoFramesThatWereMadeUp) {
  const Manifest first = created();
  const SegmentRecord& record = first.segments[0];
  const fs::path segment = repository().path_of(name_of(record.header, record.file));
  ASSERT_TRUE(repository(Access::write).remove(1));
  const std::string file = read_file(segment);
  fs::remove(segment);
  // Of its only block, the file's last but the index and the footer.
  std::vector<std::byte> bytes(as_bytes(file).begin(), as_bytes(file).end());
  const auto index = std::span(bytes).last(segment_index_bytes + segment_footer_bytes);
  const auto block = std::span(bytes).subspan(segment_header_bytes,
                                              bytes.size() - segment_header_bytes - index.size());
  block[block.size() / 2] ^= std::byte{1};
  const std::uint64_t checksum = xxh3(block);
  std::memcpy(&index[5 * 8], &checksum, sizeof(checksum));
  const auto footer = std::span(bytes).last(segment_footer_bytes);
  std::ranges::copy(xxh3_128(std::span(bytes).first(bytes.size() - footer.size())), footer.begin());
  ASSERT_TRUE(ArchiveSegment::open(bytes));
  ASSERT_TRUE(repository(Access::write).write(name_of(record.header, {}), bytes));
  const Manifest made = created();
  EXPECT_EQ(made.segments[0].file, record.file);
  expect_whole(made);
}

TEST_F(Archive, ReplacesNoManifestThatItCannotSee) {
  const Manifest manifest = created();
  Repository writing = repository(Access::write);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit no_more_files{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &no_more_files), 0);
  const auto numbers = writing.numbers();
  const auto unreferenced = writing.unreferenced();
  const auto added = writing.add(manifest);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(numbers.empty());
  EXPECT_FALSE(unreferenced) << "all files would look as if nothing needed them";
  EXPECT_EQ(code_of(added), "conflict");
  expect_whole(manifest);
}

TEST_F(Archive, StopsWhenItIsToldTo) {
  for (int frame = 0; frame < 3; ++frame) work(2);
  std::stop_source stop;
  SnapshotOptions options{.made_at = noon, .stop = stop.get_token()};
  options.progress = [&](const SnapshotProgress& progress) {
    EXPECT_FALSE(stop.stop_requested()) << "it goes on";
    EXPECT_LT(progress.through, progress.last);
    stop.request_stop();
  };
  EXPECT_EQ(code_of(create(options)), "stopped");
  EXPECT_TRUE(repository().numbers().empty());
  expect_whole(created());
}

TEST_F(Archive, TellsHowFarItIs) {
  std::vector<SnapshotProgress> seen;
  SnapshotOptions options{.made_at = noon};
  options.progress = [&](const SnapshotProgress& progress) { seen.push_back(progress); };
  auto report = create(options);
  ASSERT_TRUE(report);
  const Position last = log->tail()->last;
  ASSERT_EQ(seen.size(), report->manifest.segments[0].header.frames);
  Position before;
  for (const SnapshotProgress& progress : seen) {
    EXPECT_GT(progress.through, before);
    EXPECT_EQ(progress.last, last);
    before = progress.through;
  }
  EXPECT_EQ(before, last);
  EXPECT_EQ(seen.back().frame_bytes, report->manifest.frame_bytes());
}

TEST_F(Archive, SaysWhichDamagedSnapshotItCouldNotBuildOn) {
  const Manifest first = created();
  work(5);
  const Manifest second = created();
  write_file(store() / "manifests" / "2", "nonsense");
  work(5);
  auto report = create();
  ASSERT_TRUE(report) << describe(report.error());
  ASSERT_EQ(report->refused.size(), 1U);
  EXPECT_NE(report->refused[0].message.find("manifests/2"), std::string::npos);
  EXPECT_EQ(report->manifest.number, 3U);
  EXPECT_EQ(report->from, first.tail.last.next());
  expect_whole(report->manifest);
}

TEST_F(Archive, RefusesToGoOnBehindTheLastNumberThereIs) {
  created();
  work(5);
  write_file(store() / "manifests" / std::to_string(UINT64_MAX), "");
  EXPECT_EQ(code_of(create()), "refused");
}

TEST_F(Archive, WritesAStateInFullWhenTheEarlierOneIsDamaged) {
  const Manifest first = created();
  const fs::path checkpoint = repository().path_of(name_of(first.timeline, first.checkpoint));
  std::string bytes = read_file(checkpoint);
  bytes.back() ^= 1;
  write_file(checkpoint, bytes);
  work(5);
  auto report = create();
  ASSERT_TRUE(report) << describe(report.error());
  ASSERT_EQ(report->refused.size(), 1U);
  EXPECT_NE(report->refused[0].message.find(checkpoint.string()), std::string::npos);
  EXPECT_EQ(report->manifest.base, std::nullopt);
  expect_whole(report->manifest);
}

TEST_F(Archive, HasNothingToKeepOfAnEmptyLog) {
  TestLog empty(folder / "empty");
  auto repository = this->repository(Access::write);
  EXPECT_EQ(code_of(create_snapshot(*empty, folder / "empty", repository, {})), "not_found");
}

TEST_F(Archive, IsReadBesideAWriter) {
  created();
  const Repository held = repository(Access::write);
  EXPECT_EQ(code_of(Repository::open(store(), Access::write)), "conflict");
  EXPECT_TRUE(Repository::open(store(), Access::read));
}

}  // namespace
}  // namespace almanac::test
