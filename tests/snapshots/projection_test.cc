// Projections of the embedding program, beside a real log.
#include <almanac/snapshots/checkpoint.h>
#include <almanac/snapshots/projection.h>
#include <almanac/snapshots/projection_checkpoint.h>
#include <almanac/snapshots/whole_file.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/gate.h>
#include <almanac/tests/support/tally.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class Projections : public ::testing::Test {
 protected:
  using Opened = std::unique_ptr<Projection<Tally>>;

  Opened open(ProjectionSpec<Tally> spec, std::uint64_t checkpoint_events = 100) {
    auto opened = Projection<Tally>::open(
        *log, {.folder = kept(), .checkpoint_events = checkpoint_events}, std::move(spec));
    EXPECT_TRUE(opened.has_value()) << describe(opened.error());
    return std::move(*opened);
  }
  // A spec that counts the events it folds.
  ProjectionSpec<Tally> counting() {
    auto spec = tally_spec();
    spec.fold = [this, fold = spec.fold](Tally& tally, const RecordedEvent& event) {
      ++folded;
      fold(tally, event);
    };
    return spec;
  }
  void append(std::size_t count) {
    for (std::size_t done = 0; done < count; done += 10) {
      ASSERT_TRUE(log.append(numbered_events(next, 10)));
      next += 10;
    }
  }
  [[nodiscard]] Position last() { return log->tail()->last; }
  [[nodiscard]] fs::path kept() const { return folder / "kept" / "deep"; }
  void wait_for(const Projection<Tally>& projection) {
    ASSERT_TRUE(projection.wait_for(last(), 10s));
    EXPECT_EQ(projection.now().value, tally_of(last().value));
    EXPECT_EQ(projection.now().position, last());
  }

  TempFolder folder;
  TestLog log{folder / "log"};
  std::uint64_t next = 1;
  std::atomic<std::uint64_t> folded = 0;
};

TEST_F(Projections, HoldWhatWasThereAndFollowWhatComes) {
  append(500);
  auto projection = open(tally_spec());
  wait_for(*projection);
  for (int round = 0; round < 20; ++round) {
    append(10);
    wait_for(*projection);
  }
  EXPECT_FALSE(projection->failure());
  EXPECT_FALSE(projection->checkpoint_failure());
}

TEST_F(Projections, HaveTheirInitialValueOverAnEmptyLog) {
  auto spec = tally_spec();
  spec.initial = {.events = 7};
  auto projection = open(spec);
  EXPECT_EQ(projection->now().value, spec.initial);
  EXPECT_EQ(projection->now().position, Position());
  EXPECT_FALSE(projection->wait_for(Position(1), 10ms));
  EXPECT_EQ(projection->at(Position())->value, spec.initial);
}

TEST_F(Projections, GoOnFromTheirCheckpoint) {
  append(300);
  wait_for(*open(counting()));
  EXPECT_EQ(folded, 300U);
  append(20);
  wait_for(*open(counting()));
  EXPECT_EQ(folded, 320U) << "only what was new";
}

TEST_F(Projections, KeepTheNewestCheckpointsOnly) {
  for (int round = 0; round < 20; ++round) {
    append(10);
    wait_for(*open(tally_spec()));
  }
  const auto positions = positions_in(kept() / "tally" / "v1");
  ASSERT_EQ(positions.size(), ProjectionOptions().checkpoints_max);
  EXPECT_EQ(positions.front(), Position(200));
  EXPECT_EQ(positions.back(), Position(130));
}

TEST_F(Projections, AreWhatTheyWereAtEveryPosition) {
  append(300);
  auto projection = open(tally_spec());
  wait_for(*projection);
  for (std::uint64_t position = 0; position <= 300; position += 7) {
    auto at = projection->at(Position(position));
    ASSERT_TRUE(at) << describe(at.error());
    EXPECT_EQ(at->value, tally_of(position));
    EXPECT_EQ(at->position, Position(position));
  }
  EXPECT_EQ(projection->at(Position(301)).error().code, ErrorCode::not_found);
}

TEST_F(Projections, LookAtThePastFromTheNearestCheckpoint) {
  append(100);
  wait_for(*open(tally_spec()));
  append(100);
  auto projection = open(counting());
  wait_for(*projection);
  folded = 0;
  EXPECT_EQ(projection->at(Position(103))->value, tally_of(103));
  EXPECT_EQ(folded, 3U);
}

TEST_F(Projections, TakeNoCheckpointOfWhichAByteIsAnother) {
  append(20);
  wait_for(*open(tally_spec()));
  const auto path = kept() / "tally" / "v1" / "20";
  const auto whole = read_file(path);
  ASSERT_FALSE(whole.empty());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    auto damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    write_file(path, damaged);
    folded = 0;
    wait_for(*open(counting()));
    ASSERT_EQ(folded, 20U) << "byte " << i;
    write_file(path, whole.substr(0, i));
    folded = 0;
    wait_for(*open(counting()));
    ASSERT_EQ(folded, 20U) << "cut at " << i;
  }
}

