#include <almanac/log/page_check.h>

#include <almanac/log/types.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {
namespace {

using namespace layout;

constexpr std::string_view frames_name = "frames";
// What is read at once when pages follow each other, as those of a log mostly do.
constexpr std::size_t window_bytes = std::size_t{256} * 1024;

// What is wrong, or nothing.
using Complaint = std::string_view;

template <class T>
T number_at(Bytes bytes, std::size_t at) {
  T number;
  std::memcpy(&number, bytes.data() + at, sizeof(number));
  return number;
}

// Pages by number. The caller asks for those of the file alone.
class PageFile {
 public:
  PageFile(int file, std::size_t page_bytes, std::uint64_t last_page)
      : file_(file), page_bytes_(page_bytes), last_page_(last_page) {
    window_.resize(std::max(window_bytes, page_bytes));
  }

  // Lives until the next call.
  Result<Bytes> page(std::uint64_t number) {
    if (number - begin_ >= count_) {
      bool in_sequence = number == begin_ + count_;
      begin_ = number;
      count_ = in_sequence ? std::min(window_.size() / page_bytes_, last_page_ - number + 1) : 1;
      auto bytes = std::span(window_).first(count_ * page_bytes_);
      if (auto read = this->read(number * page_bytes_, bytes); !read) {
        return std::unexpected(read.error());
      }
    }
    return Bytes(window_).subspan((number - begin_) * page_bytes_, page_bytes_);
  }

  Result<void> read(std::uint64_t offset, std::span<std::byte> bytes) const {
    while (!bytes.empty()) {
      auto size = ::pread(file_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) return fail_errno(errno, "read the log");
      if (size == 0) return fail(ErrorCode::corrupt, "it is cut short");
      bytes = bytes.subspan(static_cast<std::size_t>(size));
      offset += static_cast<std::uint64_t>(size);
    }
    return {};
  }

 private:
  int file_;
  std::size_t page_bytes_;
  std::uint64_t last_page_;
  std::vector<std::byte> window_;
  std::uint64_t begin_ = 0;
  std::uint64_t count_ = 0;
};

// Which pages are taken, by whom there is no matter.
class PageSet {
 public:
  explicit PageSet(std::uint64_t last_page) : last_(last_page), words_(last_page / 64 + 1) {}

  // False when one is outside the file or taken already.
  bool take(std::uint64_t first, std::uint64_t count) {
    if (first < meta_pages || first > last_ || count == 0 || count > last_ - first + 1) {
      return false;
    }
    for (std::uint64_t page = first; page < first + count; ++page) {
      auto bit = std::uint64_t{1} << (page % 64);
      if ((words_[page / 64] & bit) != 0) return false;
      words_[page / 64] |= bit;
    }
    return true;
  }

 private:
  std::uint64_t last_;
  std::vector<std::uint64_t> words_;
};

enum class Holds : std::uint8_t { free_pages, databases, frames, other };

// A database while it is walked.
struct Tree {
  std::string name;
  Holds holds;
  Database record;
  Database found{};  // its counts, as they really are
  std::optional<std::uint64_t> last_number{};
  std::vector<std::byte> last_key{};
  bool integer() const { return (record.flags & integer_keys) != 0; }
};

// The keys a page may hold: `low` is the first, `high` is behind the last; none at the edges.
struct KeyRange {
  std::optional<Bytes> low;
  std::optional<Bytes> high;
};

bool before(const Tree& tree, Bytes left, Bytes right) {
  if (tree.integer()) return number_at<std::uint64_t>(left, 0) < number_at<std::uint64_t>(right, 0);
  auto common = std::min(left.size(), right.size());
  int order = common == 0 ? 0 : std::memcmp(left.data(), right.data(), common);
  return order != 0 ? order < 0 : left.size() < right.size();
}

struct Node {
  NodeHeader header;
  std::size_t at;  // in the page
  Bytes key;
  Bytes rest;  // behind the key, to the end of the page
  [[nodiscard]] std::uint64_t child() const {
    return header.low | std::uint64_t{header.high} << 16 | std::uint64_t{header.flags} << 32;
  }
  [[nodiscard]] std::uint64_t value_bytes() const {
    return header.low | std::uint64_t{header.high} << 16;
  }
};

std::size_t node_count(const PageHeader& page) {
  return (page.lower - sizeof(PageHeader)) / sizeof(std::uint16_t);
}

class Walk {
 public:
  Walk(int file, const MetaPage& meta, PageCheckDepth depth)
      : meta_(meta),
        page_bytes_(meta.free_pages.padding),
        thorough_(depth == PageCheckDepth::thorough),
        file_(file, page_bytes_, meta.last_page),
        taken_(meta.last_page) {}

