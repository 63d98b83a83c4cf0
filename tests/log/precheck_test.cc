#include <almanac/log/log.h>
#include <almanac/log/precheck.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <thread>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

// Where LMDB's first meta page holds what; the second is a page behind.
constexpr std::size_t flags_at = 10;
constexpr std::size_t meta_magic_at = 16;
constexpr std::size_t version_at = 20;
constexpr std::size_t page_bytes_at = 40;
constexpr std::size_t last_page_at = 136;
constexpr std::size_t transaction_at = 144;

// A small log's file, to be damaged and looked at again.
class PrecheckTest : public testing::Test {
 protected:
  PrecheckTest() {
    TestLog log(folder_ / "log");
    for (std::uint64_t i = 1; i <= 20; ++i) EXPECT_TRUE(log.append(numbered_events(i, 1)));
    const std::string large(20'000, 'x');
    EXPECT_TRUE(
        log.append({{.at = Time(Duration(21)), .body = CustomEvent{"large", as_bytes(large)}}}));
  }
  void SetUp() override {
    whole_ = read_file(file());
    commits_ = read_file(file().parent_path() / "commits");
    ASSERT_EQ(whole_.size() % page_bytes(), 0U);
    ASSERT_EQ(verdict(whole_), "ok");
  }

  [[nodiscard]] fs::path file() const { return folder_ / "log/log/data.mdb"; }
  [[nodiscard]] std::size_t page_bytes() const {
    return number<std::uint32_t>(whole_, page_bytes_at);
  }
  // Opening a log for writing commits: then these are newer than the file.
  void put(const std::string& bytes) const {
    write_file(file(), bytes);
    write_file(file().parent_path() / "commits", commits_);
    fs::remove_all(file().parent_path() / "journal");
    fs::create_directory(file().parent_path() / "journal");
  }
  // What the check says of a file with these bytes, and that opening the log says the same. Who
  // writes may take a commit back whose frames are in the journal, which therefore is empty here.
  [[nodiscard]] std::string verdict(const std::string& bytes) const {
    put(bytes);
    auto checked = check_before_mapping(file());
    for (auto access : {Access::read, Access::write}) {
      put(bytes);
      auto log = Log::open(folder_ / "log", {.access = access});
      EXPECT_EQ(checked.has_value(), log.has_value())
          << (checked ? log.error().message : checked.error().message);
      if (checked || log) continue;
      EXPECT_EQ(code_of(checked), code_of(log));
      if (access == Access::read) {
        EXPECT_EQ(checked.error().message, log.error().message);
      }
    }
    return std::string(code_of(checked));
  }
  template <class Number>
  [[nodiscard]] static Number number(const std::string& bytes, std::size_t at) {
    Number value;
    std::memcpy(&value, bytes.data() + at, sizeof(value));
    return value;
  }
  // The file with one number changed in the first meta page, the second, or both.
  template <class Number>
  [[nodiscard]] std::string with(std::size_t at, Number value, bool first, bool second) const {
    std::string bytes = whole_;
    if (first) std::memcpy(bytes.data() + at, &value, sizeof(value));
    if (second) std::memcpy(bytes.data() + page_bytes() + at, &value, sizeof(value));
    return bytes;
  }
  template <class Number>
  void expect_for_each_meta(std::size_t at, Number value, const std::string& code) const {
    EXPECT_EQ(verdict(with(at, value, true, false)), code);
    EXPECT_EQ(verdict(with(at, value, false, true)), code);
    EXPECT_EQ(verdict(with(at, value, true, true)), code);
  }

  TempFolder folder_;
  std::string whole_;
  std::string commits_;
};

TEST_F(PrecheckTest, FindsEveryTruncation) {
  for (std::size_t cut = 0; cut <= whole_.size(); cut += page_bytes()) {
    for (std::size_t size : {cut - 1, cut, cut + 1}) {
      if (size > whole_.size()) continue;  // also what is below 0
      EXPECT_EQ(verdict(whole_.substr(0, size)), size == whole_.size() ? "ok" : "corrupt") << size;
    }
  }
  for (std::size_t size = 0; size < 160; ++size) {
    EXPECT_EQ(verdict(whole_.substr(0, size)), "corrupt") << size;
  }
}

TEST_F(PrecheckTest, SaysHowLongTheFileShouldBe) {
  write_file(file(), whole_.substr(0, whole_.size() - 1));
  auto checked = check_before_mapping(file());
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().message, file().string() +
                                         " is cut short: " + std::to_string(whole_.size() - 1) +
                                         " bytes of at least " + std::to_string(whole_.size()));
  EXPECT_NE(checked.error().next_step, "");
}

TEST_F(PrecheckTest, TakesAFileThatIsLongerThanItMustBe) {
  EXPECT_EQ(verdict(whole_ + std::string(3 * page_bytes() + 5, '\0')), "ok");
}

