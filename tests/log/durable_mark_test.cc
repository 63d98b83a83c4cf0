#include <almanac/log/codec.h>
#include <almanac/log/durable_mark.h>
#include <almanac/log/file_journal.h>
#include <almanac/log/folder.h>
#include <almanac/log/log.h>
#include <almanac/log/reader.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

// Where things lie in the file.
constexpr std::size_t mark_magic_at = 0;
constexpr std::size_t timeline_at = 8;
constexpr std::size_t boot_at = 24;
constexpr std::size_t position_at = 64;
constexpr std::size_t file_bytes = 128;
constexpr std::chrono::seconds for_ever{60};
constexpr std::chrono::seconds soon{20};

constexpr Timeline timeline_of_tests{std::byte{1}, std::byte{2}};

class DurableMarkTest : public testing::Test {
 protected:
  [[nodiscard]] fs::path file() const { return folder_ / "durable"; }
  [[nodiscard]] Result<std::unique_ptr<DurableMark>> open(Access access) const {
    return DurableMark::open(file(), timeline_of_tests, access);
  }
  // Changes the bytes of the file from `at` on.
  void overwrite(std::size_t at, std::string_view bytes) const {
    auto content = read_file(file());
    write_file(file(), content.replace(at, bytes.size(), bytes));
  }
  void publish(std::uint64_t position) const {
    auto mark = open(Access::write);
    ASSERT_TRUE(mark.has_value());
    (*mark)->publish(Position(position));
  }

  TempFolder folder_;
};

TEST_F(DurableMarkTest, IsSeenByWhoeverHasItOpen) {
  auto writer = *open(Access::write);
  auto reader = *open(Access::read);
  EXPECT_EQ(reader->position(), Position());
  writer->publish(Position(7));
  EXPECT_EQ(reader->position(), Position(7));
  EXPECT_EQ((*open(Access::read))->position(), Position(7));
  EXPECT_FALSE((*open(Access::read))->is_of_an_earlier_boot());
}

TEST_F(DurableMarkTest, OfAnEarlierBootIsKnownAsSuchUntilTheNextIsPublished) {
  publish(7);
  overwrite(boot_at, "00000000-0000-0000-0000-000000000000");
  EXPECT_TRUE((*open(Access::read))->is_of_an_earlier_boot());
  EXPECT_EQ((*open(Access::read))->position(), Position(7));
  publish(8);
  EXPECT_FALSE((*open(Access::read))->is_of_an_earlier_boot());
}

TEST_F(DurableMarkTest, IsKnownAsOfThisBootToAReaderThatWasThereBeforeItsFirstWriter) {
  publish(7);
  overwrite(boot_at, "00000000-0000-0000-0000-000000000000");
  auto reader = *open(Access::read);
  EXPECT_TRUE(reader->is_of_an_earlier_boot());
  publish(8);
  EXPECT_FALSE(reader->is_of_an_earlier_boot());
  EXPECT_EQ(reader->position(), Position(8));
}

TEST_F(DurableMarkTest, IsSeenByAReaderThatWasThereBeforeTheFile) {
  auto reader = *open(Access::read);
  EXPECT_TRUE(reader->is_of_an_earlier_boot());
  EXPECT_FALSE(reader->wait(Position(), std::chrono::milliseconds(1)));
  publish(7);
  EXPECT_FALSE(reader->is_of_an_earlier_boot());
  EXPECT_EQ(reader->position(), Position(7));
  EXPECT_TRUE(reader->wait(Position(6), for_ever));
}

TEST_F(DurableMarkTest, CountsAsOfAnEarlierBootWhenAPowerLossTookItsContent) {
  for (std::size_t left : {std::size_t{0}, std::size_t{1}, position_at, file_bytes - 1}) {
    publish(7);
    fs::resize_file(file(), left);
    auto reader = open(Access::read);
    ASSERT_TRUE(reader.has_value()) << left;
    EXPECT_TRUE((*reader)->is_of_an_earlier_boot()) << left;
    EXPECT_EQ((*reader)->position(), Position()) << left;
    EXPECT_EQ((*open(Access::write))->position(), Position()) << left;
  }
  publish(7);
  write_file(file(), std::string(file_bytes, '\0'));
  EXPECT_TRUE((*open(Access::read))->is_of_an_earlier_boot());
}

TEST_F(DurableMarkTest, OfAnotherTimelineIsRefused) {
  publish(7);
  overwrite(timeline_at, "another timeline");
  for (auto access : {Access::read, Access::write}) {
    auto mark = open(access);
    ASSERT_FALSE(mark.has_value());
    EXPECT_EQ(mark.error().code, ErrorCode::corrupt);
    EXPECT_TRUE(mark.error().message.contains("belongs to another log")) << mark.error().message;
  }
}

