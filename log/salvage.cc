#include <almanac/log/salvage.h>

#include <almanac/log/file.h>
#include <almanac/log/limits.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <span>
#include <string>

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t salvage_window_bytes = 1 * limits::mebibyte;
// What the disk gives or refuses at once: around a part it refuses, the rest is still read.
constexpr std::size_t sector_bytes = 4096;

// A file of which some parts may not be readable.
class DamagedFile {
 public:
  explicit DamagedFile(const fs::path& path)
      : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), error_(errno) {
    struct stat status;
    if (file_.valid() && ::fstat(file_.get(), &status) == 0) {
      bytes_ = static_cast<std::uint64_t>(status.st_size);
    }
  }
  [[nodiscard]] bool opened() const { return file_.valid(); }
  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  // False when one byte of it cannot be read.
  [[nodiscard]] bool read(std::uint64_t offset, std::span<std::byte> into) const {
    while (!into.empty()) {
      auto size = ::pread(file_.get(), into.data(), into.size(), static_cast<off_t>(offset));
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return false;
      into = into.subspan(static_cast<std::size_t>(size));
      offset += static_cast<std::uint64_t>(size);
    }
    return true;
  }
  // What cannot be read is zeros.
  void read_around_damage(std::uint64_t offset, std::span<std::byte> into) const {
    if (read(offset, into)) return;
    for (std::size_t at = 0; at < into.size(); at += sector_bytes) {
      auto sector = into.subspan(at, std::min(sector_bytes, into.size() - at));
      if (!read(offset + at, sector)) std::ranges::fill(sector, std::byte{0});
    }
  }

 private:
  FileDescriptor file_;
  int error_ = 0;
  std::uint64_t bytes_ = 0;
};

Bytes as_memory(std::vector<std::uint64_t>& words, std::size_t bytes) {
  return std::as_bytes(std::span(words)).first(bytes);
}

// The frame that begins at `offset`, if a whole one does.
Result<std::optional<FoundFrame>> frame_at(const DamagedFile& file, std::uint64_t offset,
                                           std::vector<std::uint64_t>& memory) {
  std::array<std::byte, stored_prefix_bytes> prefix;
  if (!file.read(offset, prefix)) return std::nullopt;
  const auto stated = stored_frame_bytes(prefix);
  if (!stated || *stated > file.bytes() - offset) return std::nullopt;
  const auto bytes = *stated;
  memory.resize(bytes / sizeof(std::uint64_t));
  if (!file.read(offset, std::as_writable_bytes(std::span(memory)))) return std::nullopt;
  auto reader = FrameReader::open(as_memory(memory, bytes), FrameTrust::unverified);
  if (reader && reader->digest() == Digest{}) {  // a draft, as the journal holds them
    (void)complete_frame(std::as_writable_bytes(std::span(memory)));
    reader = FrameReader::open(as_memory(memory, bytes), FrameTrust::verified);
  }
  if (!reader || !reader->digest_matches()) return std::nullopt;
  for (std::uint32_t i = 0; i < reader->header().count; ++i) {
    auto event = reader->event(i);
    if (event) continue;
    if (event.error().code == ErrorCode::newer_format) return std::unexpected(event.error());
    return std::nullopt;
  }
  return FoundFrame{
      .header = reader->header(), .digest = reader->digest(), .offset = offset, .bytes = bytes};
}

// Searches files one after another and keeps each frame once, however many old pages hold it.
class Search {
 public:
  explicit Search(const SalvageOptions& options) : options_(options) {}

  void add_folder(const fs::path& folder) {
    std::error_code ignored;
    for (fs::recursive_directory_iterator entry(folder, ignored), end; !ignored && entry != end;
         entry.increment(ignored)) {
      if (!entry->is_regular_file(ignored)) continue;
      salvage_.files.push_back(entry->path());
      bytes_all_ += entry->file_size(ignored);
    }
  }

  Result<Salvage> run() {
    std::ranges::sort(salvage_.files);
    for (std::size_t i = 0; i < salvage_.files.size(); ++i) {
      if (auto searched = search(i); !searched) return std::unexpected(searched.error());
    }
    choose_chain();
    return std::move(salvage_);
  }

 private:
  Result<void> search(std::size_t index) {
    DamagedFile file(salvage_.files[index]);
    if (!file.opened()) {
      return fail_errno(file.error(), "open " + salvage_.files[index].string());
    }
    std::vector<std::byte> window(salvage_window_bytes);
    std::uint64_t next = 0;  // the first byte that may begin a frame
    for (std::uint64_t begin = 0; begin < file.bytes();
         begin += salvage_window_bytes - stored_frame_magic.size() + 1) {
      auto part = std::span(window).first(
          std::min<std::uint64_t>(salvage_window_bytes, file.bytes() - begin));
      if (begin + part.size() > next) {
        file.read_around_damage(begin, part);
        if (auto searched = search(file, index, begin, part, next); !searched) return searched;
      }
      auto through = std::min(begin + salvage_window_bytes, file.bytes());
      if (options_.progress) options_.progress(bytes_done_ + through, bytes_all_);
    }
    bytes_done_ += file.bytes();
    return {};
  }