  Result<PageCheckReport> run() {
    report_.pages_used = meta_pages;
    Tree free_pages{.name = "free pages", .holds = Holds::free_pages, .record = meta_.free_pages};
    free_pages.record.padding = 0;
    if (auto walked = tree(free_pages); !walked) return std::unexpected(walked.error());
    Tree main{.name = "databases", .holds = Holds::databases, .record = meta_.main};
    if (auto walked = tree(main); !walked) return std::unexpected(walked.error());
    for (Tree& named : named_) {
      if (auto walked = tree(named); !walked) return std::unexpected(walked.error());
      if (named.holds == Holds::frames) report_.frames = named.found.entries;
    }
    return report_;
  }

 private:
  static std::unexpected<Error> damaged(const Tree& tree, std::uint64_t page, Complaint what) {
    return fail(ErrorCode::corrupt,
                "page " + std::to_string(page) + " (" + tree.name + ") " + std::string(what));
  }
  static std::unexpected<Error> damaged(const Tree& tree, Complaint what) {
    return fail(ErrorCode::corrupt, "the record of its " + tree.name + " " + std::string(what));
  }

  Result<void> tree(Tree& tree) {
    const Database& record = tree.record;
    bool frames_or_free = tree.holds == Holds::frames || tree.holds == Holds::free_pages;
    if (record.padding != 0 || (record.flags & ~integer_keys) != 0 ||
        (frames_or_free && !tree.integer())) {
      return damaged(tree, "has a kind that cannot be");
    }
    if ((record.root == no_page) != (record.depth == 0) || record.depth > depth_max) {
      return damaged(tree, "contradicts itself");
    }
    if (record.depth > 0) {
      if (auto walked = page(tree, record.root, 1, {}); !walked) return walked;
    }
    if (tree.found.branch_pages != record.branch_pages ||
        tree.found.leaf_pages != record.leaf_pages ||
        tree.found.overflow_pages != record.overflow_pages ||
        tree.found.entries != record.entries) {
      return damaged(tree, "does not count what is there");
    }
    report_.pages_used += record.branch_pages + record.leaf_pages + record.overflow_pages;
    return {};
  }

  Result<void> page(Tree& tree, std::uint64_t number, unsigned depth, const KeyRange& range) {
    if (!taken_.take(number, 1)) {
      return damaged(tree, number, "is outside the file or used twice");
    }
    auto bytes = file_.page(number);
    if (!bytes) return std::unexpected(bytes.error());
    auto header = number_at<PageHeader>(*bytes, 0);
    bool leaf = depth == tree.record.depth;
    if (auto wrong = check_header(header, number, leaf); !wrong.empty()) {
      return damaged(tree, number, wrong);
    }
    return leaf ? leaf_nodes(tree, *bytes, header, range)
                : branch_nodes(tree, *bytes, header, depth, range);
  }

  Complaint check_header(const PageHeader& header, std::uint64_t number, bool leaf) const {
    if (header.number != number) return "stands in another one's place";
    if (header.flags != (leaf ? leaf_page : branch_page)) return "is of the wrong kind";
    if (header.lower < sizeof(PageHeader) || header.lower % sizeof(std::uint16_t) != 0 ||
        header.lower > header.upper || header.upper > page_bytes_) {
      return "has bounds that cannot be";
    }
    if (node_count(header) == 0) return "is empty";
    return {};
  }

  // The node at `index`, whose key and head lie in the page; nothing when they do not.
  [[nodiscard]] std::optional<Node> node(Bytes page, const PageHeader& header,
                                         std::size_t index) const {
    auto at = number_at<std::uint16_t>(page, sizeof(PageHeader) + index * sizeof(std::uint16_t));
    if (at < header.upper || at + sizeof(NodeHeader) > page_bytes_) return std::nullopt;
    auto head = number_at<NodeHeader>(page, at);
    auto behind = page.subspan(at + sizeof(NodeHeader));
    if (head.key_bytes > behind.size()) return std::nullopt;
    return Node{head, at, behind.first(head.key_bytes), behind.subspan(head.key_bytes)};
  }

  static bool key_fits(const Tree& tree, Bytes key) {
    return tree.integer() ? key.size() == sizeof(std::uint64_t)
                          : !key.empty() && key.size() <= key_bytes_max;
  }

