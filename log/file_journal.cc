#include <almanac/log/file_journal.h>

#include <almanac/log/block_writer.h>
#include <almanac/log/limits.h>
#include <almanac/log/segment.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace almanac {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> unusable(const std::string& what) {
  return fail(ErrorCode::corrupt, what,
              "put back the folder as it was, or restore all of it from a backup");
}

std::unexpected<Error> unknown_outcome(const Error& error) {
  return fail(ErrorCode::unknown_outcome, error.message,
              "the last events may or may not be on disk; open the log again to see");
}

fs::path segment_path(const fs::path& folder, std::size_t number) {
  return folder / ("segment-" + std::to_string(number));
}

// The frames behind the start that one segment holds.
struct Run {
  std::size_t segment = 0;
  std::vector<SegmentFrame> frames;
};

class FileJournal final : public Journal {
 public:
  FileJournal(fs::path folder, Access access) : folder_(std::move(folder)), access_(access) {}

  Result<void> open_segments();
  Result<void> recover(const JournalStart& start, const Visit& visit) override;
  Result<void> append(const FrameView& frame, Space space) override;
  void trim(Position through) override;
  void set_reserve(std::size_t bytes) override;
  std::uint64_t size_bytes() const override;

 private:
  Result<std::vector<Run>> read_runs(const SegmentRange& range);
  Result<void> write_again(const std::vector<Run>& runs);
  Result<Segment*> room_for(std::size_t bytes, Space space);
  Result<void> add_segment(std::size_t bytes_wanted);
  Segment* take(Segment* segment);
  void leave_current();
  Segment* free_segment(std::size_t bytes);
  std::size_t free_bytes() const;
  Result<void> take_back(const Segment& segment, const Error& error);

  const fs::path folder_;
  const Access access_;
  std::mutex adding_;         // held while a segment is made
  mutable std::mutex mutex_;  // guards the list, `last` of all segments and the sums
  std::vector<std::unique_ptr<Segment>> segments_;  // by number
  std::vector<SegmentCursor> cursors_;              // of who reads, by number
  std::size_t bytes_ = 0;                           // of all segments
  std::atomic<std::size_t> reserve_ = 0;
  Segment* current_ = nullptr;  // of the writer's thread
  BlockWriter blocks_;          // as well
};

Result<void> FileJournal::open_segments() {
  for (auto number = segments_.size(); number < limits::journal_segments_max; ++number) {
    auto segment =
        open_segment(segment_path(folder_, number), access_ == Access::write ? O_RDWR : O_RDONLY);
    if (!segment && segment.error().code == ErrorCode::not_found) break;
    if (!segment) return std::unexpected(segment.error());
    bytes_ += segment->bytes;
    segments_.push_back(std::make_unique<Segment>(std::move(*segment)));
  }
  return {};
}

Result<std::vector<Run>> FileJournal::read_runs(const SegmentRange& range) {
  std::vector<Run> runs;
  cursors_.resize(segments_.size());
  for (std::size_t number = 0; number < segments_.size(); ++number) {
    auto frames = read_segment(*segments_[number], cursors_[number], range);
    if (!frames) return std::unexpected(frames.error());
    if (!frames->empty()) runs.push_back({number, std::move(*frames)});
  }
  std::ranges::sort(runs, {}, [](const Run& run) { return run.frames.front().first; });
  return runs;
}

// What the frames say must be one story with the store, from its end to theirs.
Result<void> join(const std::vector<Run>& runs, const JournalStart& start,
                  const Journal::Visit& visit) {
  Position last = start.last;
  Digest digest = start.digest;
  for (const Run& run : runs) {
    for (const SegmentFrame& owned : run.frames) {
      if (owned.last > start.through) return {};
      auto frame = FrameReader::open(owned.value(), FrameTrust::verified);
      if (!frame) return std::unexpected(frame.error());
      const FrameHeader& header = frame->header();
      if (header.timeline != start.timeline) return unusable("the journal belongs to another log");
      if (header.first > last.next()) {
        return unusable("the log ends at position " + std::to_string(last.value) +
                        " and its journal goes on at " + std::to_string(header.first.value) +
                        ": the log was replaced by an older one");
      }
      if (header.first != last.next() || header.previous != digest) {
        return unusable("the journal tells another story than the log behind position " +
                        std::to_string(start.last.value));
      }
      if (auto visited = visit(*frame, owned.value()); !visited) return visited;
      last = header.last();
      digest = frame->digest();
    }
  }
  return {};
}

Result<void> FileJournal::recover(const JournalStart& start, const Visit& visit) {
  if (access_ == Access::read) {
    for (auto& segment : segments_) {
      if (auto measured = measure(*segment); !measured) return measured;
    }
    if (auto opened = open_segments(); !opened) return opened;
  }
  auto runs = read_runs({.after = start.last, .through = start.through});
  if (!runs) return std::unexpected(runs.error());
  if (access_ == Access::write) {
    cursors_.clear();
    // Nor need the names of the segments be certain, when who made them died at once.
    if (auto synced = sync_folder(folder_); !synced) return synced;
    if (auto written = write_again(*runs); !written) return written;
  }
  return join(*runs, start, visit);
}

// The process that wrote these frames may have died, or been told of an error, before they were
// synced: what is read back then is in memory only, and only writing it again, just as it is, makes
// sure.
Result<void> FileJournal::write_again(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    Segment& segment = *segments_[run.segment];
    for (const SegmentFrame& frame : run.frames) {
      std::vector<std::byte> bytes(frame.value().size());
      auto read = read_at(segment, frame.offset, bytes);
      if (read) read = write_at(segment, frame.offset, bytes);
      if (!read) return read;
    }
    if (auto synced = sync(segment); !synced) return synced;
    segment.last = run.frames.back().last;
  }
  return {};
}