TEST_F(DurableMarkTest, IsRefusedWhenAByteOfItsNumbersIsDamaged) {
  publish(7);
  const auto whole = read_file(file());
  auto is_refused = [&] {
    auto mark = open(Access::read);
    return !mark && mark.error().code == ErrorCode::corrupt;
  };
  for (std::size_t first : {mark_magic_at, position_at}) {
    for (auto at = first; at < first + sizeof(std::uint64_t); ++at) {
      const char damaged = static_cast<char>(whole[at] ^ 1);
      overwrite(at, {&damaged, 1});
      EXPECT_TRUE(is_refused()) << "byte " << at;
      write_file(file(), whole);
    }
  }
  EXPECT_FALSE(is_refused());
}

TEST_F(DurableMarkTest, EndsAWaitThatIsLongOverOnlyWhenItsTimeIsUp) {
  publish(7);
  auto mark = *open(Access::read);
  EXPECT_TRUE(mark->wait(Position(6), for_ever));
  const auto began = steady_clock::now();
  EXPECT_FALSE(mark->wait(Position(7), std::chrono::milliseconds(5)));
  EXPECT_LT(steady_clock::now() - began, soon);
}

TEST_F(DurableMarkTest, EndsAllWaitsWhenAsked) {
  auto writer = *open(Access::write);
  auto reader = *open(Access::read);
  std::atomic<bool> ended = false;
  const auto began = steady_clock::now();
  std::thread waits([&] {
    EXPECT_FALSE(reader->wait(Position(), for_ever));
    ended = true;
  });
  while (!ended) writer->wake();
  waits.join();
  EXPECT_LT(steady_clock::now() - began, soon);
}

// So many times that the one process has gone to sleep often when the other one publishes.
TEST_F(DurableMarkTest, WakesAnotherProcess) {
  constexpr std::uint64_t rounds = 500;
  auto writer = *open(Access::write);
  std::array<int, 2> answers{};
  ASSERT_EQ(::pipe2(answers.data(), O_CLOEXEC), 0);
  const pid_t other = ::fork();
  ASSERT_GE(other, 0);
  if (other == 0) {
    auto reader = *open(Access::read);
    for (std::uint64_t seen = 0; seen < rounds; ++seen) {
      while (!reader->wait(Position(seen), for_ever)) {}
      if (::write(answers[1], "!", 1) != 1) ::_exit(1);
    }
    ::_exit(0);
  }
  const auto began = steady_clock::now();
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    writer->publish(Position(round));
    char answer = 0;
    ASSERT_EQ(::read(answers[0], &answer, 1), 1);
  }
  EXPECT_LT(steady_clock::now() - began, soon);
  int status = 0;
  ASSERT_EQ(::waitpid(other, &status, 0), other);
  EXPECT_EQ(status, 0);
  for (int end : answers) ::close(end);
}

// A log whose last frames are in its journal only, and a mark that says how far they are synced.
class MarkedLogTest : public testing::Test {
 protected:
  static constexpr std::uint64_t in_store = 3;
  static constexpr std::uint64_t in_all = 5;

  void SetUp() override {
    TestLog log(path());
    ASSERT_TRUE(log.append(numbered_events(1, in_store)).has_value());
  }
  [[nodiscard]] fs::path path() const { return folder_ / "log"; }
  [[nodiscard]] fs::path store_path() const { return path() / store_folder; }
  [[nodiscard]] fs::path mark_path() const { return store_path() / durable_mark_file; }

