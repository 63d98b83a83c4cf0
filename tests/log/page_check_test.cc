#include <almanac/log/file.h>
#include <almanac/log/limits.h>
#include <almanac/log/page_check.h>
#include <almanac/log/store.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using layout::MetaPage;
using layout::NodeHeader;
using layout::PageHeader;

template <class T>
T number(const std::string& bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}
template <class T>
void set(std::string& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof(value));
}

// A store whose values mean nothing: the walk does not look into them.
class PageCheckTest : public testing::Test {
 protected:
  PageCheckTest() { EXPECT_TRUE(Store::create(folder_ / "log", {})); }

  [[nodiscard]] std::unique_ptr<Store> open() const {
    auto store = Store::open(folder_ / "log", {.map_bytes = limits::gibibyte});
    EXPECT_TRUE(store) << store.error().message;
    return store ? std::move(*store) : nullptr;
  }
  // Frames of these sizes, in one commit.
  void append(Store& store, const std::vector<std::size_t>& sizes) {
    std::vector<Store::Frame> frames;
    for (auto size : sizes) frames.push_back({Position(++last_), Bytes(value_).first(size)});
    ASSERT_TRUE(store.append(frames));
  }

  [[nodiscard]] fs::path file() const { return folder_ / "log/data.mdb"; }
  [[nodiscard]] static MetaPage newest(const std::string& bytes) {
    auto first = number<MetaPage>(bytes, 0);
    auto second = number<MetaPage>(bytes, first.free_pages.padding);
    return first.transaction > second.transaction ? first : second;
  }
  [[nodiscard]] static MetaPage newest(int file) {
    std::string bytes(2 * layout::page_bytes_max, '\0');
    EXPECT_GT(::pread(file, bytes.data(), bytes.size(), 0), 0);
    return newest(bytes);
  }
  [[nodiscard]] MetaPage newest() const {
    FileDescriptor opened(::open(file().c_str(), O_RDONLY | O_CLOEXEC));
    return newest(opened.get());
  }
  static Result<PageCheckReport> check_file(const fs::path& path, PageCheckDepth depth) {
    FileDescriptor opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const MetaPage meta = newest(opened.get());
    return check_pages(opened.get(), meta, depth);
  }
  // What the walk says of a file with these bytes: "ok", or what is wrong.
  [[nodiscard]] std::string verdict(const std::string& bytes,
                                    PageCheckDepth depth = PageCheckDepth::thorough) const {
    write_file(folder_ / "damaged", bytes);
    auto checked = check_file(folder_ / "damaged", depth);
    if (checked) return "ok";
    EXPECT_EQ(code_of(checked), "corrupt");
    return checked.error().message;
  }

  TempFolder folder_;
  std::uint64_t last_ = 0;
  const std::vector<std::byte> value_ = std::vector<std::byte>(limits::mebibyte);
};