  // Whether the nodes fill the page from `upper` to its end, each byte once. Mostly they lie in the
  // order they were added, the first at the end.
  struct Extent {
    std::size_t at;
    std::size_t bytes;
  };
  bool fill_page(std::size_t upper) {
    if (!std::ranges::is_sorted(extents_, std::ranges::greater(), &Extent::at)) {
      std::ranges::sort(extents_, std::ranges::greater(), &Extent::at);
    }
    auto end = page_bytes_;
    for (const Extent& extent : extents_) {
      if (extent.at + extent.bytes != end) return false;
      end = extent.at;
    }
    return end == upper;
  }
  void add_extent(std::size_t at, std::size_t bytes) {
    extents_.push_back({at, bytes + bytes % 2});
  }

  // The first key of a branch is not used by anyone, and mostly empty.
  Complaint check_branch(const Tree& tree, Bytes page, const PageHeader& header,
                         const KeyRange& range) {
    auto count = node_count(header);
    if (count < 2 && tree.holds != Holds::free_pages) return "has too few children";
    extents_.clear();
    std::optional<Bytes> previous = range.low;
    for (std::size_t i = 0; i < count; ++i) {
      auto found = node(page, header, i);
      if (!found) return "has a node outside it";
      add_extent(found->at, sizeof(NodeHeader) + found->key.size());
      if (i == 0) continue;
      if (!key_fits(tree, found->key)) return "has a key that cannot be";
      if (previous && !before(tree, *previous, found->key)) return "has keys out of order";
      previous = found->key;
    }
    if (count > 1 && range.high && !before(tree, *previous, *range.high)) {
      return "has keys of another page";
    }
    return fill_page(header.upper) ? Complaint() : "has nodes that overlap or leave a gap";
  }

  Result<void> branch_nodes(Tree& tree, Bytes bytes, const PageHeader& header, unsigned depth,
                            const KeyRange& range) {
    const std::vector<std::byte> kept(bytes.begin(), bytes.end());
    if (auto wrong = check_branch(tree, kept, header, range); !wrong.empty()) {
      return damaged(tree, header.number, wrong);
    }
    ++tree.found.branch_pages;
    auto count = node_count(header);
    for (std::size_t i = 0; i < count; ++i) {
      KeyRange of_child = range;
      auto child = node(kept, header, i);
      if (i > 0) of_child.low = child->key;
      if (i + 1 < count) of_child.high = node(kept, header, i + 1)->key;
      if (auto walked = page(tree, child->child(), depth + 1, of_child); !walked) return walked;
    }
    return {};
  }

  Complaint check_leaf(const Tree& tree, Bytes page, const PageHeader& header,
                       const KeyRange& range) {
    auto count = node_count(header);
    extents_.clear();
    nodes_.clear();
    for (std::size_t i = 0; i < count; ++i) {
      auto found = node(page, header, i);
      if (!found) return "has a node outside it";
      if (!key_fits(tree, found->key)) return "has a key that cannot be";
      bool in_pages = found->header.flags == value_in_pages;
      bool database = tree.holds == Holds::databases && found->header.flags == value_is_database;
      if (!in_pages && !database && found->header.flags != 0) {
        return "has a value of the wrong kind";
      }
      auto bytes = in_pages ? sizeof(std::uint64_t) : found->value_bytes();
      if (bytes > found->rest.size()) return "has a value that goes beyond it";
      if (database && bytes != sizeof(Database)) return "names something that is no database";
      if (tree.holds == Holds::frames && found->value_bytes() % sizeof(std::uint64_t) != 0) {
        return "has a frame of a size that cannot be";
      }
      auto previous = i == 0 ? range.low : std::optional(nodes_.back().key);
      bool in_order = !previous || before(tree, *previous, found->key) ||
                      (i == 0 && !before(tree, found->key, *previous));
      if (!in_order) return "has keys out of order";
      add_extent(found->at, sizeof(NodeHeader) + found->key.size() + bytes);
      nodes_.push_back(*found);
    }
    if (range.high && !before(tree, nodes_.back().key, *range.high)) {
      return "has keys of another page";
    }
    return fill_page(header.upper) ? Complaint() : "has nodes that overlap or leave a gap";
  }