TEST_F(PrecheckTest, FindsZeroedMetaPages) {
  const std::string zeros(page_bytes(), '\0');
  auto zeroed = [&](std::size_t page) {
    return std::string(whole_).replace(page * page_bytes(), page_bytes(), zeros);
  };
  EXPECT_EQ(verdict(zeroed(0)), "corrupt");
  EXPECT_EQ(verdict(zeroed(1)), "corrupt");
  EXPECT_EQ(verdict(std::string(whole_.size(), '\0')), "corrupt");
}

TEST_F(PrecheckTest, FindsGarbage) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 50; ++round) {
    std::string garbage = whole_;
    for (std::size_t at = 0; at < 2 * page_bytes(); at += 8) {
      auto word = random();
      std::memcpy(garbage.data() + at, &word, sizeof(word));
    }
    EXPECT_EQ(verdict(garbage), "corrupt");
    std::string second_only = whole_;
    second_only.replace(page_bytes(), page_bytes(), garbage, 0, page_bytes());
    EXPECT_EQ(verdict(second_only), "corrupt");
  }
}

TEST_F(PrecheckTest, FindsAnotherMagic) {
  expect_for_each_meta(meta_magic_at, std::uint32_t{0xBEEFC0DF}, "corrupt");
  write_file(file(), with(meta_magic_at, std::uint32_t{0}, true, true));
  EXPECT_EQ(check_before_mapping(file()).error().message,
            file().string() + " is not a log of Almanac");
}

TEST_F(PrecheckTest, SaysThatAnotherDataVersionIsNewer) {
  expect_for_each_meta(version_at, std::uint32_t{2}, "newer_format");
  expect_for_each_meta(version_at, std::uint32_t{999}, "newer_format");
}

TEST_F(PrecheckTest, FindsAPageThatIsNoMetaPage) {
  expect_for_each_meta(flags_at, std::uint16_t{0x02}, "corrupt");
}

TEST_F(PrecheckTest, FindsAPageSizeThatCannotBe) {
  for (std::uint32_t wrong : {0U, 1U, 256U, 4095U, 8192U, 1U << 17, UINT32_MAX}) {
    expect_for_each_meta(page_bytes_at, wrong, "corrupt");
  }
}

TEST_F(PrecheckTest, FindsALastPageThatIsNotInTheFile) {
  const auto pages = whole_.size() / page_bytes();
  const auto newest_first = number<std::uint64_t>(whole_, transaction_at) >
                            number<std::uint64_t>(whole_, page_bytes() + transaction_at);
  for (std::uint64_t wrong :
       {std::uint64_t{0}, pages, pages + 1, UINT64_MAX / 4096, UINT64_MAX / 4096 - 1, UINT64_MAX}) {
    EXPECT_EQ(verdict(with(last_page_at, wrong, newest_first, !newest_first)), "corrupt") << wrong;
  }
}

TEST_F(PrecheckTest, GivesAnErrorForWhatIsNotAFile) {
  EXPECT_EQ(code_of(check_before_mapping(folder_ / "missing")), "not_found");
  EXPECT_EQ(code_of(check_before_mapping(folder_.path())), "corrupt");
}

// LMDB may leave pages at the end of its file unwritten that it has allocated and given up in one
// transaction; a check that counted on them would turn away a whole log.
TEST(Precheck, NeverTurnsAwayALogThatIsWhole) {
  TempFolder folder;
  std::mt19937_64 random(4);
  std::string bytes(100'000, 'x');
  TestLog log(folder / "log");
  for (int commit = 0; commit < 300; ++commit) {
    std::vector<Event> events;
    for (auto count = random() % 30; count < 30; ++count) {
      auto size = random() % 20 == 0 ? random() % bytes.size() : random() % 500;
      events.push_back({.body = CustomEvent{"", as_bytes(bytes).first(size)}});
    }
    ASSERT_TRUE(log.append(std::move(events)));
    auto checked = check_before_mapping(folder / "log/log/data.mdb");
    ASSERT_TRUE(checked) << commit << ": " << checked.error().message;
  }
}

// Pages and meta pages change under the check all the time.
TEST(Precheck, GivesNoFalseAlarmBesideAWriter) {
  TempFolder folder;
  std::atomic<bool> done = false;
  {
    TestLog log(folder / "log");
    ASSERT_TRUE(log.append(numbered_events(1, 2'000)));
    std::thread writer([&] {
      for (std::uint64_t i = 0; i < 1'000; ++i) {
        EXPECT_TRUE(log.append(numbered_events(2'001 + i, 1)));
      }
      done = true;
    });
    std::uint64_t checks = 0;
    std::uint64_t alarms = 0;
    std::string first;
    while (!done) {
      auto checked = check_before_mapping(folder / "log/log/data.mdb");
      ++checks;
      if (!checked && alarms++ == 0) first = checked.error().message;
    }
    writer.join();
    EXPECT_EQ(alarms, 0U) << "of " << checks << ": " << first;
    EXPECT_GT(checks, 100U);
  }
}

}  // namespace
}  // namespace almanac::test
