// Segments made of a real log's frames, and read back.
#include <almanac/log/hash.h>
#include <almanac/snapshots/limits.h>
#include <almanac/snapshots/segment_writer.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

std::string text_of(Bytes bytes) { return std::string(as_text(bytes)); }

// A log of frames of so many events each.
class Segments : public ::testing::Test {
 protected:
  void append(std::size_t frames, std::size_t events) {
    for (std::size_t i = 0; i < frames; ++i) {
      const std::uint64_t first = log->tail()->last.value + 1;
      ASSERT_TRUE(log.append(numbered_events(first, events)));
    }
  }
  [[nodiscard]] std::vector<std::string> frames_of_log(Position from = Position(1)) {
    std::vector<std::string> frames;
    auto read = log->read_frames(from, [&](const FrameReader& frame) -> Result<bool> {
      frames.push_back(text_of(frame.value()));
      return true;
    });
    EXPECT_TRUE(read);
    return frames;
  }
  [[nodiscard]] std::vector<std::byte> file(std::size_t jobs = 2) {
    SegmentWriter writer(log->timeline(), {}, jobs);
    auto read = log->read_frames(Position(1), [&](const FrameReader& frame) -> Result<bool> {
      EXPECT_TRUE(writer.add(frame));
      return true;
    });
    EXPECT_TRUE(read);
    auto file = writer.finish();
    EXPECT_TRUE(file);
    return *file;
  }
  static Result<std::vector<std::string>> frames_in(const ArchiveSegment& segment,
                                                    Position from = Position(1)) {
    std::vector<std::string> frames;
    auto read = segment.read_frames(from, [&](const FrameReader& frame) -> Result<bool> {
      frames.push_back(text_of(frame.value()));
      return true;
    });
    if (!read) return std::unexpected(read.error());
    return frames;
  }
  // What becomes of the file once it was changed: read whole, or the code of the error.
  static std::string_view outcome(std::vector<std::byte> file) {
    auto segment = ArchiveSegment::open(std::move(file));
    return segment ? code_of(frames_in(*segment)) : name(segment.error().code);
  }

  TempFolder folder;
  TestLog log{folder / "log"};
};

TEST_F(Segments, GiveTheFramesOfTheLogByteForByte) {
  append(700, 1);
  append(50, 16);
  append(4, 1000);
  for (std::size_t jobs : {1, 4}) {
    auto segment = ArchiveSegment::open(file(jobs));
    ASSERT_TRUE(segment) << describe(segment.error());
    auto frames = frames_in(*segment);
    ASSERT_TRUE(frames) << describe(frames.error());
    EXPECT_EQ(*frames, frames_of_log());
    EXPECT_EQ(segment->header().frames, 754U);
    EXPECT_EQ(segment->header().last, log->tail()->last);
    EXPECT_EQ(segment->header().digest, log->tail()->digest);
  }
}

TEST_F(Segments, AreReadFromAnyPosition) {
  append(2000, 1);
  append(3, 300);
  auto segment = ArchiveSegment::open(file());
  ASSERT_TRUE(segment);
  EXPECT_GT(segment->blocks().size(), 2U);
  for (std::uint64_t from : {1, 2, 257, 1999, 2000, 2001, 2299, 2301, 2900}) {
    EXPECT_EQ(*frames_in(*segment, Position(from)), frames_of_log(Position(from))) << from;
  }
  EXPECT_TRUE(frames_in(*segment, Position(2901))->empty());
}

TEST_F(Segments, AreOneFileForOneRunOfFrames) {
  append(3000, 1);
  EXPECT_EQ(file(1), file(3));
}

TEST_F(Segments, EndTheReadingWhereTheVisitorWants) {
  append(10, 1);
  auto segment = ArchiveSegment::open(file());
  int seen = 0;
  auto read = segment->read_frames(Position(3), [&](const FrameReader& frame) -> Result<bool> {
    EXPECT_EQ(frame.header().first, Position(3));
    return ++seen < 1;
  });
  EXPECT_TRUE(read);
  EXPECT_EQ(seen, 1);
}

TEST_F(Segments, RefuseEveryChangedBitAndEveryOtherLength) {
  append(20, 1);
  append(1, 40);
  const auto whole = file();
  ASSERT_EQ(outcome(whole), "ok");
  for (std::size_t i = 0; i < whole.size() * 8; ++i) {
    auto changed = whole;
    changed[i / 8] ^= static_cast<std::byte>(1U << (i % 8));
    ASSERT_NE(outcome(std::move(changed)), "ok") << "bit " << i;
  }
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_EQ(outcome({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}),
              "corrupt")
        << size;
  }
  auto longer = whole;
  longer.push_back({});
  EXPECT_EQ(outcome(std::move(longer)), "corrupt");
}

TEST_F(Segments, TakeNoFrameWhoseDigestIsNotThatOfItsBytes) {
  FrameEncoder encoder;
  FrameHeader header{.timeline = log->timeline(), .first = Position(1)};
  const EventBatch batch{.events = numbered_events(1, 3), .memory = {}};
  const EventBatch* const batches[] = {&batch};
  // Zeros stand for the digest of a draft.
  auto frame = FrameReader::open(encoder.encode_draft(header, batches), FrameTrust::unverified);
  ASSERT_TRUE(frame);
  SegmentWriter writer(log->timeline(), {}, 1);
  ASSERT_TRUE(writer.add(*frame));
  EXPECT_EQ(code_of(writer.finish()), "corrupt");
}

// The same bytes as those of a writer that is new, whatever was in the memory it is given.
TEST_F(Segments, AreMadeOneBehindTheOtherInTheMemoryOfTheOneBefore) {
  append(300, 16);
  SegmentWriter writer(log->timeline(), {}, 2);
  LogTail at;
  for (std::vector<std::byte> memory; const Position last : {Position(2000), Position(4800)}) {
    SegmentWriter fresh(log->timeline(), at, 2);
    writer.begin(at, std::move(memory));
    auto read = log->read_frames(at.last.next(), [&](const FrameReader& frame) -> Result<bool> {
      EXPECT_TRUE(writer.add(frame));
      EXPECT_TRUE(fresh.add(frame));
      return frame.header().last() < last;
    });
    ASSERT_TRUE(read);
    const SegmentHeader& header = writer.header();
    at = {.last = header.last, .digest = header.digest, .time = header.last_time};
    auto file = writer.finish();
    ASSERT_TRUE(file);
    EXPECT_EQ(*file, *fresh.finish());
    EXPECT_EQ(outcome(*file), "ok");
    memory.assign(file->size() * 2, std::byte{0xa5});
  }
}

// Who makes the checksums anew is held up by the chain.
TEST_F(Segments, LeadFromTheDigestInFrontToTheirOwn) {
  append(600, 1);
  const auto whole = file();
  const std::size_t index = whole.size() - segment_footer_bytes - segment_index_bytes;
  const std::size_t digests[] = {80, 112, index + 48};  // in front, of the last, of a block
  for (const std::size_t at : digests) {
    auto changed = whole;
    changed[at] ^= std::byte{1};
    const auto content = Bytes(changed).first(changed.size() - segment_footer_bytes);
    std::ranges::copy(xxh3_128(content), changed.end() - segment_footer_bytes);
    EXPECT_EQ(outcome(std::move(changed)), "corrupt") << at;
  }
}

}  // namespace
}  // namespace almanac::test
