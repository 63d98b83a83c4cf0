// What the disk does to a log that lies still: every byte of its files changed, every page lost,
// moved or older, every length. Each case must end in an error that says "corrupt" (or "written by
// a newer version"), or in exactly the events that were written; in a process that lives on.
#include <almanac/log/file.h>
#include <almanac/log/hash.h>
#include <almanac/log/log.h>
#include <almanac/log/verify.h>
#include <almanac/tests/support/case_run.h>
#include <almanac/tests/support/event_text.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t page_bytes = 4096;
constexpr unsigned workers = 2;

// ---- A log and what is in it -------------------------------------------------------------------

// By their path below the log's folder. The readers' table is not part of a log, and the journal of
// one that was closed holds nothing that is needed.
using Files = std::map<std::string, std::string>;

Files files_of(const fs::path& folder) {
  Files files;
  for (const auto& entry : fs::recursive_directory_iterator(folder / "log")) {
    if (!entry.is_regular_file() || entry.path().filename() == "lock.mdb") continue;
    if (entry.path().filename().string().starts_with("segment-")) continue;
    files[fs::relative(entry.path(), folder).string()] = read_file(entry.path());
  }
  return files;
}

std::uint64_t hash_after(std::uint64_t before, const RecordedEvent& recorded) {
  Event event = recorded.event;
  std::uint64_t of_data = 0;
  if (auto* custom = std::get_if<CustomEvent>(&event.body)) {
    of_data = xxh3(custom->data);  // as text it would take most of the time
    custom->data = {};
  }
  const auto text = event_text(RecordedEvent{recorded.position, event});
  const std::array<std::uint64_t, 3> parts = {before, of_data, xxh3(as_bytes(text))};
  return xxh3(std::as_bytes(std::span(parts)));
}

// What stands for the events up to each position.
Result<std::vector<std::uint64_t>> hashes_of(const Log& log, std::vector<std::uint64_t>& hashes) {
  hashes = {0};
  auto read = log.read(Position(1), [&](const RecordedEvent& recorded) -> Result<bool> {
    hashes.push_back(hash_after(hashes.back(), recorded));
    return true;
  });
  if (!read) return std::unexpected(read.error());
  return hashes;
}

bool says_damage(const Error& error) {
  return error.code == ErrorCode::corrupt || error.code == ErrorCode::newer_format;
}

// Reads a log in every way there is and compares with what was written.
class Reading {
 public:
  explicit Reading(const fs::path& folder) {
    auto log = Log::open(folder, {.access = Access::read});
    ALMANAC_CHECK(log.has_value() && hashes_of(**log, written_).has_value());
    tail_ = *(*log)->tail();
  }
  [[nodiscard]] std::size_t events() const { return written_.size() - 1; }

  [[nodiscard]] CaseEnd of(const fs::path& folder) const {
    auto log = Log::open(folder, {.access = Access::read});
    if (!log) return says_damage(log.error()) ? CaseEnd::noticed : CaseEnd::wrong;
    std::vector<std::uint64_t> hashes;
    auto read = hashes_of(**log, hashes);
    // Also what was given before an error must be what was written.
    if (hashes.size() > written_.size() ||
        !std::ranges::equal(hashes, std::span(written_).first(hashes.size()))) {
      return CaseEnd::wrong;
    }
    auto verified = verify(**log);
    auto tail = (*log)->tail();
    bool damaged = false;
    for (const Error* error :
         {read ? nullptr : &read.error(), verified ? nullptr : &verified.error(),
          tail ? nullptr : &tail.error()}) {
      if (error != nullptr && !says_damage(*error)) return CaseEnd::wrong;
      damaged = damaged || error != nullptr;
    }
    if (tail && (tail->last != tail_.last || tail->digest != tail_.digest)) return CaseEnd::wrong;
    if (read && hashes.size() != written_.size()) return CaseEnd::wrong;
    if (verified && verified->digest != tail_.digest) return CaseEnd::wrong;
    return damaged ? CaseEnd::noticed : CaseEnd::unharmed;
  }

 private:
  std::vector<std::uint64_t> written_;
  LogTail tail_;
};

bool campaign() { return std::getenv("ALMANAC_CAMPAIGN") != nullptr; }