TEST_F(Projections, GoOnFromAnOlderCheckpointWhenTheNewestIsDamaged) {
  append(20);
  wait_for(*open(tally_spec()));
  append(20);
  wait_for(*open(tally_spec()));
  write_file(kept() / "tally" / "v1" / "40", "damaged");
  wait_for(*open(counting()));
  EXPECT_EQ(folded, 20U);
}

TEST_F(Projections, TakeNoCheckpointOfAnotherLog) {
  append(20);
  wait_for(*open(tally_spec()));
  TestLog other(folder / "other");
  ASSERT_TRUE(other.append(numbered_events(1, 20)));
  auto projection = Projection<Tally>::open(*other, {.folder = kept()}, counting());
  ASSERT_TRUE(projection);
  ASSERT_TRUE((*projection)->wait_for(Position(20), 10s));
  EXPECT_EQ(folded, 20U);
}

// What stands in a file is what its name, its folder and its log's frames say, or it does not
// serve.
TEST_F(Projections, TakeNoCheckpointOfAnotherPlace) {
  append(40);
  wait_for(*open(tally_spec()));
  const auto v1 = kept() / "tally" / "v1";
  const auto v2 = kept() / "tally" / "v2";
  fs::create_directories(v2);
  fs::copy(v1 / "40", v2 / "40");
  auto spec = counting();
  spec.version = 2;
  wait_for(*open(spec));
  EXPECT_EQ(folded, 40U) << "of another version";
  fs::rename(v1 / "40", v1 / "39");
  folded = 0;
  wait_for(*open(counting()));
  EXPECT_EQ(folded, 40U) << "of another position";
}

TEST_F(Projections, TakeNoCheckpointOfAnotherPastOfTheirLog) {
  append(40);
  const auto chain = chain_at(*log, Position(20));
  const auto tally = tally_of(40);
  ASSERT_TRUE(chain);
  ASSERT_TRUE(write_projection(kept() / "tally" / "v1", {log->timeline(), Position(40), 1, *chain},
                               std::as_bytes(std::span(&tally, 1))));
  wait_for(*open(counting()));
  EXPECT_EQ(folded, 40U);
}

TEST_F(Projections, LeaveNoUnfinishedFile) {
  append(10);
  const auto left = kept() / "tally" / "v1" / "5.writing";
  fs::create_directories(left.parent_path());
  write_file(left, "half");
  wait_for(*open(tally_spec()));
  EXPECT_FALSE(fs::exists(left));
}

TEST_F(Projections, GoOnWithoutAFolderAndWithoutBytes) {
  append(20);
  auto without_encode = tally_spec();
  without_encode.encode = {};
  auto without_decode = tally_spec();
  without_decode.decode = {};
  for (const auto& spec : {without_encode, without_decode}) {
    auto projection = open(spec, 1);
    wait_for(*projection);
    append(10);
    wait_for(*projection);
    EXPECT_FALSE(projection->checkpoint_failure());
  }
  EXPECT_FALSE(fs::exists(kept()));
}

TEST_F(Projections, GoOnWhenTheirBytesCannotBeMadeOrRead) {
  append(20);
  auto spec = tally_spec();
  spec.encode = [](const Tally&) -> std::vector<std::byte> { throw std::runtime_error("no room"); };
  auto projection = open(spec, 1);
  while (!projection->checkpoint_failure()) append(10);
  EXPECT_EQ(projection->checkpoint_failure()->message, "the projection's bytes: no room");
  wait_for(*projection);
  projection = open(tally_spec());
  wait_for(*projection);
  projection.reset();
  spec = counting();
  spec.decode = [](Bytes) -> Result<Tally> { throw std::runtime_error("of another kind"); };
  wait_for(*open(spec));
  EXPECT_EQ(folded, last().value);
}

TEST_F(Projections, FollowThoughTheirCheckpointsCannotBeWritten) {
  write_file(folder / "kept", "not a folder");
  append(200);
  auto projection = open(tally_spec());
  wait_for(*projection);
  append(200);
  wait_for(*projection);
  EXPECT_FALSE(projection->failure());
  while (!projection->checkpoint_failure()) append(100);
  EXPECT_NE(projection->checkpoint_failure()->message.find("kept"), std::string::npos);
}

// --- Another version ----------------------------------------------------------------------------

TEST_F(Projections, AreServedByTheOldVersionUntilTheNewOneHasComeAsFar) {
  append(100);
  auto projection = open(tally_spec());
  wait_for(*projection);
  Gate gate;
  auto doubled = tally_spec();
  doubled.version = 2;
  doubled.fold = [&](Tally& tally, const RecordedEvent&) {
    gate.pass();
    tally.events += 2;
  };
  ASSERT_TRUE(projection->replace(doubled));
  gate.wait_for_arrivals(1);
  append(50);
  wait_for(*projection);
  EXPECT_EQ(projection->now().version, 1U);
  gate.open();
  Projected<Tally> now;
  for (Position before; now.version != 2; before = now.position) {
    now = projection->now();
    ASSERT_GE(now.position, before) << "it never goes back";
    ASSERT_FALSE(projection->failure());
  }
  EXPECT_EQ(now.position, last());
  EXPECT_EQ(now.value.events, 300U);
  append(10);
  ASSERT_TRUE(projection->wait_for(last(), 10s));
  EXPECT_EQ(projection->now().value.events, 320U);
  EXPECT_EQ(projection->at(Position(5))->value.events, 10U);
}