  [[nodiscard]] std::unique_ptr<Store> open_store() const {
    return *Store::open(store_path(), {.map_bytes = limits::map_bytes_default});
  }
  // Frames of one event each, written by who dies before it says that they are synced.
  void write_journal() {
    auto store = open_store();
    ASSERT_TRUE(store->set_journal_use(JournalUse::open).has_value());
    timeline_ = store->timeline();
    append_to_journal(in_store + 1, in_all, end_of(*store));
  }
  // The same behind what the journal holds, while others have the store open.
  void append_to_journal(std::uint64_t first, std::uint64_t last, LogTail end) const {
    auto journal = *open_file_journal(store_path() / journal_folder, Access::write);
    auto recovered =
        journal->recover({.timeline = timeline_, .last = end.last, .digest = end.digest},
                         [&](const FrameReader& frame, Bytes) {
                           end = {frame.header().last(), frame.digest(), {}};
                           return Result<void>();
                         });
    ASSERT_TRUE(recovered.has_value());
    ASSERT_EQ(end.last, Position(first - 1));
    FrameEncoder encoder;
    for (auto number = first; number <= last; ++number) {
      auto batch = make_batch(numbered_events(number, 1));
      const EventBatch* batches[] = {batch.get()};
      const Position at(number);
      auto encoded = encoder.encode({.timeline = timeline_,
                                     .first = at,
                                     .time = batch->events.front().at,
                                     .previous = end.digest},
                                    batches);
      end.digest = encoded.digest;
      ASSERT_TRUE(journal->append({at, at, encoded.value}, Space::ordinary).has_value());
    }
  }
  // What the first writer since another start does, up to where its first frame is synced.
  void begin_to_write(const LogTail& store_end) const {
    (*DurableMark::open(mark_path(), timeline_, Access::write))->publish(Position(in_all));
    append_to_journal(in_all + 1, in_all + 1, store_end);
  }
  void publish(std::uint64_t position) const {
    auto store = open_store();
    auto mark = DurableMark::open(mark_path(), store->timeline(), Access::write);
    ASSERT_TRUE(mark.has_value());
    (*mark)->publish(Position(position));
  }
  void make_it_of_an_earlier_boot() const {
    auto content = read_file(mark_path());
    write_file(mark_path(), content.replace(boot_at, 1, "?"));
  }
  [[nodiscard]] Result<std::uint64_t> end_for(Access access) const {
    auto log = Log::open(path(), {.access = access});
    if (!log) return std::unexpected(log.error());
    auto texts = read_texts(**log);
    if (!texts) return std::unexpected(texts.error());
    auto tail = (*log)->tail();
    if (!tail) return std::unexpected(tail.error());
    EXPECT_EQ(texts->size(), tail->last.value);
    return tail->last.value;
  }

  [[nodiscard]] static LogTail end_of(const Store& store) {
    LogTail tail;
    auto read = store.read_backward(Position(UINT64_MAX), [&](const Store::Frame& stored) {
      auto frame = FrameReader::open(stored.value, FrameTrust::unverified);
      tail = {frame->header().last(), frame->digest(), {}};
      return Result<bool>(false);
    });
    EXPECT_TRUE(read.has_value());
    return tail;
  }
  [[nodiscard]] const Timeline& timeline() const { return timeline_; }

 private:
  TempFolder folder_;
  Timeline timeline_{};
};

TEST_F(MarkedLogTest, ShowsAReaderNothingBehindTheMark) {
  write_journal();
  for (auto marked = in_store; marked <= in_all; ++marked) {
    publish(marked);
    EXPECT_EQ(end_for(Access::read), marked);
  }
}

TEST_F(MarkedLogTest, ShowsAReaderAllThereIsAfterAnotherStart) {
  write_journal();
  publish(in_store);
  make_it_of_an_earlier_boot();
  EXPECT_EQ(end_for(Access::read), in_all);
}

TEST_F(MarkedLogTest, ShowsAReaderOfBeforeTheFirstWriterNothingThatOneHasNotSynced) {
  write_journal();
  publish(in_store);
  const auto store_end = end_of(*open_store());
  make_it_of_an_earlier_boot();
  auto reader = *Log::open(path(), {.access = Access::read});
  EXPECT_EQ(reader->tail()->last, Position(in_all));
  begin_to_write(store_end);
  EXPECT_EQ(reader->tail()->last, Position(in_all));
  EXPECT_EQ(read_texts(*reader)->size(), in_all);
}

TEST_F(MarkedLogTest, ShowsAReaderOfBeforeTheMarkNothingThatIsNotSynced) {
  write_journal();
  publish(in_store);
  const auto store_end = end_of(*open_store());
  fs::remove(mark_path());
  auto reader = *Log::open(path(), {.access = Access::read});
  EXPECT_EQ(reader->tail()->last, Position(in_all));
  begin_to_write(store_end);
  EXPECT_EQ(reader->tail()->last, Position(in_all));
}

// A journal whose first reading meets the log's first writer since another start.
class MeetsAWriter : public Journal {
 public:
  MeetsAWriter(std::unique_ptr<Journal> journal, std::function<void()> begin_to_write)
      : journal_(std::move(journal)), begin_to_write_(std::move(begin_to_write)) {}
  Result<void> recover(const JournalStart& start, const Visit& visit) override {
    if (auto begin = std::exchange(begin_to_write_, nullptr)) begin();
    return journal_->recover(start, visit);
  }
  Result<void> append(const FrameView&, Space) override { return {}; }
  void trim(Position) override {}
  void set_reserve(std::size_t) override {}
  [[nodiscard]] std::uint64_t size_bytes() const override { return 0; }

 private:
  std::unique_ptr<Journal> journal_;
  std::function<void()> begin_to_write_;
};