struct ByteCase {
  std::string file;
  std::size_t at;
  char before;
  char after;
};

// About 300 KiB: frames of one event and of many, inside leaves and in pages of their own, in a
// tree of two levels, with free pages; and its files as they were some commits before the end.
class BitRotTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TempFolder;
    write_log();
    files_ = new Files(files_of(original()));
    reading_ = new Reading(original());
  }
  static void TearDownTestSuite() {
    delete reading_;
    delete files_;
    delete folder_;
  }

  static void write_log() {
    std::mt19937 random(11);
    auto log = std::make_unique<TestLog>(original());
    std::string data(9'000, ' ');
    for (char& c : data) c = static_cast<char>(random());
    std::uint64_t number = 0;
    for (int commit = 0; commit < 130; ++commit) {
      if (commit % 20 == 19) {
        log.reset();  // which brings all of it into the file
        older_.push_back(files_of(original()));
        log = std::make_unique<TestLog>(original());
      }
      std::vector<Event> events;
      for (auto count = commit % 10 == 0 ? 40U : 1U + random() % 4; count > 0; --count) {
        ++number;
        auto bytes = commit % 17 == 5 ? random() % data.size() : random() % 400;
        Event event = numbered_event(number);
        if (number % 3 != 0) {
          event.body = CustomEvent{"reading", as_bytes(data).subspan(data.size() - bytes)};
        }
        events.push_back(event);
      }
      ASSERT_TRUE(log->append(std::move(events)));
    }
  }

  static fs::path original() { return *folder_ / "original"; }
  static fs::path copy(unsigned worker) { return *folder_ / ("copy-" + std::to_string(worker)); }
  // Each worker damages a log of its own.
  static void make_copies() {
    for (unsigned worker = 0; worker < workers; ++worker) {
      fs::remove_all(copy(worker));
      fs::copy(original(), copy(worker), fs::copy_options::recursive);
    }
  }
  static CaseEnd with_file(unsigned worker, const std::string& name, const std::string& bytes) {
    write_file(copy(worker) / name, bytes);
    auto end = reading_->of(copy(worker));
    write_file(copy(worker) / name, files_->at(name));
    return end;
  }
  static CaseEnd with_byte(unsigned worker, const ByteCase& byte) {
    if (byte.before == byte.after) return CaseEnd::skipped;
    FileDescriptor file(::open((copy(worker) / byte.file).c_str(), O_RDWR | O_CLOEXEC));
    const auto at = static_cast<off_t>(byte.at);
    if (::pwrite(file.get(), &byte.after, 1, at) != 1) return CaseEnd::wrong;
    auto end = reading_->of(copy(worker));
    if (::pwrite(file.get(), &byte.before, 1, at) != 1) return CaseEnd::wrong;
    return end;
  }
  static void report(const CaseRunReport& run,
                     const std::function<std::string(std::uint64_t)>& describe) {
    std::cout << run.ran() << " cases: " << run.noticed << " noticed, " << run.unharmed
              << " unharmed\n";
    for (const auto& finding : run.findings) {
      ADD_FAILURE() << finding.what << ": " << describe(finding.index);
    }
  }

  static inline TempFolder* folder_ = nullptr;
  static inline Files* files_ = nullptr;
  static inline Reading* reading_ = nullptr;
  static inline std::vector<Files> older_;
};

// ---- Bytes -------------------------------------------------------------------------------------

// Every byte of every file with each of its bits flipped, 0 and 0xFF.
constexpr std::uint64_t masks = 10;

ByteCase byte_case(const Files& files, std::uint64_t index) {
  auto at = index / masks;
  auto file = files.begin();
  for (; at >= file->second.size(); ++file) at -= file->second.size();
  const auto mask = index % masks;
  const char before = file->second[at];
  const char after = mask == 8   ? '\0'
                     : mask == 9 ? '\xFF'
                                 : static_cast<char>(before ^ (1 << mask));
  return {file->first, at, before, after};
}

