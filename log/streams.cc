// Reading by stream.
#include <almanac/log/index.h>
#include <almanac/log/limits.h>
#include <almanac/log/log_parts.h>

#include <algorithm>

namespace almanac {
namespace {

// The events of a stream in order, counted from its first; those below `from_version` are left out.
struct Counted {
  std::string_view stream;
  std::uint64_t from_version = 1;
  std::uint64_t version = 0;  // of the last one seen
  const EventVisit& visit;

  Result<bool> operator()(const RecordedEvent& recorded) {
    if (recorded.event.stream != stream) return true;
    ++version;
    return version < from_version ? Result<bool>(true) : visit(recorded);
  }
};

}  // namespace

Result<std::uint64_t> Log::version(std::string_view stream) const {
  if (!parts_->index.on()) {
    return fail(ErrorCode::refused, "the log was opened without its index",
                "open it for writing, with LogOptions::index");
  }
  auto found = parts_->index.stream(index_key(stream));
  if (!found) return std::unexpected(found.error());
  return found->version;
}

// Up to where the index tells of all events of all streams.
Result<Position> Log::Parts::indexed_through() const {
  auto known = store->indexed_through();
  if (!known || writer) return known;
  // A process that was there before the index does not see it.
  auto any = store->find_from(IndexTable::streams, {}, 1);
  if (!any) return std::unexpected(any.error());
  return any->empty() ? Position() : *known;
}

// Nothing where the index lacks some of what was removed: it cannot count any more.
Result<void> Log::read_removed(const VisitRemoved& visit) const {
  auto through = base();
  auto known = parts_->indexed_through();
  if (!through || !known) return std::unexpected(through ? known.error() : through.error());
  if (!through->last || *known < through->last) return {};
  return almanac::read_removed(*parts_->store, through->last, visit);
}

// What the index knows is read event by event, the rest of the log is gone through.
Result<void> Log::read_stream(std::string_view stream, std::uint64_t from_version,
                              const Visit& visit) const {
  Counted counted{.stream = stream, .from_version = from_version, .visit = visit};
  auto known = parts_->indexed_through();
  if (!known) return std::unexpected(known.error());
  auto record = parts_->store->find(IndexTable::streams, index_key(stream));
  if (!record) return std::unexpected(record.error());
  if (!*record) return read(known->next(), counted);
  // The record may be newer; what it counts is in the index by now.
  if (known = parts_->indexed_through(); !known) return std::unexpected(known.error());
  auto number = Position((*record)->value[0]);
  auto version = (*record)->value[1];
  counted.version = std::min(std::max<std::uint64_t>(from_version, 1), version + 1) - 1;
  for (bool any = true; any;) {
    any = false;
    auto from = stream_event_key(number, counted.version + 1);
    auto events =
        parts_->store->find_from(IndexTable::stream_events, from, limits::index_slice_records);
    if (!events) return std::unexpected(events.error());
    for (const IndexRecord& one : *events) {
      Position position(one.value[0]);
      auto [of, at] = stream_event_of(one.key);
      if (of != number || position > *known) break;
      any = true;
      counted.version = at - 1;  // those in front of it may have been trimmed
      Result<bool> more = true;
      auto read = read_one(position, [&](const Event& event) {
        more = event.stream == stream
                   ? counted({position, event})
                   : fail(ErrorCode::corrupt, "the index names another stream's event",
                          "export the log and import it into a new folder: its index is "
                          "made anew");
      });
      if (!read && read.error().code != ErrorCode::not_found) return read;
      if (!read) counted.version = at;  // trimmed
      if (!more) return std::unexpected(more.error());
      if (!*more) return {};
    }
  }
  return read(known->next(), counted);
}

}  // namespace almanac
