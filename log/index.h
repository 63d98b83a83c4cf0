// What a log knows by heart about its streams and idempotency keys: their versions and positions.
// Made of the events alone, so that it can be thrown away as long as none of them was trimmed; kept
// in the store's index, and in memory for events that are not in the store yet.
#pragma once

#include <almanac/log/append.h>
#include <almanac/log/error.h>
#include <almanac/log/event.h>
#include <almanac/log/store.h>
#include <almanac/log/types.h>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace almanac {

class FrameEncoder;

// What one event of a batch means to the index.
struct IndexEntry {
  std::uint32_t offset = 0;  // in the batch
  std::optional<IndexKey> stream;
  std::optional<IndexKey> key;
  std::array<std::uint64_t, 2> content{};  // digest of what the key stands for, time left out
};
// Entries for the events that have a stream or a key; costs a digest for each key.
[[nodiscard]] std::vector<IndexEntry> index_entries(std::span<const Event> events,
                                                    FrameEncoder& encoder);

[[nodiscard]] IndexKey index_key(std::string_view name);
// Under which the event of a stream is found; ordered by stream and version.
[[nodiscard]] IndexKey stream_event_key(Position stream, std::uint64_t version);
struct StreamEvent {
  Position stream;
  std::uint64_t version = 0;
};
[[nodiscard]] StreamEvent stream_event_of(const IndexKey& key);

// Removes from the store's index where the events up to `through` are, which are gone themselves.
// What tells a stream's version stays, and so do keys. Costs a look at every older stream that has
// events left. What it finds no room for it leaves to the next time. Errors: io, unknown_outcome.
[[nodiscard]] Result<void> forget_stream_events(Store& store, Position through);

// What the index knows of streams and keys by the events up to `through` alone, all of which were
// removed, until `visit` returns false. Errors: io, corrupt, and what `visit` returns.
using VisitRecord = std::function<Result<bool>(const IndexRecord&)>;
[[nodiscard]] Result<void> read_removed(const Store& store, Position through,
                                        const VisitRecord& visit);

// Owned by a Log. Any thread.
class Index {
 public:
  explicit Index(const Store& store) : store_(store) {}

  struct Stream {
    Position first;             // of its first event, which is its number
    std::uint64_t version = 0;  // of its last event
    Position last;
  };
  // Of a stream that has no events: version 0. Reads the store at most once.
  [[nodiscard]] Result<Stream> stream(const IndexKey& name) const;

  // Whether these events may take the positions from `first` on. Answers the position that the
  // first of them has already, when all of them were stored before under their keys.
  // Errors: invalid (a key is there twice), conflict (a version is not the expected one; a key
  // stands for something else), io.
  [[nodiscard]] Result<std::optional<Position>> admit(std::span<const IndexEntry> entries,
                                                      std::span<const ExpectedVersion> expected,
                                                      std::size_t event_count) const;
  // Events of a log that was written without an index may repeat a key: the first use counts, and
  // the others lose their key here.
  [[nodiscard]] Result<void> keep_first_uses(std::vector<IndexEntry>& entries) const;
  // They have taken them.
  [[nodiscard]] Result<void> add(std::span<const IndexEntry> entries, Position first);
  // Nothing behind `last` was kept.
  void forget_behind(Position last);

  // What the store's index lacks, of the events up to `through`.
  [[nodiscard]] StoreRecords records(Position through) const;
  // It has it now.
  void settled(Position through);
  [[nodiscard]] std::size_t size() const;

  // Nothing is added or told when it is off, which is how it begins.
  void turn_on() { on_ = true; }
  [[nodiscard]] bool on() const { return on_; }

 private:
  struct Use {  // of a key
    Position position;
    std::array<std::uint64_t, 2> content{};
  };
  struct Added {
    Position position;
    std::optional<IndexKey> stream;
    Stream before;  // the stream as it was
    Stream after;
    std::optional<IndexKey> key;
    std::array<std::uint64_t, 2> content{};
  };
  using Words = std::array<std::uint64_t, 2>;

  [[nodiscard]] Result<Stream> stream_locked(const IndexKey& name) const;
  [[nodiscard]] Result<std::optional<Use>> use_locked(const IndexKey& key) const;

  const Store& store_;
  bool on_ = false;
  mutable std::mutex mutex_;
  std::deque<Added> added_;          // guarded by mutex_, as are:
  std::map<Words, Use> keys_;        // of what was added
  std::map<Words, Stream> streams_;  // of what was added
};

}  // namespace almanac