TEST_F(BitRotTest, NoticesEveryByteThatMatters) {
  ASSERT_GT(files_->at("log/data.mdb").size(), 280U * 1024);
  ASSERT_LT(files_->at("log/data.mdb").size(), 400U * 1024);
  make_copies();
  std::uint64_t bytes = 0;
  for (const auto& [name, content] : *files_) bytes += content.size();
  // In an order that soon was everywhere: the step has no factor in common with the count.
  const std::uint64_t cases = bytes * masks;
  std::uint64_t step = cases / 3 * 2 + 1;
  while (std::gcd(step, cases) != 1) ++step;
  auto nth = [&](std::uint64_t index) { return byte_case(*files_, index * step % cases); };
  CaseRunOptions options{.cases = cases, .workers = workers};
  const char* seconds = std::getenv("ALMANAC_ROT_SECONDS");
  if (!campaign() || seconds != nullptr) {
    options.time_max = std::chrono::seconds(seconds == nullptr ? 10 : std::atoi(seconds));
    options.cases_min = 4'000;
  }
  auto run = run_cases(
      options, [&](unsigned worker, std::uint64_t index) { return with_byte(worker, nth(index)); });
  report(run, [&](std::uint64_t index) {
    const auto byte = nth(index);
    return byte.file + " byte " + std::to_string(byte.at) + ": " +
           std::to_string(static_cast<unsigned char>(byte.before)) + " became " +
           std::to_string(static_cast<unsigned char>(byte.after));
  });
  EXPECT_GE(run.ran() + run.skipped, std::min(options.cases_min, cases));
  // The rest are pages that are free: opening and closing the log leaves many for its size.
  EXPECT_GT(run.noticed, run.ran() / 4);
}