Result<void> FileJournal::append(const FrameView& frame, Space space) {
  auto found = room_for(frame.value.size(), space);
  if (!found) return std::unexpected(found.error());
  Segment& segment = **found;
  auto written = blocks_.write(segment, frame.value);
  if (!written) return take_back(segment, written.error());
  if (auto synced = sync(segment); !synced) return unknown_outcome(synced.error());
  segment.end += frame.value.size();
  std::lock_guard guard(mutex_);
  segment.last = frame.last;
  return {};
}

// A write that found no room may have left all of the frame but some zeros, which are there anyway:
// nothing of it may be found. Then it is as if it had never been asked for.
Result<void> FileJournal::take_back(const Segment& segment, const Error& error) {
  if (error.code != ErrorCode::storage_full) return unknown_outcome(error);
  static constexpr std::array<std::byte, stored_prefix_bytes> nothing{};
  auto erased = blocks_.write(segment, nothing);
  if (erased) erased = sync(segment);
  if (!erased) return unknown_outcome(error);
  return std::unexpected(error);
}

// The current segment while it has room, then one that is free, then a new one.
Result<Segment*> FileJournal::room_for(std::size_t bytes, Space space) {
  if (current_ != nullptr && current_->room() >= bytes &&
      (space == Space::reserve || free_bytes() + current_->room() >= reserve_ + bytes)) {
    return current_;
  }
  leave_current();
  while (true) {
    auto* segment = free_segment(bytes);
    bool enough = segment != nullptr &&
                  (space == Space::reserve || free_bytes() >= reserve_ + segment->bytes);
    if (!enough) {
      // What the reserve lacks in one piece if it can be, for the largest of its frames.
      std::size_t reserve = reserve_;
      auto lacking = reserve - std::min(reserve, free_bytes());
      auto added =
          add_segment(std::max(bytes, std::min(lacking, limits::journal_segment_bytes_max)));
      if (added) continue;
      if (segment == nullptr || space == Space::ordinary) return std::unexpected(added.error());
    }
    return take(segment);
  }
}

Segment* FileJournal::take(Segment* segment) {
  std::lock_guard guard(mutex_);
  if (current_ != nullptr) current_->in_use = false;
  segment->in_use = true;
  segment->end = 0;
  set_direct(*segment, true);
  return current_ = segment;
}

// Where nothing in it is needed any more, it is as free as any other.
void FileJournal::leave_current() {
  std::lock_guard guard(mutex_);
  if (current_ == nullptr || current_->last) return;
  current_->in_use = false;
  current_ = nullptr;
}

// The smallest that is free and has room enough.
Segment* FileJournal::free_segment(std::size_t bytes) {
  std::lock_guard guard(mutex_);
  Segment* found = nullptr;
  for (auto& segment : segments_) {
    if (!segment->free() || segment->bytes < bytes) continue;
    if (found == nullptr || segment->bytes < found->bytes) found = segment.get();
  }
  return found;
}

std::size_t FileJournal::free_bytes() const {
  std::lock_guard guard(mutex_);
  std::size_t bytes = 0;
  for (const auto& segment : segments_) {
    if (segment->free()) bytes += segment->bytes;
  }
  return bytes;
}

Result<void> FileJournal::add_segment(std::size_t bytes_wanted) {
  std::lock_guard adding(adding_);
  std::size_t number = segments_.size();
  auto bytes =
      std::clamp(bytes_ / 2, limits::journal_segment_bytes_min, limits::journal_segment_bytes_max);
  bytes = std::max(bytes, bytes_wanted);
  bytes += (limits::journal_block_bytes - bytes % limits::journal_block_bytes) %
           limits::journal_block_bytes;
  if (number == limits::journal_segments_max || bytes_ + bytes > limits::journal_bytes_max) {
    return fail(ErrorCode::storage_full, "the journal is full because the log behind it is stuck",
                "see why the disk does not take more");
  }
  auto segment = create_segment(segment_path(folder_, number), bytes);
  if (!segment) {
    auto full = segment.error().code == ErrorCode::storage_full;
    return full ? Result<void>(std::unexpected(segment.error())) : unknown_outcome(segment.error());
  }
  if (auto synced = sync_folder(folder_); !synced) return unknown_outcome(synced.error());
  std::lock_guard guard(mutex_);
  segments_.push_back(std::make_unique<Segment>(std::move(*segment)));
  bytes_ += bytes;
  return {};
}

// Also sees to it that the writer finds a free segment when it needs one. Where that fails the
// writer will be told, if it comes to that.
void FileJournal::trim(Position through) {
  bool short_of_room = false;
  {
    std::lock_guard guard(mutex_);
    for (auto& segment : segments_) {
      if (segment->last <= through) segment->last = Position();
    }
    short_of_room = std::ranges::none_of(segments_, [](const auto& one) { return one->free(); });
  }
  if (short_of_room) (void)add_segment(0);
}

void FileJournal::set_reserve(std::size_t bytes) { reserve_ = bytes; }

std::uint64_t FileJournal::size_bytes() const {
  std::lock_guard guard(mutex_);
  return bytes_;
}

}  // namespace

Result<void> create_file_journal(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail_errno(errno, "create " + folder.string());
  }
  return {};
}

Result<std::unique_ptr<Journal>> open_file_journal(const fs::path& folder, Access access) {
  std::error_code missing;
  if (!fs::is_directory(folder, missing)) {
    return unusable("the journal " + folder.string() + " is missing");
  }
  auto journal = std::make_unique<FileJournal>(folder, access);
  if (auto opened = journal->open_segments(); !opened) return std::unexpected(opened.error());
  return journal;
}

}  // namespace almanac