TEST_F(PageCheckTest, PassesEveryStoreThatIsWholeAndCountsItsPages) {
  std::mt19937_64 random(5);
  auto store = open();
  for (int commit = 0; commit < 400; ++commit) {
    std::vector<std::size_t> sizes(1 + random() % 40);
    for (auto& size : sizes) size = 8 * (random() % (random() % 20 == 0 ? 10'000 : 60));
    append(*store, sizes);
    for (auto depth : {PageCheckDepth::trees, PageCheckDepth::thorough}) {
      auto checked = check_file(file(), depth);
      ASSERT_TRUE(checked) << commit << ": " << checked.error().message;
      ASSERT_EQ(checked->frames, last_);
      ASSERT_EQ(checked->last_frame.first, last_);
      ASSERT_EQ(checked->last_frame.bytes, sizes.back());
      ASSERT_EQ(checked->pages_used + checked->pages_free, newest().last_page + 1) << commit;
    }
  }
}

TEST_F(PageCheckTest, PassesAStoreThatAReaderMadeGrow) {
  auto store = open();
  append(*store, std::vector<std::size_t>(64, 4'000));
  bool first = true;
  ASSERT_TRUE(store->read(Position(1), [&](const Store::Frame&) -> Result<bool> {
    for (int commit = 0; first && commit < 300; ++commit) append(*store, {400});
    first = false;
    return true;
  }));
  append(*store, std::vector<std::size_t>(2'000, 104));
  for (int commit = 0; commit < 20; ++commit) append(*store, {400});
  auto checked = check_file(file(), PageCheckDepth::thorough);
  ASSERT_TRUE(checked) << checked.error().message;
  EXPECT_GT(checked->pages_free, 500U);
  EXPECT_EQ(checked->pages_used + checked->pages_free, newest().last_page + 1);
}

TEST_F(PageCheckTest, WalksADeepTree) {
  auto store = open();
  for (int commit = 0; commit < 30; ++commit)
    append(*store, std::vector<std::size_t>(1'000, 1'800));
  auto checked = check_file(file(), PageCheckDepth::trees);
  ASSERT_TRUE(checked) << checked.error().message;
  EXPECT_EQ(checked->frames, 30'000U);
  EXPECT_GT(checked->pages_used, 15'000U);
}

TEST_F(PageCheckTest, SaysWhereTheLastFrameLies) {
  auto store = open();
  for (std::size_t size : {800, 8'000}) {
    append(*store, {104});
    std::vector<std::byte> marked(size, std::byte{0x5A});
    const std::vector<Store::Frame> frames = {{Position(++last_), marked}};
    ASSERT_TRUE(store->append(frames));
    auto checked = check_file(file(), PageCheckDepth::trees);
    ASSERT_TRUE(checked);
    EXPECT_EQ(read_file(file()).substr(checked->last_frame.offset, checked->last_frame.bytes),
              as_text(marked));
  }
}

TEST_F(PageCheckTest, PassesAnEmptyStore) {
  auto checked = check_file(file(), PageCheckDepth::thorough);
  ASSERT_TRUE(checked) << checked.error().message;
  EXPECT_EQ(checked->frames, 0U);
  EXPECT_EQ(checked->last_frame.bytes, 0U);
}

// ---- Damage ------------------------------------------------------------------------------------

// A tree of three levels with values of both kinds, and some free pages.
class DamagedPagesTest : public PageCheckTest {
 protected:
  DamagedPagesTest() {
    auto store = open();
    for (int commit = 0; commit < 40; ++commit) {
      append(*store, std::vector<std::size_t>(25, 1'000));
      append(*store, {160, 9'000, 240});
    }
  }
  void SetUp() override {
    whole_ = read_file(file());
    meta_ = newest(whole_);
    page_bytes_ = meta_.free_pages.padding;
    ASSERT_EQ(verdict(whole_), "ok");
    auto main = page(meta_.main.root);
    // "frames" comes before "meta".
    auto at = main + number<std::uint16_t>(whole_, main + sizeof(PageHeader));
    record_at_ = at + sizeof(NodeHeader) + std::string("frames").size();
    auto record = number<layout::Database>(whole_, record_at_);
    ASSERT_GE(record.depth, 3U);
    branch_ = record.root;
    while (header(child(branch_, 0)).flags == layout::branch_page) branch_ = child(branch_, 0);
    leaf_ = child(branch_, 0);
    next_leaf_ = child(branch_, 1);
    ASSERT_EQ(header(leaf_).flags, layout::leaf_page);
  }

  [[nodiscard]] std::size_t page(std::uint64_t number) const { return number * page_bytes_; }
  [[nodiscard]] PageHeader header(std::uint64_t page_number) const {
    return number<PageHeader>(whole_, page(page_number));
  }
  [[nodiscard]] std::size_t node_at(std::uint64_t page_number, std::size_t index) const {
    return page(page_number) +
           number<std::uint16_t>(whole_, page(page_number) + sizeof(PageHeader) + 2 * index);
  }
  [[nodiscard]] std::uint64_t child(std::uint64_t page_number, std::size_t index) const {
    return number<std::uint32_t>(whole_, node_at(page_number, index));
  }
  // What the walk says when one number of the file is another.
  template <class T>
  [[nodiscard]] std::string with(std::size_t at, T value,
                                 PageCheckDepth depth = PageCheckDepth::trees) const {
    auto bytes = whole_;
    set(bytes, at, value);
    EXPECT_NE(bytes, whole_);
    return verdict(bytes, depth);
  }
  [[nodiscard]] static std::string says(std::uint64_t page, const std::string& what) {
    return "page " + std::to_string(page) + " (frames) " + what;
  }
  [[nodiscard]] std::size_t node_count(std::uint64_t page_number) const {
    return (header(page_number).lower - sizeof(PageHeader)) / sizeof(std::uint16_t);
  }
  // Where the pages of a value begin.
  [[nodiscard]] std::uint64_t some_value_page() const {
    for (std::size_t i = 0; i < node_count(branch_); ++i) {
      const auto leaf = child(branch_, i);
      for (std::size_t j = 0; j < node_count(leaf); ++j) {
        const auto at = node_at(leaf, j);
        const auto node = number<NodeHeader>(whole_, at);
        if (node.flags != layout::value_in_pages) continue;
        return number<std::uint64_t>(whole_, at + sizeof(NodeHeader) + node.key_bytes);
      }
    }
    return 0;
  }

  std::string whole_;
  MetaPage meta_{};
  std::size_t page_bytes_ = 0;
  std::size_t record_at_ = 0;
  std::uint64_t branch_ = 0;
  std::uint64_t leaf_ = 0;
  std::uint64_t next_leaf_ = 0;
};

TEST_F(DamagedPagesTest, FindsAPageHeadThatCannotBe) {
  for (auto page_number : {branch_, leaf_}) {
    const auto at = page(page_number);
    const auto head = header(page_number);
    EXPECT_EQ(with(at, page_number + 1), says(page_number, "stands in another one's place"));
    EXPECT_EQ(with(at + 10, std::uint16_t{0x12}), says(page_number, "is of the wrong kind"));
    EXPECT_EQ(with(at + 10, std::uint16_t(head.flags ^ 3)),
              says(page_number, "is of the wrong kind"));
    EXPECT_EQ(with(at + 12, std::uint16_t{8}), says(page_number, "has bounds that cannot be"));
    EXPECT_EQ(with(at + 12, std::uint16_t{16}), says(page_number, "is empty"));
    EXPECT_EQ(with(at + 12, std::uint16_t(head.lower + 1)),
              says(page_number, "has bounds that cannot be"));
    EXPECT_EQ(with(at + 14, std::uint16_t{0xFFFF}), says(page_number, "has bounds that cannot be"));
    EXPECT_EQ(with(at + 14, std::uint16_t(head.upper - 2)),
              says(page_number, "has nodes that overlap or leave a gap"));
    EXPECT_EQ(with(at + 14, std::uint16_t(head.upper + 2)),
              says(page_number, "has a node outside it"));
  }
}

TEST_F(DamagedPagesTest, FindsANodeThatCannotBe) {
  for (auto page_number : {branch_, leaf_}) {
    const auto places = page(page_number) + sizeof(PageHeader);
    const auto node = node_at(page_number, 2);
    const std::string overlap = says(page_number, "has nodes that overlap or leave a gap");
    EXPECT_EQ(with(places + 2, std::uint16_t{0xFFFE}), says(page_number, "has a node outside it"));
    EXPECT_EQ(with(places + 2, std::uint16_t{4}), says(page_number, "has a node outside it"));
    EXPECT_NE(with(places + 2, std::uint16_t(number<std::uint16_t>(whole_, places + 2) + 1)), "ok");
    EXPECT_EQ(with(node + 6, std::uint16_t{0xFFFF}), says(page_number, "has a node outside it"));
    EXPECT_EQ(with(node + 6, std::uint16_t{7}), says(page_number, "has a key that cannot be"));
    EXPECT_EQ(with(node + 8, std::uint64_t{0}), says(page_number, "has keys out of order"));
    EXPECT_NE(with(node + 8, UINT64_MAX), "ok");
  }
  const auto node = node_at(leaf_, 1);
  EXPECT_EQ(with(node + 4, std::uint16_t{2}), says(leaf_, "has a value of the wrong kind"));
  EXPECT_EQ(with(node, std::uint16_t{0xFFF8}), says(leaf_, "has a value that goes beyond it"));
  EXPECT_EQ(with(node, std::uint16_t(number<std::uint16_t>(whole_, node) + 8)),
            says(leaf_, "has nodes that overlap or leave a gap"));
  EXPECT_EQ(with(node, std::uint16_t(number<std::uint16_t>(whole_, node) + 1)),
            says(leaf_, "has a frame of a size that cannot be"));
  EXPECT_EQ(with(node + 4, std::uint16_t{1}).substr(0, 5), "page ") << "its bytes as a page number";
}

TEST_F(DamagedPagesTest, FindsAChildThatCannotBe) {
  const auto node = node_at(branch_, 1);
  auto used_twice = [](std::uint64_t page) {
    return says(page, "is outside the file or used twice");
  };
  EXPECT_EQ(with(node, std::uint16_t{0}), used_twice(0));
  EXPECT_EQ(with(node, std::uint16_t{1}), used_twice(1));
  EXPECT_EQ(with(node, std::uint16_t(leaf_)), used_twice(leaf_));
  EXPECT_EQ(with(node, std::uint16_t(branch_)), used_twice(branch_)) << "and ends";
  EXPECT_EQ(with(node, std::uint16_t(meta_.last_page + 1)), used_twice(meta_.last_page + 1));
  EXPECT_EQ(with(node + 4, std::uint16_t{0xFFFF}), used_twice(0xFFFF'0000'0000 + next_leaf_));
  EXPECT_EQ(with(record_at_ + 40, std::uint64_t{1}), used_twice(1));
}

TEST_F(DamagedPagesTest, FindsAKeyOfTheNextPage) {
  const auto last = node_count(leaf_) - 1;
  const auto key = number<std::uint64_t>(whole_, node_at(next_leaf_, 0) + sizeof(NodeHeader));
  EXPECT_EQ(with(node_at(leaf_, last) + 8, key), says(leaf_, "has keys of another page"));
  EXPECT_EQ(with(node_at(next_leaf_, 0) + 8, key - 1), says(next_leaf_, "has keys out of order"));
}

TEST_F(DamagedPagesTest, FindsARecordThatCountsWrong) {
  const std::string record = "the record of its frames ";
  for (std::size_t at : {8, 16, 24, 32}) {
    auto value = number<std::uint64_t>(whole_, record_at_ + at);
    EXPECT_EQ(with(record_at_ + at, value + 1), record + "does not count what is there");
  }
  EXPECT_EQ(with(record_at_ + 6, std::uint16_t{0}), record + "contradicts itself");
  EXPECT_EQ(with(record_at_ + 6, std::uint16_t{33}), record + "contradicts itself");
  EXPECT_EQ(with(record_at_ + 6, std::uint16_t{1}),
            says(number<std::uint64_t>(whole_, record_at_ + 40), "is of the wrong kind"));
  EXPECT_EQ(with(record_at_ + 4, std::uint16_t{0x0C}), record + "has a kind that cannot be");
  EXPECT_EQ(with(record_at_ + 40, UINT64_MAX), record + "contradicts itself");
}

TEST_F(DamagedPagesTest, FindsAValueInTheWrongPages) {
  const auto value = some_value_page();
  const auto at = page(value);
  const std::string wrong = says(value, "does not begin the value it should");
  EXPECT_EQ(with(at, value + 1, PageCheckDepth::thorough), wrong);
  EXPECT_EQ(with(at + 10, layout::leaf_page, PageCheckDepth::thorough), wrong);
  EXPECT_EQ(with(at + 12, std::uint32_t{4}, PageCheckDepth::thorough), wrong);
  EXPECT_EQ(with(at, value + 1, PageCheckDepth::trees), "ok") << "LMDB does not look there either";
}

TEST_F(DamagedPagesTest, FindsAFreePageThatIsInUse) {
  const auto root = meta_.free_pages.root;
  ASSERT_EQ(header(root).flags, layout::leaf_page);
  const auto node = node_at(root, 0);
  const auto list = node + sizeof(NodeHeader) + sizeof(std::uint64_t);
  const auto count = number<std::uint64_t>(whole_, list);
  ASSERT_GT(count, 0U);
  const auto in_use = [](std::uint64_t page) {
    return "page " + std::to_string(page) + " (free pages) is free and in use, or outside the file";
  };
  const auto free_pages = "page " + std::to_string(root) + " (free pages) ";
  EXPECT_EQ(with(list + 8 * count, std::uint64_t{1}), in_use(1));
  EXPECT_EQ(with(list + 8, meta_.last_page + 1), in_use(meta_.last_page + 1));
  EXPECT_EQ(with(list, count + 1), free_pages + "has a list longer than its bytes");
  const auto lists = node_count(root);
  EXPECT_EQ(with(node_at(root, lists - 1) + 8, meta_.transaction + 1),
            free_pages + "names a transaction that never was");
  auto bytes = whole_;
  set(bytes, list, std::uint64_t{1});
  set(bytes, list + 8, branch_);
  EXPECT_EQ(verdict(bytes), says(branch_, "is outside the file or used twice"));
}

// Pages in use, each once; those that are free, or of an older snapshot, may hold anything.
TEST_F(DamagedPagesTest, FindsEveryPageInUseThatIsZeroedOrAnother) {
  auto report = check_file(file(), PageCheckDepth::thorough);
  ASSERT_TRUE(report);
  const std::string zeros(page_bytes_, '\0');
  std::uint64_t found = 0;
  std::uint64_t inner = 0;  // pages of values behind the first have no head
  for (std::uint64_t number = 2; number <= meta_.last_page; ++number) {
    auto bytes = whole_;
    bytes.replace(page(number), page_bytes_, zeros);
    const bool zeroed = verdict(bytes) != "ok";
    bytes.replace(page(number), page_bytes_, whole_, page(number == leaf_ ? branch_ : leaf_),
                  page_bytes_);
    EXPECT_EQ(verdict(bytes) != "ok", zeroed) << number;
    found += zeroed ? 1 : 0;
    const auto head = header(number);
    if (zeroed && head.flags == layout::overflow_page) inner += head.lower - 1U;
  }
  EXPECT_EQ(found + inner + layout::meta_pages, report->pages_used);
}

TEST_F(DamagedPagesTest, LivesThroughAnyDamage) {
  std::mt19937_64 random(6);
  std::uint64_t found = 0;
  constexpr std::uint64_t rounds = 3'000;
  write_file(folder_ / "damaged", whole_);
  FileDescriptor opened(::open((folder_ / "damaged").c_str(), O_RDWR | O_CLOEXEC));
  const std::array<std::uint64_t, 4> targets = {meta_.main.root, meta_.free_pages.root, branch_,
                                                leaf_};
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const auto target = page(targets[random() % targets.size()]);
    std::string page_bytes = whole_.substr(target, page_bytes_);
    for (auto changes = 1 + random() % 4; changes > 0; --changes) {
      // Mostly in what the page says of itself.
      auto at = random() % (random() % 2 == 0 ? 64 : page_bytes_);
      page_bytes[at] = static_cast<char>(random());
    }
    ASSERT_GT(
        ::pwrite(opened.get(), page_bytes.data(), page_bytes.size(), static_cast<off_t>(target)),
        0);
    auto checked = check_pages(opened.get(), meta_, PageCheckDepth::thorough);
    found += checked ? 0 : 1;
    ASSERT_GT(
        ::pwrite(opened.get(), whole_.data() + target, page_bytes_, static_cast<off_t>(target)), 0);
  }
  EXPECT_GT(found, rounds / 2);
  EXPECT_TRUE(check_pages(opened.get(), meta_, PageCheckDepth::thorough));
}

TEST_F(DamagedPagesTest, LivesThroughAFileThatIsShorterThanItSays) {
  write_file(folder_ / "damaged", whole_.substr(0, page(leaf_)));
  FileDescriptor opened(::open((folder_ / "damaged").c_str(), O_RDONLY | O_CLOEXEC));
  auto checked = check_pages(opened.get(), meta_, PageCheckDepth::thorough);
  ASSERT_FALSE(checked);
  EXPECT_EQ(code_of(checked), "corrupt");
}

}  // namespace
}  // namespace almanac::test