  Result<void> search(const DamagedFile& file, std::size_t index, std::uint64_t begin, Bytes part,
                      std::uint64_t& next) {
    const auto text = as_text(part);
    for (auto at = text.find(stored_frame_magic); at != text.npos;
         at = text.find(stored_frame_magic, at + 1)) {
      auto magic = begin + at;
      if (magic < next + stored_magic_offset || magic % 2 != 0) continue;
      auto found = frame_at(file, magic - stored_magic_offset, memory_);
      if (!found) return std::unexpected(found.error());
      if (!*found) continue;
      (*found)->file = index;
      next = (*found)->offset + (*found)->bytes;
      if (was_given_up(**found)) continue;
      found_.try_emplace((*found)->digest, **found);
    }
    return {};
  }

  [[nodiscard]] bool was_given_up(const FoundFrame& frame) const {
    return std::ranges::any_of(options_.confirmed, [&](const auto& record) {
      return record && record->last >= frame.header.first && record->last <= frame.header.last() &&
             record->digest != frame.digest;
    });
  }
  [[nodiscard]] bool is_confirmed(const FoundFrame& frame) const {
    return std::ranges::any_of(options_.confirmed, [&](const auto& record) {
      return record && record->digest == frame.digest;
    });
  }

  // How good it is to go on with a frame: whether the way leads to the confirmed one, and how far.
  struct Reach {
    bool confirmed = false;
    Position last;
    const FoundFrame* next = nullptr;
  };

  using Reaches = std::map<std::pair<Digest, Timeline>, Reach>;

  // The first frame of the log. Where nobody knows where the log begins, because it may have been
  // trimmed, it is the earliest.
  const Reach* find_root(const Reaches& behind) {
    const StoreBase base = options_.base.value_or(StoreBase{});
    const Reach* best = nullptr;
    const Reach* earliest = nullptr;
    for (const auto& [key, reach] : behind) {
      const auto first = reach.next->header.first;
      bool earlier = earliest == nullptr || first < earliest->next->header.first ||
                     (first == earliest->next->header.first && is_better(reach, *earliest));
      if (earlier) earliest = &reach;
      if (key.first != base.digest || first != base.last.next()) continue;
      if (best == nullptr || is_better(reach, *best)) best = &reach;
    }
    if (best != nullptr || options_.base) return best;
    salvage_.begins_anywhere = earliest != nullptr;
    return earliest;
  }

  static bool is_better(const Reach& reach, const Reach& than) {
    if (reach.confirmed != than.confirmed) return reach.confirmed;
    return reach.last > than.last;
  }

  void choose_chain() {
    std::vector<const FoundFrame*> frames;
    for (const auto& [digest, frame] : found_) frames.push_back(&frame);
    std::ranges::sort(frames, std::ranges::greater(),
                      [](const FoundFrame* frame) { return frame->header.first; });
    // Of the frames behind each, by the digest they state: the best one so far.
    Reaches behind;
    for (const FoundFrame* frame : frames) {
      const FrameHeader& header = frame->header;
      Reach reach{is_confirmed(*frame), header.last(), frame};
      auto on = behind.find({frame->digest, header.timeline});
      if (on != behind.end() && on->second.next->header.first == header.last().next()) {
        reach.confirmed = reach.confirmed || on->second.confirmed;
        reach.last = on->second.last;
      }
      auto& best = behind[{header.previous, header.timeline}];
      if (best.next == nullptr || is_better(reach, best)) best = reach;
    }
    const Reach* best = find_root(behind);
    while (best != nullptr) {
      const FoundFrame* frame = best->next;
      salvage_.chain.push_back(*frame);
      auto on = behind.find({frame->digest, frame->header.timeline});
      bool follows =
          on != behind.end() && on->second.next->header.first == frame->header.last().next();
      best = follows ? &on->second : nullptr;
    }
    collect_loose(frames);
  }

  void collect_loose(std::vector<const FoundFrame*>& frames) {
    auto last = salvage_.chain.empty() ? Position() : salvage_.chain.back().header.last();
    std::ranges::reverse(frames);
    for (const FoundFrame* frame : frames) {
      if (frame->header.first <= last) continue;
      last = frame->header.last();
      salvage_.loose.push_back(*frame);
    }
  }

  const SalvageOptions& options_;
  Salvage salvage_;
  std::map<Digest, FoundFrame> found_;
  std::vector<std::uint64_t> memory_;
  std::uint64_t bytes_all_ = 0;
  std::uint64_t bytes_done_ = 0;
};

}  // namespace

Result<Salvage> find_frames(const std::vector<fs::path>& folders, const SalvageOptions& options) {
  Search search(options);
  for (const fs::path& folder : folders) search.add_folder(folder);
  return search.run();
}

Result<Bytes> read_found(const Salvage& salvage, const FoundFrame& frame,
                         std::vector<std::uint64_t>& memory) {
  const fs::path& path = salvage.files[frame.file];
  DamagedFile file(path);
  if (!file.opened()) return fail_errno(file.error(), "open " + path.string());
  auto found = frame_at(file, frame.offset, memory);
  if (!found) return std::unexpected(found.error());
  if (!*found || (*found)->digest != frame.digest) {
    return fail(ErrorCode::corrupt, path.string() + " changes while it is read");
  }
  return as_memory(memory, frame.bytes);
}

}  // namespace almanac
