// Frames in an LMDB environment: the only door to LMDB. One named database holds them, key = first
// position (8-byte integer), value = the frame, a multiple of 8 bytes, so that it is read in place;
// others hold what the log says about itself (README.md) and the index.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace almanac {

enum class Access : std::uint8_t { read, write };

// The tables of the index. Keys are ordered as bytes.
enum class IndexTable : std::uint8_t { streams, stream_events, keys };
struct IndexKey {
  std::array<std::uint64_t, 2> words;  // big-endian where the order matters
};
struct IndexRecord {
  IndexTable table;
  IndexKey key;
  std::array<std::uint64_t, 3> value;
};

// Whether a journal stands in front of a store, which holds what the store may lack.
enum class JournalUse : std::uint8_t {
  none,    // there never was one
  closed,  // there was, and it holds nothing that is not here
  open,
};

// What was removed from the front: the log begins behind it.
struct StoreBase {
  Position last;    // of what was removed; none when nothing was
  Digest digest{};  // of the frame that ended there
  Time time;        // of the event that stood there
};

// Where a log branched off from another one, whose events it has up to there.
struct LogOrigin {
  Timeline timeline{};  // of the other one
  Position position;    // none when it has no event of it
  Digest chain{};       // of the frame there that holds the position; zeros when none does
  Time forked;          // when it was made
  bool operator==(const LogOrigin&) const = default;
};

// What goes into the store beside frames, in one transaction with them.
struct StoreRecords {
  std::vector<IndexRecord> index;
  std::optional<Position> indexed_through;  // the index knows everything up to here
  std::optional<JournalUse> journal_use;
  std::optional<StoreBase> base;
  std::optional<Position> checkpoint;
  std::optional<LogOrigin> origin;
};

// Owned by one Log. Any thread may read; one thread at a time may write. A process may have one
// store of a folder open (LMDB's rule).
class Store {
 public:
  struct Frame {
    Position first;
    Bytes value;
  };

  // Makes an empty store in `folder`, which must not exist: it appears there whole or not at all,
  // also after a power loss. Errors: refused, io, storage_full.
  struct CreateOptions {
    std::optional<Timeline> timeline = {};  // a fresh one where none is given
    JournalUse journal = JournalUse::none;
    // What else belongs into the folder is made by this, before it appears.
    std::function<Result<void>(const std::filesystem::path&)> also = {};
  };
  [[nodiscard]] static Result<void> create(const std::filesystem::path& folder,
                                           const CreateOptions& options);
  // Errors: not_found, corrupt, newer_format, conflict (this process has it open), refused, io.
  // `registered` is false where LMDB's table of readers cannot be written; see Log::open.
  struct OpenOptions {
    Access access = Access::write;
    std::size_t map_bytes = 0;
    bool registered = true;
    // Writing only: frames held elsewhere end here, and those the store lacks are appended next.
    Position replay_through = {};
  };
  [[nodiscard]] static Result<std::unique_ptr<Store>> open(const std::filesystem::path& folder,
                                                           const OpenOptions& options);
  // Whether there is a store in `folder`, whole or damaged. Errors: refused, io.
  [[nodiscard]] static Result<bool> exists(const std::filesystem::path& folder);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  [[nodiscard]] const Timeline& timeline() const;
  // Writing only: a crash cut the last commit short, and the one before it is the last now.
  [[nodiscard]] bool recovered_from_older_commit() const;
  // The position a commit is known to have reached: never behind the last one, unless the store was
  // opened to be appended to up to there. None when nothing is known.
  [[nodiscard]] Position confirmed_last() const;

  [[nodiscard]] Result<JournalUse> journal_use() const;
  // Durable when it returns. Errors: storage_full, unknown_outcome.
  [[nodiscard]] Result<void> set_journal_use(JournalUse use);

  // The last position in it, none when there is no frame yet.
  [[nodiscard]] Result<Position> last() const;

  // Gives the last frame that does not begin behind `from` (else the first), and those behind it,
  // to `visit` until it returns false, in slices (limits.h) so that no read transaction is held for
  // long. A frame's bytes live until `visit` returns. Position 0 gives no call.
  using Visit = std::function<Result<bool>(Frame)>;
  [[nodiscard]] Result<void> read(Position from, const Visit& visit) const;
  // The same backward: the last frame that does not begin behind `from`, and those in front of it.
  [[nodiscard]] Result<void> read_backward(Position from, const Visit& visit) const;

  // Appends frames in ascending order, and records, in one transaction, durable when it returns.
  // Errors: storage_full (nothing was changed), unknown_outcome.
  [[nodiscard]] Result<void> append(std::span<const Frame> frames,
                                    const StoreRecords& records = {});

  // For a store that nobody has yet: what is written from now on is on its way to the disk when a
  // call returns, and is there when sync() does. Errors: unknown_outcome.
  void sync_later();
  [[nodiscard]] Result<void> sync();

  // None of a log that began by itself.
  [[nodiscard]] Result<std::optional<LogOrigin>> origin() const;

  using Base = StoreBase;
  [[nodiscard]] Result<Base> base() const;
  // Removes values from the front that end at or in front of `through`, some of them, in one
  // transaction. The first call walks the file and costs what page_check.h says, and a look at the
  // head of every value. Errors: corrupt (nothing was removed), storage_full, unknown_outcome.
  struct Removed {
    std::uint64_t values = 0;
    std::uint64_t bytes = 0;
  };
  [[nodiscard]] Result<Removed> remove(Position through);
  // Removes these records of the index, in one transaction; what is not there is none's loss.
  // Errors: storage_full, unknown_outcome.
  [[nodiscard]] Result<void> remove(std::span<const IndexRecord> records);

  // The position below which frames may be removed, because what they say is kept elsewhere.
  [[nodiscard]] Result<Position> checkpoint() const;
  [[nodiscard]] Result<void> set_checkpoint(Position position);

  // Up to where the index knows the log; none when there is no index.
  [[nodiscard]] Result<Position> indexed_through() const;
  [[nodiscard]] Result<std::optional<IndexRecord>> find(IndexTable table,
                                                        const IndexKey& key) const;
  // The records from `key` on, at most `count_max`.
  [[nodiscard]] Result<std::vector<IndexRecord>> find_from(IndexTable table, const IndexKey& key,
                                                           std::size_t count_max) const;

  struct Size {
    std::uint64_t file_bytes = 0;
    std::uint64_t free_bytes = 0;  // inside it, to be used again
    std::uint64_t map_bytes = 0;   // which it cannot outgrow
  };
  [[nodiscard]] Result<Size> size() const;

 private:
  struct Environment;
  [[nodiscard]] Result<void> read_values(Position from, int operation, const Visit& visit) const;
  explicit Store(std::unique_ptr<Environment> environment);
  std::unique_ptr<Environment> environment_;
};

}  // namespace almanac