  Result<void> leaf_nodes(Tree& tree, Bytes bytes, const PageHeader& header,
                          const KeyRange& range) {
    if (auto wrong = check_leaf(tree, bytes, header, range); !wrong.empty()) {
      return damaged(tree, header.number, wrong);
    }
    ++tree.found.leaf_pages;
    tree.found.entries += nodes_.size();
    for (const Node& node : nodes_) {
      auto offset = header.number * page_bytes_ + (page_bytes_ - node.rest.size());
      if (node.header.flags == value_in_pages) {
        auto first = number_at<std::uint64_t>(node.rest, 0);
        if (auto taken = value_pages(tree, header.number, node, first); !taken) return taken;
        offset = first * page_bytes_ + sizeof(PageHeader);
      }
      if (auto read = value(tree, header.number, node, offset); !read) return read;
    }
    return {};
  }

  // A value with pages of its own. A free list that got shorter keeps the pages it had; no other
  // value is ever changed, so that the head of its pages tells nothing new.
  Result<void> value_pages(Tree& tree, std::uint64_t page, const Node& node, std::uint64_t first) {
    auto needed = (sizeof(PageHeader) - 1 + node.value_bytes()) / page_bytes_ + 1;
    auto count = needed;
    if (thorough_ || tree.holds != Holds::frames) {
      if (first < meta_pages || first > meta_.last_page) {
        return damaged(tree, page, "has a value outside the file");
      }
      std::array<std::byte, sizeof(PageHeader)> bytes;
      if (auto read = file_.read(first * page_bytes_, bytes); !read) return read;
      auto header = number_at<PageHeader>(bytes, 0);
      count = header.lower | std::uint64_t{header.upper} << 16;
      if (header.number != first || header.flags != overflow_page || count < needed ||
          (count > needed && tree.holds == Holds::frames)) {
        return damaged(tree, first, "does not begin the value it should");
      }
    }
    if (!taken_.take(first, count)) {
      return damaged(tree, page, "has a value in pages outside the file or used twice");
    }
    tree.found.overflow_pages += count;
    return {};
  }

  // What a value means to the walk; it begins at `offset` of the file.
  Result<void> value(Tree& tree, std::uint64_t page, const Node& node, std::uint64_t offset) {
    switch (tree.holds) {
      case Holds::free_pages: return free_list(tree, page, node, offset);
      case Holds::databases: {
        if (node.header.flags != value_is_database) return {};  // another program's
        std::string name(as_text(node.key));
        auto holds = name == frames_name ? Holds::frames : Holds::other;
        named_.push_back(
            {.name = std::move(name), .holds = holds, .record = number_at<Database>(node.rest, 0)});
        return {};
      }
      case Holds::frames:
        report_.last_frame = {number_at<std::uint64_t>(node.key, 0), offset, node.value_bytes()};
        return {};
      case Holds::other: return {};
    }
    return {};
  }

  // The pages one transaction gave up, as LMDB will take them again: a count and then the numbers,
  // the largest first.
  Result<void> free_list(const Tree& tree, std::uint64_t page, const Node& node,
                         std::uint64_t offset) {
    auto transaction = number_at<std::uint64_t>(node.key, 0);
    if (transaction == 0 || transaction > meta_.transaction) {
      return damaged(tree, page, "names a transaction that never was");
    }
    auto bytes = node.value_bytes();
    if (bytes < sizeof(std::uint64_t) || bytes % sizeof(std::uint64_t) != 0) {
      return damaged(tree, page, "has a list of a size that cannot be");
    }
    std::vector<std::uint64_t> list(bytes / sizeof(std::uint64_t));
    if (auto read = file_.read(offset, std::as_writable_bytes(std::span(list))); !read) return read;
    if (list[0] >= list.size()) return damaged(tree, page, "has a list longer than its bytes");
    auto pages = std::span(list).subspan(1, list[0]);
    if (!std::ranges::is_sorted(pages, std::ranges::greater())) {
      return damaged(tree, page, "has a list out of order");
    }
    for (auto free : pages) {
      if (taken_.take(free, 1)) continue;
      return damaged(tree, free, "is free and in use, or outside the file");
    }
    report_.pages_free += pages.size();
    return {};
  }

  const MetaPage& meta_;
  std::size_t page_bytes_;
  bool thorough_;
  PageFile file_;
  PageSet taken_;
  std::vector<Tree> named_;
  std::vector<Extent> extents_;  // of the page at hand
  std::vector<Node> nodes_;      // of the leaf at hand
  PageCheckReport report_;
};

}  // namespace

Result<PageCheckReport> check_pages(int file, const MetaPage& meta, PageCheckDepth depth) {
  return Walk(file, meta, depth).run();
}

}  // namespace almanac
