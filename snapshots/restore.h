// A moment of an archived log as a log again: planned first, which writes nothing, and then made
// beside whatever there is, in a folder of its own.
#pragma once

#include <almanac/snapshots/archived_log.h>
#include <almanac/snapshots/branch.h>
#include <almanac/snapshots/review.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <variant>

namespace almanac {

struct RestorePoint {
  std::optional<std::uint64_t> snapshot;  // none = the newest that holds the moment
  // A position, or the last event that is not younger than a time; none = the end of the snapshot
  // that is named, or of all that is archived.
  std::variant<std::monostate, Position, Time> moment;
};

// A state that a snapshot ends with.
struct ArchivedState {
  std::uint64_t snapshot = 0;
  Position position;
  Digest digest{};
};

// What a restore will do.
struct RestorePlan {
  Manifest manifest;  // of the snapshot it reads, joined with the tail behind it
  Manifest newest;    // what was archived last that goes on from there: what it knows since
  std::optional<Error> newest_unread;  // why there may be more
  Position at;                         // the last event that the new log has of it
  // Where the new log begins when the archive lacks the log's front.
  std::optional<ArchivedState> first;
  // The last one on the way: the state must have its digest there. Where it can be read, folding
  // begins with it.
  std::optional<ArchivedState> compared;
  std::optional<ArchivedState> next;  // the first one from the moment on
  std::uint64_t files = 0;            // to read
  std::uint64_t bytes = 0;            // of those
  std::uint64_t frame_bytes = 0;      // in them, as in the log they are of
};

// Of the log that the newest manifest is of, unless a snapshot is named, which stands for itself
// without a tail. Reads manifests, and a segment for a time, and for a snapshot that is not the
// newest. Errors: not_found (no snapshot; a moment that none holds), corrupt or newer_format (the
// newest manifest, the one named, or a tail that may hold the moment), refused
// (the archive lacks the log's front, and has no state so early), those of reading.
[[nodiscard]] Result<RestorePlan> plan_restore(const Repository& repository,
                                               const RestorePoint& point);

// Where the new log begins: empty, unless the archive lacks the log's front. Errors: those of
// read_state().
[[nodiscard]] Result<State> first_state(const Repository& repository, const RestorePlan& plan);

struct RestoreProgress {
  Position first;    // that is restored
  Position through;  // restored so far
  Position last;
  std::uint64_t frame_bytes = 0;  // of the frames so far
};

struct RestoreOptions {
  // What becomes of tasks that went on behind the moment; none: they are held for review.
  std::optional<ReviewDecision> decision = {};
  Time now;  // what time it is
  // Called on the calling thread, with every frame. May be empty.
  std::function<void(const RestoreProgress&)> progress = {};
  std::stop_token stop = {};  // leaves nothing behind
  // Folds from the state in front of the one that is compared, which so is proven as well.
  bool proves_state = false;
  // A log that is in the folder, and that nobody may be writing then, is moved aside. At every
  // moment there is one under the name, that one or the restored one.
  bool replace = false;
};

struct RestoreReport {
  BranchReport branch;
  State state;                    // at the plan's position
  Position folded_from;           // of the state that folding began with
  std::uint64_t frame_bytes = 0;  // of the frames that were read
  std::vector<TaskHeld> held;     // tasks that went on behind the moment
  // Why what happened then could not be read to its end. Every task that had not ended is held.
  std::optional<Error> unread;
  std::filesystem::path replaced;  // where the log is now that was there; empty = there was none
};

// Makes the log in `folder`, which must be missing or empty unless what is there is to be replaced:
// a timeline of its own that remembers where it comes from, and in which nothing runs. What the
// newest snapshot knows of the time behind the moment is read to find the tasks that went on
// (review.h), as long as one of them may have. It gets its name when it is whole and proven: every
// frame goes on from the one before, in the archive and, read back, in the new log; and its state
// is folded from what was read back, on from a state whose digest is the one it was archived with.
// Beside a writer of the repository. O(events), some millions a second, those behind the moment
// included, and as much disk as the frames up to it. Takes two threads beside the one that calls.
//
// Errors: refused (`folder` is a link, or in the repository), conflict (it is not empty; the log to
// be replaced is being written), corrupt and newer_format (every file of the snapshot that is
// damaged is named), stopped, those of reading and of LogImport. Nothing is left behind then, but
// where the names could not be exchanged, or the users' keys not be shared (user_keys.h): the new
// log is FOLDER.restored.
[[nodiscard]] Result<RestoreReport> restore(const Repository& repository, const RestorePlan& plan,
                                            const std::filesystem::path& folder,
                                            const RestoreOptions& options);

// Whether restore() takes the folder as it is now. Errors: refused, conflict, invalid, io; not
// whether what is to be replaced is being written.
[[nodiscard]] Result<void> check_restore_target(const Repository& repository,
                                                const std::filesystem::path& folder,
                                                const RestoreOptions& options);

// What a restore would mean, before anything is written.
struct RestorePreview {
  State restored;              // the first state of the restored log
  State newest;                // the last one of the log that is archived, as far as it can be read
  std::vector<TaskHeld> held;  // as in the report
  std::optional<Error> unread;
};

// Folds all that restoring would read, and what the newest snapshot knows of the time behind the
// moment: O(events). Of the options only the decision, the time and `stop` matter. Errors: those of
// reading what is restored, stopped.
[[nodiscard]] Result<RestorePreview> preview_restore(const Repository& repository,
                                                     const RestorePlan& plan,
                                                     const RestoreOptions& options);

}  // namespace almanac
