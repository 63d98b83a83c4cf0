// The power-loss tests see what can go wrong with the journal: a sync or a name it leaves out, room
// it uses again too early, a segment that is not what was written.
#include <almanac/log/file.h>
#include <almanac/log/file_journal.h>
#include <almanac/log/folder.h>
#include <almanac/log/recent_frames.h>
#include <almanac/tests/disk/explorer.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace almanac::test {
namespace {

constexpr std::string_view segments = "/segment-";

Scenario scenario(Start start, std::initializer_list<std::string_view> names) {
  Scenario scenario{"journal", start, {}};
  for (auto name : names) {
    scenario.operations.push_back(&*std::ranges::find(operations(), name, &Operation::name));
  }
  return scenario;
}

const Scenario& appends() {
  static const Scenario three =
      scenario(Start::closed, {"append one", "append several", "append one"});
  return three;
}

Tally explore_with(const Scenario& scenario, ExploreOptions options) {
  SectorPool pool;
  options.second_level_every = 0;
  options.keeps_findings = false;
  return explore(scenario, record(scenario, pool), pool, options).tally;
}

TEST(JournalFault, OfASyncThatDoesNothingIsFound) {
  auto tally = explore_with(
      appends(), {.faults = {.data_sync_ignored = true, .only_in = segments}, .kill_every = 0});
  EXPECT_GT(tally.lost, 0U) << describe(tally);
}

TEST(JournalFault, OfANewSegmentWhoseNameIsNotSyncedIsFound) {
  auto tally = explore_with(
      scenario(Start::nothing, {"append one"}),
      {.faults = {.folder_sync_ignored = true, .only_in = "log/journal"}, .kill_every = 0});
  EXPECT_GT(tally.lost, 0U) << describe(tally);
}

// Opens the log and reads it, and no more: so that all it has is what it found.
FoundLog open_and_read(const std::filesystem::path& folder, Recorder* recorder) {
  FoundLog found;
  auto log = Log::open(folder);
  if (!log) return {Problem::unopenable, describe(log.error())};
  auto read = (*log)->read(Position(1), [&](const RecordedEvent& recorded) {
    found.events = recorded.position.value;
    found.content = content_behind(found.content, recorded.event);
    return Result<bool>(true);
  });
  if (!read) return {Problem::damaged, describe(read.error())};
  recorder->mark({Mark::Kind::found, found.events, found.content});
  recorder->mark({Mark::Kind::shown, found.events, found.content});
  return found;
}

// What a killed program had written and not synced is shown to a reader: it must be synced first.
TEST(JournalFault, OfARecoveryThatDoesNotMakeSureOfWhatItFoundIsFound) {
  ExploreOptions options{.check = open_and_read, .kill_every = 1};
  options.limits = {.family_max = 1, .random_states = 0, .all_subsets_of_max = 0};
  auto sound = explore_with(appends(), options);
  EXPECT_EQ(sound.findings(), 0U) << describe(sound);
  options.faults_in_recovery = {.data_sync_ignored = true, .only_in = segments};
  auto tally = explore_with(appends(), options);
  EXPECT_GT(tally.lost, 0U) << describe(tally);
}

// That is not seen when nothing else knows of what was there; but nothing false is told.
TEST(JournalFault, OfASegmentThatForgetsWhatWasSyncedIsFound) {
  auto tally = explore_with(
      appends(), {.faults = {.forgets_synced = true, .only_in = segments}, .kill_every = 0});
  EXPECT_GT(tally.findings(), 0U) << describe(tally);
  EXPECT_EQ(tally.wrong, 0U) << describe(tally);
}

TEST(JournalFault, OfASegmentThatIsCutShortIsFound) {
  auto cut_and_check = [](const std::filesystem::path& folder, Recorder* recorder) {
    constexpr off_t inside_a_frame = 300;
    auto path = folder / store_folder / journal_folder / "segment-0";
    FileDescriptor segment(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (segment.valid() && ::ftruncate(segment.get(), inside_a_frame) != 0) {
      return FoundLog{Problem::stuck, "cannot cut"};
    }
    return check_log(folder, recorder);
  };
  auto tally = explore_with(appends(), {.check = cut_and_check, .kill_every = 0});
  EXPECT_GT(tally.lost, 0U) << describe(tally);
  EXPECT_EQ(tally.findings(), tally.lost) << describe(tally);
}

enum class Trimming { as_the_settler_does, one_commit_too_early };

// The parts of a log without their threads: frames go into the journal, then into the store, and
// their room is given back. Two frames fill a segment.
class BareLog {
 public:
  BareLog(const std::filesystem::path& folder, Recorder& recorder)
      : recorder_(recorder),
        store_(*Store::open(folder, {.map_bytes = 64 * limits::mebibyte})),
        journal_(*open_file_journal(folder / journal_folder, Access::write)) {
    EXPECT_TRUE(
        journal_
            ->recover({.timeline = store_->timeline()}, [](auto&&...) { return Result<void>(); })
            .has_value());
  }

  void append_and_settle(Trimming trimming) {
    constexpr std::size_t frames = 4;
    std::vector<SharedFrame> kept;
    std::vector<Store::Frame> values;
    for (std::size_t i = 0; i < frames; ++i) {
      kept.push_back(append());
      values.push_back({kept.back()->first, kept.back()->value()});
    }
    EXPECT_TRUE(store_->append(values).has_value());
    commits_ = {commits_[1], commits_[2], last_};
    journal_->trim(trimming == Trimming::one_commit_too_early ? commits_[2] : commits_[0]);
  }

 private:
  SharedFrame append() {
    constexpr std::size_t event_bytes = 100 * limits::kibibyte;
    last_ = last_.next();
    std::string bytes(event_bytes, '\0');
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
      auto word = mix(last_.value, at);
      std::memcpy(&bytes[at], &word, sizeof(word));
    }
    EventBatch batch;
    batch.events.push_back({.at = Time(Duration(static_cast<std::int64_t>(last_.value))),
                            .body = CustomEvent{"frame", as_bytes(bytes)}});
    const EventBatch* batches[] = {&batch};
    auto encoded = encoder_.encode({.timeline = store_->timeline(),
                                    .first = last_,
                                    .time = batch.events.front().at,
                                    .previous = digest_},
                                   batches);
    digest_ = encoded.digest;
    content_ = content_behind(content_, batch.events.front());
    recorder_.mark({Mark::Kind::appended, last_.value, content_});
    EXPECT_TRUE(journal_->append({last_, last_, encoded.value}, Space::ordinary).has_value());
    recorder_.mark({Mark::Kind::acknowledged, last_.value, content_});
    return own_frame({last_, last_, encoded.value});
  }

  Recorder& recorder_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Journal> journal_;
  FrameEncoder encoder_;
  Position last_;
  Digest digest_{};
  std::uint64_t content_ = 0;
  std::array<Position, 3> commits_;
};

// The disk forgets the store's last sync, that of the newest commit's meta page. The store then
// ends one commit earlier: what is in that one must still be in the journal.
ExploreReport explore_trimming(Trimming trimming) {
  constexpr int commits = 4;
  SectorPool pool;
  TempFolder folder;
  Recorder recorder(folder.path());
  std::filesystem::create_directory(folder / "log");
  const auto path = folder / "log" / store_folder;
  EXPECT_TRUE(Store::create(path, {.journal = JournalUse::open,
                                   .also =
                                       [](const std::filesystem::path& building) {
                                         return create_file_journal(building / journal_folder);
                                       }})
                  .has_value());
  RecordedScenario recorded{read_image(folder.path(), pool), {}};
  {
    Watching watching(recorder);
    BareLog log(path, recorder);
    for (int i = 0; i < commits; ++i) log.append_and_settle(trimming);
  }
  recorded.recording = recorder.take();
  EXPECT_TRUE(is_complete(recorded, folder.path(), pool));
  return explore({"trimmed", Start::closed, {}}, recorded, pool,
                 {.faults = {.forgets_last_sync = true, .only_in = "data.mdb"},
                  .limits = {.family_max = 2, .random_states = 0, .all_subsets_of_max = 0},
                  .second_level_every = 0,
                  .kill_every = 0,
                  .keeps_findings = false});
}

TEST(JournalFault, OfRoomThatIsUsedAgainTooEarlyIsFound) {
  auto sound = explore_trimming(Trimming::as_the_settler_does);
  for (const auto& example : sound.examples) ADD_FAILURE() << example;
  EXPECT_EQ(sound.tally.findings(), 0U) << describe(sound.tally);
  EXPECT_GT(sound.tally.replayed, 0U) << describe(sound.tally);
  auto tally = explore_trimming(Trimming::one_commit_too_early).tally;
  EXPECT_GT(tally.findings(), 0U) << describe(tally);
  EXPECT_EQ(tally.wrong, 0U) << describe(tally);
}

}  // namespace
}  // namespace almanac::test
