// What a program did to a folder, call by call with all bytes, and what it promised meanwhile.
#pragma once

#include <almanac/tests/disk/disk_call.h>
#include <almanac/tests/disk/folder_watcher.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <variant>
#include <vector>

namespace almanac::test {

// One call that came back without an error, or a sync that was made to fail.
struct RecordedCall {
  CallKind kind;
  const char* name = "";
  std::size_t thread = 0;
  std::uint32_t handle = 0;  // which open file
  std::string path;          // open, rename, unlink, folders; of the open file else
  std::string to;            // rename
  int flags = 0;             // open
  bool whole_file = true;    // sync: false when only offset … offset + length is meant
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  // write, allocate; the new size of truncate
  std::string bytes;         // write; empty when all are zero
  std::size_t began = 0;     // sync: how many steps there were when it began
  bool failed = false;       // sync
};

// What was promised between two calls. `content` stands for the events up to `position`.
struct Mark {
  enum class Kind : std::uint8_t {
    appended,  // a batch that ends at `position` was handed over; it may be on disk from here on
    acknowledged,  // everything up to `position` must be there from here on
    shown,         // the same: a reader has seen it
    refused,       // nothing behind `position` may be there from here on
    found,         // the log was opened and ends at `position`: what was unknown is decided
    removable,     // what is in front of `position`, and it, may be removed from here on
  };
  Kind kind;
  std::uint64_t position = 0;
  std::uint64_t content = 0;
  std::uint64_t base = 0;  // `content` stands for the events behind this one
};

using Step = std::variant<RecordedCall, Mark>;

struct Recording {
  std::vector<Step> steps;
  // Files that were written through memory: what is in them is not known.
  std::set<std::string> mapped_for_writing;

  [[nodiscard]] std::size_t calls() const;
};

// "fdatasync log/data.mdb", "pwrite 4096+512 log/data.mdb".
[[nodiscard]] std::string describe(const RecordedCall& call);

// Records while it is installed (Watching).
class Recorder final : public FolderWatcher {
 public:
  enum class Keep : std::uint8_t { bytes, places };  // places: not what was written, only where
  explicit Recorder(const std::filesystem::path& folder, Keep keep = Keep::bytes)
      : FolderWatcher(folder), keep_(keep) {}

  // The sync of this number is not done and says EIO, once.
  void fail_sync(std::uint64_t number) { failing_ = number; }
  // Any thread. What happened before it is called is known to stand in front of the mark.
  void mark(Mark mark);
  [[nodiscard]] Recording take();

 private:
  long on_seen(const Seen& seen, const RealCall& real) override;
  long on_sync(const Seen& seen, const RealCall& real);
  long on_write(const Seen& seen, const RealCall& real);
  RecordedCall record_of(const Seen& seen);

  [[nodiscard]] bool fails() { return ++syncs_ == failing_; }

  Keep keep_;
  std::atomic<std::uint64_t> syncs_ = 0;
  std::atomic<std::uint64_t> failing_ = 0;
  std::mutex mutex_;  // held across a call and its record, so that both have one order
  Recording recording_;
  std::vector<std::thread::id> threads_;
};

}  // namespace almanac::test
