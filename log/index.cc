#include <almanac/log/index.h>

#include <almanac/log/codec.h>
#include <almanac/log/hash.h>
#include <almanac/log/limits.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>
#include <string>

namespace almanac {
namespace {

IndexKey first_words(const Digest& digest) {
  IndexKey key;
  std::memcpy(key.words.data(), digest.data(), sizeof(key.words));
  return key;
}

// A key is the same request again when it stands for the same event, whenever that was made.
std::array<std::uint64_t, 2> content_digest(const Event& event, FrameEncoder& encoder) {
  EventBatch batch{{event}, nullptr};
  batch.events.front().at = Time();
  const EventBatch* one = &batch;
  return first_words(encoder.encode({.first = Position(1)}, {&one, 1}).digest).words;
}

std::unexpected<Error> wrong_version(const ExpectedVersion& expected, std::uint64_t version) {
  auto is =
      version == 0 ? std::string("does not exist") : "is at version " + std::to_string(version);
  auto wanted = expected.version == 0 ? std::string("was expected not to exist")
                                      : "was expected at " + std::to_string(expected.version);
  return fail(ErrorCode::conflict,
              "the stream " + std::string(expected.stream) + " " + is + " and " + wanted,
              "read what was added to it and decide again");
}

}  // namespace

IndexKey index_key(std::string_view name) { return first_words(blake2b(as_bytes(name))); }

IndexKey stream_event_key(Position stream, std::uint64_t version) {
  static_assert(std::endian::native == std::endian::little);
  return {{__builtin_bswap64(stream.value), __builtin_bswap64(version)}};
}

StreamEvent stream_event_of(const IndexKey& key) {
  return {Position(__builtin_bswap64(key.words[0])), __builtin_bswap64(key.words[1])};
}

// Records are ordered by stream, and inside it as their events are in the log.
Result<void> forget_stream_events(Store& store, Position through) {
  for (IndexKey from = stream_event_key(Position(), 0);;) {
    auto records = store.find_from(IndexTable::stream_events, from, limits::index_slice_records);
    if (!records) return std::unexpected(records.error());
    std::vector<IndexRecord> gone;
    StreamEvent next;
    for (const IndexRecord& record : *records) {
      auto [stream, version] = stream_event_of(record.key);
      if (stream < next.stream) continue;  // the rest of a stream of which nothing more is gone
      const bool is_gone = Position(record.value[0]) <= through;
      if (is_gone) gone.push_back(record);
      next = is_gone ? StreamEvent{stream, version + 1} : StreamEvent{stream.next(), 0};
    }
    if (!gone.empty()) {
      auto removed = store.remove(gone);
      if (!removed && removed.error().code == ErrorCode::storage_full) return {};
      if (!removed) return removed;
    }
    if (records->empty() || next.stream > through) return {};
    from = stream_event_key(next.stream, next.version);
  }
}

namespace {

// A stream's record as it was when the log had come to `through`.
Result<IndexRecord> stream_at(const Store& store, IndexRecord stream, Position through) {
  const Position number(stream.value[0]);
  for (std::uint64_t version = 0;;) {
    auto events = store.find_from(IndexTable::stream_events, stream_event_key(number, version),
                                  limits::index_slice_records);
    if (!events) return std::unexpected(events.error());
    for (const IndexRecord& one : *events) {
      auto [of, at] = stream_event_of(one.key);
      if (of != number) return stream;  // nothing of it is left
      version = at + 1;
      if (Position(one.value[0]) <= through) continue;
      // Which event was its last is not known any more; whoever adds the next one tells it anew.
      stream.value = {number.value, at - 1, through.value};
      return stream;
    }
    if (events->size() < limits::index_slice_records) return stream;
  }
}

}  // namespace

Result<void> read_removed(const Store& store, Position through, const VisitRecord& visit) {
  for (auto table : {IndexTable::streams, IndexTable::keys}) {
    std::optional<IndexKey> last;
    for (bool more = true; more;) {
      auto records = store.find_from(table, last.value_or(IndexKey{}), limits::index_slice_records);
      if (!records) return std::unexpected(records.error());
      more = records->size() == limits::index_slice_records;
      for (const IndexRecord& record : *records) {
        const bool again = last && record.key.words == last->words;
        if (again || Position(record.value[0]) > through) continue;
        auto removed = table == IndexTable::streams ? stream_at(store, record, through) : record;
        if (!removed) return std::unexpected(removed.error());
        auto go_on = visit(*removed);
        if (!go_on || !*go_on) return go_on ? Result<void>() : std::unexpected(go_on.error());
      }
      if (more) last = records->back().key;
    }
  }
  return {};
}

std::vector<IndexEntry> index_entries(std::span<const Event> events, FrameEncoder& encoder) {
  std::vector<IndexEntry> entries;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Event& event = events[i];
    if (event.stream.empty() && event.idempotency_key.empty()) continue;
    IndexEntry entry{.offset = static_cast<std::uint32_t>(i)};
    if (!event.stream.empty()) entry.stream = index_key(event.stream);
    if (!event.idempotency_key.empty()) {
      entry.key = index_key(event.idempotency_key);
      entry.content = content_digest(event, encoder);
    }
    entries.push_back(entry);
  }
  return entries;
}

Result<Index::Stream> Index::stream(const IndexKey& name) const {
  std::lock_guard guard(mutex_);
  return stream_locked(name);
}