TEST_F(MarkedLogTest, ShowsAReaderNothingUnsyncedOfAWriterThatBeginsWhileItReads) {
  write_journal();
  publish(in_store);
  make_it_of_an_earlier_boot();
  auto store = open_store();
  auto mark = *DurableMark::open(mark_path(), timeline(), Access::read);
  const auto store_end = end_of(*store);
  Reader reader({.store = *store, .mark = mark.get(), .open_journal = [&] {
                   auto journal = open_file_journal(store_path() / journal_folder, Access::read);
                   return Result<std::unique_ptr<Journal>>(std::make_unique<MeetsAWriter>(
                       std::move(*journal), [&] { begin_to_write(store_end); }));
                 }});
  EXPECT_EQ(reader.tail()->last, Position(in_all));
}

// A journal that counts the frames it gives.
class CountsFrames : public Journal {
 public:
  CountsFrames(std::unique_ptr<Journal> journal, std::uint64_t& frames)
      : journal_(std::move(journal)), frames_(frames) {}
  Result<void> recover(const JournalStart& start, const Visit& visit) override {
    return journal_->recover(start, [&](const FrameReader& frame, Bytes value) {
      ++frames_;
      return visit(frame, value);
    });
  }
  Result<void> append(const FrameView&, Space) override { return {}; }
  void trim(Position) override {}
  void set_reserve(std::size_t) override {}
  [[nodiscard]] std::uint64_t size_bytes() const override { return 0; }

 private:
  std::unique_ptr<Journal> journal_;
  std::uint64_t& frames_;
};

TEST_F(MarkedLogTest, IsFollowedAtTheCostOfWhatIsNew) {
  write_journal();
  publish(in_all);
  auto store = open_store();
  auto mark = *DurableMark::open(mark_path(), timeline(), Access::write);
  const auto store_end = end_of(*store);
  std::uint64_t given = 0;
  Reader reader({.store = *store, .mark = mark.get(), .open_journal = [&] {
                   auto journal = open_file_journal(store_path() / journal_folder, Access::read);
                   return Result<std::unique_ptr<Journal>>(
                       std::make_unique<CountsFrames>(std::move(*journal), given));
                 }});
  auto next = Position(1);
  for (auto last = in_all; last < in_all + 10; ++last) {
    if (last > in_all) append_to_journal(last, last, store_end);
    mark->publish(Position(last));
    given = 0;
    auto read = reader.read(next, [&](const RecordedEvent& recorded) -> Result<bool> {
      EXPECT_EQ(recorded.position, next);
      next = recorded.position.next();
      return true;
    });
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(next, Position(last + 1));
    EXPECT_EQ(given, last == in_all ? in_all - in_store : 1U);
    EXPECT_EQ(reader.tail()->last, Position(last));
    EXPECT_EQ(reader.tail()->time, numbered_event(last).at);
    EXPECT_EQ(given, last == in_all ? in_all - in_store : 1U) << "nothing is new";
  }
}

TEST_F(MarkedLogTest, GivesAWriterAllThereIsWhereverTheMarkIs) {
  write_journal();
  publish(in_store);
  EXPECT_EQ(end_for(Access::write), in_all);
  EXPECT_EQ(end_for(Access::read), in_all);
}

TEST_F(MarkedLogTest, ShowsAllThereIsWhereAPowerLossTookTheMark) {
  write_journal();
  for (std::size_t left : {std::size_t{0}, std::size_t{40}, file_bytes}) {
    write_file(mark_path(), std::string(left, '\0'));
    EXPECT_EQ(end_for(Access::read), in_all) << left;
  }
  EXPECT_EQ(end_for(Access::write), in_all);
}

TEST_F(MarkedLogTest, IsRefusedAsRolledBackWhenItEndsBeforeTheMark) {
  write_journal();
  publish(in_all + 1);
  for (int boot = 0; boot < 2; ++boot) {
    for (auto access : {Access::read, Access::write}) {
      auto end = end_for(access);
      ASSERT_FALSE(end.has_value());
      EXPECT_EQ(end.error().code, ErrorCode::corrupt);
      EXPECT_TRUE(end.error().message.contains("had reached 6")) << end.error().message;
    }
    make_it_of_an_earlier_boot();
  }
}

TEST_F(MarkedLogTest, IsRefusedAsRolledBackWhenItsJournalIsCutShort) {
  write_journal();
  publish(in_all);
  fs::resize_file(store_path() / journal_folder / "segment-0", 100);
  EXPECT_EQ(code_of(end_for(Access::read)), "corrupt");
  EXPECT_EQ(code_of(end_for(Access::write)), "corrupt");
}

}  // namespace
}  // namespace almanac::test