TEST_F(Projections, AreRebuiltAfterAStartWithAnotherVersion) {
  append(100);
  wait_for(*open(counting()));
  auto spec = counting();
  spec.version = 2;
  wait_for(*open(spec));
  EXPECT_EQ(folded, 200U);
  wait_for(*open(counting()));
  EXPECT_EQ(folded, 200U) << "the first one's checkpoint is still there";
}

TEST_F(Projections, StayAsTheyAreWhenTheNewVersionFails) {
  append(100);
  auto projection = open(tally_spec());
  wait_for(*projection);
  auto bad = tally_spec();
  bad.version = 2;
  bad.fold = [](Tally&, const RecordedEvent& event) {
    if (event.position == Position(42)) throw std::runtime_error("no answer");
  };
  ASSERT_TRUE(projection->replace(bad));
  while (!projection->failure()) std::this_thread::yield();
  EXPECT_EQ(projection->failure()->message,
            "the projection's fold threw at position 42: no answer");
  append(10);
  wait_for(*projection);
  EXPECT_EQ(projection->now().version, 1U);
  auto good = tally_spec();
  good.version = 3;
  ASSERT_TRUE(projection->replace(good));
  while (projection->now().version != 3) ASSERT_FALSE(projection->failure());
  wait_for(*projection);
}

TEST_F(Projections, StopInFrontOfWhatTheirFoldDoesNotTake) {
  append(100);
  auto spec = tally_spec();
  spec.fold = [fold = spec.fold](Tally& tally, const RecordedEvent& event) {
    if (event.position == Position(42)) throw 42;
    fold(tally, event);
  };
  auto projection = open(spec);
  EXPECT_FALSE(projection->wait_for(last(), 1h)) << "there is nothing to wait for";
  ASSERT_TRUE(projection->failure());
  EXPECT_EQ(projection->failure()->code, ErrorCode::corrupt);
  EXPECT_LT(projection->now().position, Position(42));
}

TEST_F(Projections, ThatStoppedGoOnWithAVersionThatTakesEveryEvent) {
  append(100);
  auto spec = tally_spec();
  spec.fold = [](Tally&, const RecordedEvent&) { throw std::runtime_error("nothing"); };
  auto projection = open(spec);
  EXPECT_FALSE(projection->wait_for(last(), 10s));
  auto good = tally_spec();
  good.version = 2;
  ASSERT_TRUE(projection->replace(good));
  while (projection->now().version != 2) std::this_thread::yield();
  EXPECT_FALSE(projection->failure());
  wait_for(*projection);
}

// --- What cannot be -----------------------------------------------------------------------------

TEST_F(Projections, WithoutANameAVersionOrAFoldAreRefused) {
  for (const char* name : {"", ".", "a/b", "..", "\xc3\xa4"}) {
    auto spec = tally_spec();
    spec.name = name;
    EXPECT_EQ(Projection<Tally>::open(*log, {}, spec).error().code, ErrorCode::invalid) << name;
  }
  auto spec = tally_spec();
  spec.version = 0;
  EXPECT_EQ(Projection<Tally>::open(*log, {}, spec).error().code, ErrorCode::invalid);
  spec = tally_spec();
  spec.fold = {};
  EXPECT_EQ(Projection<Tally>::open(*log, {}, spec).error().code, ErrorCode::invalid);
}

TEST_F(Projections, AreReplacedByThemselvesOnlyAndInAnotherVersion) {
  auto projection = open(tally_spec());
  EXPECT_EQ(projection->replace(tally_spec()).error().code, ErrorCode::invalid);
  auto other = tally_spec();
  other.name = "other";
  other.version = 2;
  EXPECT_EQ(projection->replace(other).error().code, ErrorCode::invalid);
}

TEST_F(Projections, OfATrimmedLogNeedACheckpoint) {
  append(2'000);  // more frames than share a value of the store
  wait_for(*open(tally_spec()));
  ASSERT_TRUE(log->set_checkpoint(Position(2'000)));
  while (log->trim({.before = Position(2'000)})->events == 0) append(10);
  append(10);
  wait_for(*open(tally_spec()));
  auto spec = tally_spec();
  spec.version = 2;
  auto projection = open(spec);
  EXPECT_FALSE(projection->wait_for(last(), 10s));
  ASSERT_TRUE(projection->failure());
  EXPECT_EQ(projection->failure()->code, ErrorCode::not_found);
  for (Position position : {Position(3), last()}) {
    auto at = projection->at(position);
    ASSERT_FALSE(at) << "the front is missing";
    EXPECT_EQ(at.error().code, ErrorCode::not_found);
  }
}

}  // namespace
}  // namespace almanac::test