Result<Index::Stream> Index::stream_locked(const IndexKey& name) const {
  if (auto added = streams_.find(name.words); added != streams_.end()) return added->second;
  auto record = store_.find(IndexTable::streams, name);
  if (!record) return std::unexpected(record.error());
  if (!*record) return Stream{};
  auto [first, version, last] = (*record)->value;
  return Stream{Position(first), version, Position(last)};
}

Result<std::optional<Index::Use>> Index::use_locked(const IndexKey& key) const {
  if (auto added = keys_.find(key.words); added != keys_.end()) return added->second;
  auto record = store_.find(IndexTable::keys, key);
  if (!record) return std::unexpected(record.error());
  if (!*record) return std::nullopt;
  const auto& value = (*record)->value;
  return Use{Position(value[0]), {value[1], value[2]}};
}

Result<std::optional<Position>> Index::admit(std::span<const IndexEntry> entries,
                                             std::span<const ExpectedVersion> expected,
                                             std::size_t event_count) const {
  std::lock_guard guard(mutex_);
  std::size_t repeated = 0;
  std::optional<Position> first;
  std::set<Words> keys;
  for (const IndexEntry& entry : entries) {
    if (!entry.key) continue;
    if (!keys.insert(entry.key->words).second) {
      return fail(ErrorCode::invalid, "two events of a batch have the same idempotency key",
                  "give each event a key of its own");
    }
    auto use = use_locked(*entry.key);
    if (!use) return std::unexpected(use.error());
    if (!*use) continue;
    if ((*use)->content != entry.content) {
      return fail(ErrorCode::conflict,
                  "the idempotency key of event " + std::to_string((*use)->position.value) +
                      " is given again with other content",
                  "give each request a key of its own");
    }
    Position begins((*use)->position.value - entry.offset);
    if (!first) first = begins;
    if (*first == begins) ++repeated;
  }
  if (first && repeated == event_count) return first;
  if (first) {
    return fail(ErrorCode::conflict,
                "some events of the batch were stored before under their idempotency keys",
                "append again what was appended together, or the new events alone");
  }
  for (const ExpectedVersion& one : expected) {
    auto stream = stream_locked(index_key(one.stream));
    if (!stream) return std::unexpected(stream.error());
    if (stream->version != one.version) return wrong_version(one, stream->version);
  }
  return std::nullopt;
}

Result<void> Index::keep_first_uses(std::vector<IndexEntry>& entries) const {
  std::lock_guard guard(mutex_);
  std::set<Words> keys;
  for (IndexEntry& entry : entries) {
    if (!entry.key) continue;
    auto use = use_locked(*entry.key);
    if (!use) return std::unexpected(use.error());
    if (*use || !keys.insert(entry.key->words).second) entry.key.reset();
  }
  return {};
}

Result<void> Index::add(std::span<const IndexEntry> entries, Position first) {
  std::lock_guard guard(mutex_);
  for (const IndexEntry& entry : entries) {
    Added added{.position = Position(first.value + entry.offset),
                .stream = entry.stream,
                .before = {},
                .after = {},
                .key = entry.key,
                .content = entry.content};
    if (entry.stream) {
      auto before = stream_locked(*entry.stream);
      if (!before) return std::unexpected(before.error());
      added.before = *before;
      added.after = {before->version == 0 ? added.position : before->first, before->version + 1,
                     added.position};
      streams_[entry.stream->words] = added.after;
    }
    if (entry.key) keys_[entry.key->words] = {added.position, added.content};
    added_.push_back(added);
  }
  return {};
}

void Index::forget_behind(Position last) {
  std::lock_guard guard(mutex_);
  while (!added_.empty() && added_.back().position > last) {
    const Added added = added_.back();
    added_.pop_back();
    if (added.key) keys_.erase(added.key->words);
    if (!added.stream) continue;
    // What the stream was before is here, or else in the store.
    bool here = !added_.empty() && added.before.last >= added_.front().position;
    if (here) streams_[added.stream->words] = added.before;
    if (!here) streams_.erase(added.stream->words);
  }
}

StoreRecords Index::records(Position through) const {
  StoreRecords records;
  if (!on_) return records;
  std::lock_guard guard(mutex_);
  records.indexed_through = through;
  for (const Added& added : added_) {
    if (added.position > through) break;
    if (added.key) {
      records.index.push_back({IndexTable::keys,
                               *added.key,
                               {added.position.value, added.content[0], added.content[1]}});
    }
    if (!added.stream) continue;
    const Stream& stream = added.after;
    records.index.push_back({IndexTable::stream_events,
                             stream_event_key(stream.first, stream.version),
                             {added.position.value, 0, 0}});
    records.index.push_back({IndexTable::streams,
                             *added.stream,
                             {stream.first.value, stream.version, stream.last.value}});
  }
  return records;
}

void Index::settled(Position through) {
  std::lock_guard guard(mutex_);
  while (!added_.empty() && added_.front().position <= through) {
    const Added& added = added_.front();
    if (added.key) keys_.erase(added.key->words);
    if (added.stream) {
      auto stream = streams_.find(added.stream->words);
      if (stream != streams_.end() && stream->second.last <= through) streams_.erase(stream);
    }
    added_.pop_front();
  }
}

std::size_t Index::size() const {
  std::lock_guard guard(mutex_);
  return added_.size();
}

}  // namespace almanac