// The files that say what the log is, and the pages that hold its trees together, without gaps.
// Outside a campaign each byte is changed in three ways, of which one is another bit each time.
TEST_F(BitRotTest, NoticesEveryByteOfTheMetaPagesAndTheRecords) {
  make_copies();
  std::vector<ByteCase> all;
  for (std::uint64_t index = 0; index < 2 * page_bytes * masks; ++index) {
    Files one = {{"log/data.mdb", files_->at("log/data.mdb")}};
    if (index % (page_bytes * masks) == 152 * masks) index += (page_bytes - 152) * masks;
    if (index < 2 * page_bytes * masks) all.push_back(byte_case(one, index));
  }
  for (const auto& [name, content] : *files_) {
    if (content.size() > 2 * page_bytes) continue;
    Files one = {{name, content}};
    for (std::uint64_t i = 0; i < content.size() * masks; ++i) all.push_back(byte_case(one, i));
  }
  if (!campaign()) {
    std::erase_if(all, [](const ByteCase& byte) {
      auto flipped = static_cast<unsigned char>(byte.before ^ byte.after);
      return byte.after != '\0' && byte.after != '\xFF' && flipped != 1U << byte.at % 8;
    });
  }
  EXPECT_GT(all.size(), 3'000U);
  auto run = run_cases(
      {.cases = all.size(), .workers = workers},
      [&](unsigned worker, std::uint64_t index) { return with_byte(worker, all[index]); });
  report(run, [&](std::uint64_t index) {
    return all[index].file + " byte " + std::to_string(all[index].at);
  });
}

// ---- A journal that is needed ------------------------------------------------------------------

// The file of this log was full from the start: all its frames are in the journal alone. They use
// the reserve, as other ones are refused once that is known.
class JournalRotTest : public testing::Test {
 protected:
  JournalRotTest() {
    TestLog log(*folder_ / "log", {.map_bytes = 1, .index = false});
    for (std::uint64_t last = 0; last < frames; ++last) {
      EXPECT_TRUE(log.append(numbered_events(2 * last + 1, 2), {.space = Space::reserve}));
    }
    for (unsigned worker = 0; worker < workers; ++worker) {
      fs::copy(*folder_ / "log", copy(worker), fs::copy_options::recursive);
    }
    const auto segment = read_file(copy(0) / segment_);
    used_ = segment.substr(0, segment.find_last_not_of('\0') + 1);
    for (const char* name : {"log/data.mdb", "log/commits", "log/durable"}) {
      others_[name] = read_file(copy(0) / name);
    }
  }
  [[nodiscard]] fs::path copy(unsigned worker) const {
    return *folder_ / ("copy-" + std::to_string(worker));
  }
  // What opening it says; it must be all that was written when it says nothing.
  [[nodiscard]] CaseEnd open(unsigned worker, Access access) const {
    auto log = Log::open(copy(worker), {.access = access, .index = false});
    if (!log) return says_damage(log.error()) ? CaseEnd::noticed : CaseEnd::wrong;
    auto read = read_texts(**log);
    if (!read) return says_damage(read.error()) ? CaseEnd::noticed : CaseEnd::wrong;
    return *read == texts_of(numbered_events(1, 2 * frames)) ? CaseEnd::unharmed : CaseEnd::wrong;
  }
  [[nodiscard]] CaseEnd with_byte(unsigned worker, const ByteCase& byte) const {
    put(worker, byte.at, byte.after);
    auto reading = open(worker, Access::read);
    auto writing = reading;
    if (campaign() || byte.at % 16 == 0) {  // which syncs, and so takes its time
      writing = open(worker, Access::write);
      for (const auto& [name, bytes] : others_) write_file(copy(worker) / name, bytes);
    }
    put(worker, byte.at, byte.before);
    return reading == writing ? reading : CaseEnd::wrong;
  }
  void put(unsigned worker, std::size_t at, char byte) const {
    FileDescriptor file(::open((copy(worker) / segment_).c_str(), O_RDWR | O_CLOEXEC));
    ALMANAC_CHECK(::pwrite(file.get(), &byte, 1, static_cast<off_t>(at)) == 1);
  }

  static constexpr std::uint64_t frames = 16;
  const std::string segment_ = "log/journal/segment-0";
  std::unique_ptr<TempFolder> folder_ = std::make_unique<TempFolder>();
  std::string used_;
  Files others_;
};

TEST_F(JournalRotTest, NoticesEveryByteOfAJournalThatIsNeeded) {
  ASSERT_FALSE(fs::exists(copy(0) / "log/journal/segment-1"));
  ASSERT_GT(used_.size(), 3'000U);
  for (auto access : {Access::read, Access::write}) {
    EXPECT_EQ(open(0, access), CaseEnd::unharmed) << "undamaged";
  }
  for (const auto& [name, bytes] : others_) write_file(copy(0) / name, bytes);
  // Every byte; in a campaign each of its bits too.
  const std::uint64_t ways = campaign() ? 8 : 1;
  auto nth = [&](std::uint64_t index) {
    const auto at = index / ways;
    const auto bit = campaign() ? index % ways : at % 8;
    return ByteCase{segment_, at, used_[at], static_cast<char>(used_[at] ^ (1 << bit))};
  };
  auto run = run_cases(
      {.cases = used_.size() * ways, .workers = workers},
      [&](unsigned worker, std::uint64_t index) { return with_byte(worker, nth(index)); });
  std::cout << run.ran() << " cases: " << run.noticed << " noticed\n";
  for (const auto& finding : run.findings) {
    ADD_FAILURE() << finding.what << ": byte " << finding.index / ways;
  }
  EXPECT_EQ(run.noticed, used_.size() * ways) << "no byte of a frame means nothing";
}

// ---- Pages and lengths -------------------------------------------------------------------------

// What one of the files is replaced by.
struct WholeCase {
  std::string claim;
  std::string file;
  std::string bytes;
};

class WholeCases {
 public:
  explicit WholeCases(const Files& files) : files_(files) {}
  void add(std::string claim, const std::string& file, std::string bytes) {
    if (bytes == files_.at(file)) return;
    cases_.push_back({std::move(claim), file, std::move(bytes)});
  }
  // With one page of the file replaced.
  void add_page(const std::string& claim, const std::string& file, std::size_t page,
                std::string_view content) {
    std::string bytes = files_.at(file);
    auto at = page * page_bytes;
    auto size = std::min({page_bytes, bytes.size() - at, content.size()});
    bytes.replace(at, size, content, 0, size);
    add(claim + " page " + std::to_string(page) + " of " + file, file, std::move(bytes));
  }
  [[nodiscard]] const std::vector<WholeCase>& all() const { return cases_; }

 private:
  const Files& files_;
  std::vector<WholeCase> cases_;
};

std::string page_of(const std::string& bytes, std::size_t page) {
  return bytes.substr(page * page_bytes, page_bytes);
}

TEST_F(BitRotTest, NoticesEveryPageThatIsLostMovedOrOlder) {
  make_copies();
  WholeCases cases(*files_);
  std::mt19937 random(12);
  std::size_t older_pages = 0;
  for (const auto& [name, bytes] : *files_) {
    const auto pages = (bytes.size() + page_bytes - 1) / page_bytes;
    for (std::size_t page = 0; page < pages; ++page) {
      cases.add_page("zeroed", name, page, std::string(page_bytes, '\0'));
      cases.add_page("erased", name, page, std::string(page_bytes, '\xFF'));
      for (const Files& older : older_) {
        auto file = older.find(name);
        if (file == older.end() || file->second.size() <= page * page_bytes) continue;
        older_pages += page_of(file->second, page) != page_of(bytes, page) ? 1 : 0;
        cases.add_page("older", name, page, page_of(file->second, page));
      }
      for (int i = 0; i < 4; ++i) {
        const auto other = random() % pages;
        cases.add_page("written over with page " + std::to_string(other), name, page,
                       page_of(bytes, other));
        std::string swapped = bytes;
        if (other * page_bytes + page_bytes > bytes.size()) continue;
        if (page * page_bytes + page_bytes > bytes.size()) continue;
        swapped.replace(page * page_bytes, page_bytes, bytes, other * page_bytes, page_bytes);
        swapped.replace(other * page_bytes, page_bytes, bytes, page * page_bytes, page_bytes);
        cases.add(
            "swapped " + std::to_string(page) + " and " + std::to_string(other) + " of " + name,
            name, swapped);
      }
    }
  }
  EXPECT_GT(older_pages, 50U);
  auto run = run_cases({.cases = cases.all().size(), .workers = workers},
                       [&](unsigned worker, std::uint64_t index) {
                         const auto& one = cases.all()[index];
                         return with_file(worker, one.file, one.bytes);
                       });
  report(run, [&](std::uint64_t index) { return cases.all()[index].claim; });
  EXPECT_EQ(run.ran(), cases.all().size());
}

TEST_F(BitRotTest, NoticesEveryFileOfAnotherLengthOrDay) {
  make_copies();
  WholeCases cases(*files_);
  for (const auto& [name, bytes] : *files_) {
    for (std::size_t page = 0; page * page_bytes <= bytes.size(); ++page) {
      for (std::size_t more : {0, 1, 17, 152, 512, 4095}) {
        auto size = page * page_bytes + more;
        if (size > bytes.size()) continue;
        cases.add(name + " cut to " + std::to_string(size), name, bytes.substr(0, size));
      }
    }
    cases.add(name + " longer", name, bytes + std::string(3 * page_bytes + 5, '\x5A'));
    for (const Files& older : older_) {
      if (older.contains(name)) cases.add(name + " of another day", name, older.at(name));
    }
  }
  auto run = run_cases({.cases = cases.all().size(), .workers = workers},
                       [&](unsigned worker, std::uint64_t index) {
                         const auto& one = cases.all()[index];
                         return with_file(worker, one.file, one.bytes);
                       });
  report(run, [&](std::uint64_t index) { return cases.all()[index].claim; });
  EXPECT_EQ(run.ran(), cases.all().size());
}

// ---- Does it see? ------------------------------------------------------------------------------

TEST_F(BitRotTest, WouldSeeASilentCaseAndADeadProcess) {
  TempFolder other;
  {
    TestLog log(other / "log");
    ASSERT_TRUE(log.append(numbered_events(1, 3)));
  }
  EXPECT_EQ(reading_->of(original()), CaseEnd::unharmed);
  EXPECT_EQ(reading_->of(other / "log"), CaseEnd::wrong) << "other events";
  EXPECT_EQ(reading_->of(other / "missing"), CaseEnd::wrong) << "another error";
  auto run = run_cases({.cases = 30, .workers = workers}, [](unsigned, std::uint64_t index) {
    if (index == 7) ::raise(SIGKILL);
    if (index == 19) ::_exit(3);
    return index == 25 ? CaseEnd::wrong : CaseEnd::noticed;
  });
  std::set<std::string> found;
  for (const auto& finding : run.findings) {
    found.insert(std::to_string(finding.index) + " " + finding.what);
  }
  EXPECT_EQ(found, (std::set<std::string>{"7 signal 9", "19 exit 3", "25 wrong"}));
  EXPECT_EQ(run.noticed, 27U);
}

}  // namespace
}  // namespace almanac::test
