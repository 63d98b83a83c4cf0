// Looking at the journal of another process again and again, as who follows a log does: a look
// costs what is new, and what it gives is what reading all of the journal would have given.
#include <almanac/log/codec.h>
#include <almanac/log/file_journal.h>
#include <almanac/log/limits.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t small_bytes = 300;

// What this process has read from files so far, by the kernel's count.
std::uint64_t bytes_read() {
  std::ifstream io("/proc/self/io");
  std::string name;
  std::uint64_t bytes = 0;
  io >> name >> bytes;
  EXPECT_EQ(name, "rchar:");
  return bytes;
}

// Frames of one event each, encoded once; the second telling of one is another frame of that place.
struct Stored {
  std::vector<std::uint64_t> words;
  Digest digest{};
  [[nodiscard]] Bytes value() const { return std::as_bytes(std::span(words)); }
};

class FileJournalTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(create_file_journal(path()));
    open_writer();
    reader_ = *open_file_journal(path(), Access::read);
  }
  [[nodiscard]] fs::path path() const { return folder_ / "journal"; }
  void open_writer() {
    writer_ = *open_file_journal(path(), Access::write);
    auto recovered = writer_->recover({}, [](auto&&...) { return Result<void>(); });
    ASSERT_TRUE(recovered);
  }
  [[nodiscard]] Stored encode(std::size_t bytes, char filling) const {
    const std::string data(bytes, filling);
    Event event = numbered_event(told_.size() + 1);
    event.body = CustomEvent{"", as_bytes(data)};
    auto batch = make_batch({event});
    const EventBatch* one = batch.get();
    FrameEncoder encoder;
    auto encoded = encoder.encode({.first = Position(told_.size() + 1),
                                   .time = event.at,
                                   .previous = told_.empty() ? Digest{} : told_.back().digest},
                                  {&one, 1});
    Stored stored{std::vector<std::uint64_t>(encoded.value.size() / sizeof(std::uint64_t)),
                  encoded.digest};
    std::ranges::copy(encoded.value, std::as_writable_bytes(std::span(stored.words)).begin());
    return stored;
  }
  void append(std::size_t bytes) {
    auto frame = encode(bytes, 'x');
    const Position at(told_.size() + 1);
    ASSERT_TRUE(writer_->append({at, at, frame.value()}, Space::ordinary));
    told_.push_back(std::move(frame));
  }
  // What a look gives is all there is behind `after`, as far as `through`.
  void expect_look(std::uint64_t after, std::uint64_t through) {
    JournalStart start{.last = Position(after), .through = Position(through)};
    if (after != 0) start.digest = told_[after - 1].digest;
    auto next = after;
    auto looked = reader_->recover(start, [&](const FrameReader& frame, Bytes value) {
      EXPECT_EQ(frame.header().first, Position(next + 1));
      EXPECT_TRUE(std::ranges::equal(value, told_[next].value()));
      ++next;
      return Result<void>();
    });
    ASSERT_TRUE(looked) << looked.error().message;
    EXPECT_EQ(next, through) << "after " << after;
  }
  [[nodiscard]] std::uint64_t last() const { return told_.size(); }
  // In the first segment.
  void overwrite(std::size_t at, std::string_view bytes) const {
    std::fstream file(path() / "segment-0", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    EXPECT_TRUE(file.good());
  }

  TempFolder folder_;
  std::unique_ptr<Journal> writer_;
  std::unique_ptr<Journal> reader_;
  std::vector<Stored> told_;
};

TEST_F(FileJournalTest, IsLookedAtAgainAtTheCostOfWhatIsNew) {
  while (writer_->size_bytes() < 2 * limits::mebibyte) append(16 * limits::kibibyte);
  const auto segments = static_cast<std::size_t>(
      std::distance(fs::directory_iterator(path()), fs::directory_iterator()));
  ASSERT_GE(segments, 3U);
  auto began = bytes_read();
  expect_look(0, last());
  EXPECT_GE(bytes_read() - began, limits::mebibyte) << "the first look reads all of it";
  for (int look = 0; look < 20; ++look) {
    append(small_bytes);
    began = bytes_read();
    expect_look(last() - 1, last());
    EXPECT_LE(bytes_read() - began, segments * 1024 + 4096) << look;
    began = bytes_read();
    expect_look(last(), last());
    EXPECT_LE(bytes_read() - began, segments * 1024) << look;
  }
}

// Against what was told, whatever was looked at before: segments are used again, looks begin
// anywhere behind what was trimmed and end anywhere in front of what was written.
TEST_F(FileJournalTest, GivesEveryLookWhatIsThere) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    std::mt19937_64 random(seed);
    std::uint64_t trimmed = last();
    writer_->trim(Position(trimmed));
    for (int step = 0; step < 300; ++step) {
      const bool large = random() % 8 == 0;
      append(large ? random() % (60 * limits::kibibyte) : random() % 2000);
      if (random() % 40 == 0) {
        trimmed += random() % (last() - trimmed + 1);
        writer_->trim(Position(trimmed));
      }
      if (random() % 3 != 0) continue;
      const auto after = trimmed + random() % (last() - trimmed + 1);
      const auto through = after + random() % (last() - after + 1);
      ASSERT_NO_FATAL_FAILURE(expect_look(after, through)) << seed;
    }
  }
}

// As a writer leaves it that is told of a failed write, and goes on with another frame there.
TEST_F(FileJournalTest, DoesNotHoldToAFrameThatWasTakenBack) {
  append(small_bytes);
  append(small_bytes);
  expect_look(0, 2);
  auto at = told_.front().value().size();
  told_.pop_back();
  for (char filling : {'y', 'z'}) {
    told_.push_back(encode(3 * small_bytes, filling));
    overwrite(at, as_text(told_.back().value()));
    at += told_.back().value().size();
  }
  expect_look(2, 3);
  expect_look(1, 3);
  expect_look(0, 3);
}

// Also the one that it writes to: with that there is room for the reserve without another segment.
TEST_F(FileJournalTest, UsesASegmentAgainThatNothingInItIsNeededOf) {
  append(200 * limits::kibibyte);
  writer_->trim(Position(last()));
  const auto bytes = writer_->size_bytes();
  ASSERT_EQ(bytes, 2 * limits::journal_segment_bytes_min);
  writer_->set_reserve(limits::journal_segment_bytes_min);
  append(200 * limits::kibibyte);
  EXPECT_EQ(writer_->size_bytes(), bytes);
  expect_look(1, 2);
}

// A segment is seen by name before all of its zeros are written.
TEST_F(FileJournalTest, SeesWhatGoesIntoASegmentThatItSawInTheMaking) {
  append(limits::kibibyte);
  const auto file = path() / "segment-0";
  const auto whole = read_file(file);
  fs::resize_file(file, small_bytes);
  reader_ = *open_file_journal(path(), Access::read);
  expect_look(0, 0);
  write_file(file, whole);
  expect_look(0, 1);
}

}  // namespace
}  // namespace almanac::test
