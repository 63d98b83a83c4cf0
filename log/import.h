// A log made of frames that are given. The same events in the same frames on the same timeline give
// the same bytes, so that what was exported comes back as the identical log.
#pragma once

#include <almanac/log/codec.h>
#include <almanac/log/error.h>
#include <almanac/log/event.h>
#include <almanac/log/read.h>
#include <almanac/log/reader.h>
#include <almanac/log/store.h>
#include <almanac/log/write_lock.h>
#include <almanac/log/writer.h>

#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace almanac {

// Owned by whoever imports; one thread, but for read_frames(). What was added is written
// some MiB at a time, on a thread of its own, while more is added, and the disk is waited for at
// the end. What could not be written is told by a later call, and by every call from then on. The
// log is built in FOLDER.importing and gets its name when it is whole: until then, and after a
// crash, there is nothing under it. What a crash leaves behind the next import into the same folder
// removes.
class LogImport {
 public:
  // `folder` must be missing or empty. The first frame follows `base`: that is what was removed
  // from the front of the log, if something was. `checkpoint` is what Log::checkpoint() gave; a log
  // without its front has one where that ended, or behind. Errors: conflict (it is not empty;
  // another import into it is going on), invalid (a file), refused, io, storage_full.
  [[nodiscard]] static Result<std::unique_ptr<LogImport>> begin(const std::filesystem::path& folder,
                                                                const Timeline& timeline,
                                                                const LogTail& base = {},
                                                                Position checkpoint = {});
  // What begin() would say of the folder, which it asks itself. Errors: conflict, invalid, io.
  [[nodiscard]] static Result<void> check_target(const std::filesystem::path& folder);
  // Removes what was built, unless it was finished.
  ~LogImport();
  LogImport(const LogImport&) = delete;
  LogImport& operator=(const LogImport&) = delete;

  // Says where it branched off. Errors: storage_full, unknown_outcome.
  [[nodiscard]] Result<void> set_origin(const LogOrigin& origin);
  // Adds what Log::read_removed gave. Without it, versions of streams count from the first frame.
  // Errors: storage_full, unknown_outcome.
  [[nodiscard]] Result<void> add_removed(const IndexRecord& record);
  // Adds the next frame, whose header has this time. The events' views may die when it returns.
  // Errors: invalid (nothing was added), storage_full, unknown_outcome.
  [[nodiscard]] Result<void> add(Time time, std::vector<Event> events);
  // Adds the next frame, which another log has at these positions: its bytes, but for what links it
  // into that one. Costs a digest of them. Errors: invalid, corrupt and newer_format (nothing was
  // added), storage_full, unknown_outcome.
  [[nodiscard]] Result<void> add(const FrameReader& frame);
  // Brings what was added to the disk, and waits for that. Errors: storage_full, unknown_outcome.
  [[nodiscard]] Result<void> commit();
  // How far it is written: frames are together, so that this may be in front of the log's end.
  [[nodiscard]] Position committed() const { return committed_; }
  // Reads it back, as Log::read_frames does. Any thread, beside the one that adds.
  [[nodiscard]] Result<void> read_frames(Position from, const FrameVisit& visit) const {
    return reader_->read_frames(from, visit);
  }
  // Where the log ends so far.
  [[nodiscard]] const LogTail& tail() const { return tail_; }
  // Syncs and names it. The last call. What else belongs into the folder is made by `also`, which
  // is told where it is before it has its name; the log can be opened there for reading. Errors:
  // those of `also`, conflict (something has come into the folder meanwhile), storage_full,
  // unknown_outcome, io.
  using Also = std::function<Result<void>(const std::filesystem::path& folder)>;
  [[nodiscard]] Result<void> finish(const Also& also = {});

 private:
  struct Encoded {
    Position first;
    std::vector<std::byte> value;
  };
  // Frames on their way to the disk.
  struct Commit {
    std::vector<Encoded> frames;
    StoreRecords removed;
    Position last;
  };
  LogImport() = default;
  [[nodiscard]] Result<void> make_folders();
  [[nodiscard]] Result<void> add(Encoded frame, const LogTail& tail);
  [[nodiscard]] static Result<void> write(Store& store, const Commit& commit);
  [[nodiscard]] Result<void> begin_commit();
  [[nodiscard]] Result<void> end_commit();

  std::filesystem::path folder_;
  std::filesystem::path building_;
  std::vector<std::filesystem::path> made_;  // the folders above that were missing
  std::optional<WriteLock> lock_;            // of building_, and then of folder_
  std::unique_ptr<Store> store_;
  std::unique_ptr<Reader> reader_;  // of the store
  FrameEncoder encoder_;
  std::vector<Encoded> pending_;
  std::size_t pending_bytes_ = 0;
  StoreRecords removed_;  // pending as well
  LogTail tail_;
  Position committed_;
  std::future<Result<void>> committing_;  // up to:
  Position committing_through_;
  std::optional<Error> failed_;  // why nothing is written any more
};

}  // namespace almanac
