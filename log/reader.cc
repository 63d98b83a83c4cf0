#include <almanac/log/reader.h>

#include <algorithm>
#include <string>
#include <utility>

namespace almanac {
namespace {

std::unexpected<Error> at_position(const Error& error, Position position) {
  auto placed = error;
  placed.message += " (at position " + std::to_string(position.value) + ")";
  return std::unexpected(std::move(placed));
}

std::unexpected<Error> damaged(const char* what, Position position) {
  return at_position({ErrorCode::corrupt, what, ""}, position);
}

}  // namespace

std::unexpected<Error> rolled_back(Position last, Position marked) {
  return fail(ErrorCode::corrupt,
              "the log ends at position " + std::to_string(last.value) + " and had reached " +
                  std::to_string(marked.value) + ": it was replaced by an older one, or cut short",
              "put back the folder as it was, or restore all of it from a backup");
}

namespace {

Position before(Position position) { return Position(position.value - 1); }

// Events `low` … `high` - 1 of a frame lie around the first that is not older than `time`.
Result<std::uint32_t> first_not_older(const FrameReader& frame, Time time) {
  std::uint32_t low = 0;
  std::uint32_t high = frame.header().count;
  while (low < high) {
    auto middle = low + (high - low) / 2;
    auto event = frame.event(middle);
    if (!event) return std::unexpected(event.error());
    if (event->at < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace

Result<LogTail> tail_of(const FrameReader& frame) {
  auto event = frame.event(frame.header().count - 1);
  if (!event) return std::unexpected(event.error());
  return LogTail{frame.header().last(), frame.digest(), event->at};
}

// What is promised behind the end of what was read is there when it is looked for again, or the log
// is damaged.
constexpr int rounds_in_vain_max = 4;

// One reading from a position to the end.
struct Reader::Pass {
  Position next;
  std::optional<LogTail> before;  // the frame in front of `next`, once that is known
  bool stopped = false;           // `visit` has had enough
  bool at_seam = true;            // nothing was given since the last look at the store or behind it
  Position round_began = {};      // where `next` was when it was last looked for more
  int rounds_in_vain = 0;

  // Whether there was nothing to be had in too many rounds.
  [[nodiscard]] bool in_vain() {
    rounds_in_vain = next == round_began ? rounds_in_vain + 1 : 0;
    round_began = next;
    return rounds_in_vain == rounds_in_vain_max;
  }
  [[nodiscard]] Position last() const { return before ? before->last : almanac::before(next); }
};

Result<FrameReader> Reader::open_frame(const Store::Frame& frame) const {
  auto trust =
      frame.first.value <= verified_through_ ? FrameTrust::verified : FrameTrust::unverified;
  auto reader = FrameReader::open(frame.value, trust);
  if (!reader) return at_position(reader.error(), frame.first);
  if (reader->header().first != frame.first) {
    return damaged("a frame stands in another one's place", frame.first);
  }
  if (reader->header().timeline != parts_.store.timeline()) {
    return damaged("a frame belongs to another log", frame.first);
  }
  return reader;
}

void Reader::know(Position before, Position through) const {
  auto expected = before.value;
  verified_through_.compare_exchange_strong(expected, through.value);
}

// What is durable behind `end` and not in the store yet, or a part of it. Where no writer was there
// since the machine was started, all of the journal is, unless one comes while it is read.
Result<std::vector<SharedFrame>> Reader::behind(const LogTail& end) const {
  if (parts_.recent != nullptr) return parts_.recent->from(end.last.next());
  if (parts_.mark == nullptr) return {};
  const bool all_durable = parts_.mark->is_of_an_earlier_boot();
  auto frames = behind_through(end, all_durable ? Position(UINT64_MAX) : parts_.mark->position());
  if (!all_durable || parts_.mark->is_of_an_earlier_boot()) return frames;
  return behind_through(end, parts_.mark->position());
}

// The mark is read first: what it promises is then in the journal, or has got into the store since.
Result<std::vector<SharedFrame>> Reader::behind_through(const LogTail& end,
                                                        Position through) const {
  const auto marked = parts_.mark->position();
  std::vector<SharedFrame> frames;
  if (through <= end.last) return frames;
  auto use = parts_.store.journal_use();
  if (!use) return std::unexpected(use.error());
  if (*use == JournalUse::open) {
    std::lock_guard guard(journal_mutex_);
    if (!journal_) {
      auto opened = parts_.open_journal();
      if (!opened) return std::unexpected(opened.error());
      journal_ = std::move(*opened);
    }
    auto recovered = journal_->recover(
        {parts_.store.timeline(), end.last, end.digest, through},
        [&](const FrameReader& frame, Bytes value) {
          frames.push_back(own_frame({frame.header().first, frame.header().last(), value}));
          return Result<void>();
        });
    if (!recovered) return std::unexpected(recovered.error());
  }
  auto last = frames.empty() ? end.last : frames.back()->last;
  if (last < std::min(marked, through)) return rolled_back(last, marked);
  return frames;
}

bool Reader::store_goes_on(Position last) const {
  auto end = parts_.store.last();
  return end && *end > last;
}

// In front of the first frame there is an empty log, or what was removed from it.
Result<void> Reader::begin(Pass& pass) const {
  auto base = parts_.store.base();
  if (!base) return std::unexpected(base.error());
  if (pass.next > base->last.next()) return {};
  pass.next = base->last.next();
  pass.before = LogTail{base->last, base->digest, base->time};
  return {};
}

// What is in front of a position that is in another process's journal alone, if that was read last.
std::optional<LogTail> Reader::seam_before(Position wanted) const {
  LogTail seam;
  {
    std::lock_guard guard(seam_mutex_);
    seam = seam_;
  }
  if (!seam.last || seam.last.next() != wanted) return std::nullopt;
  auto stored = parts_.store.last();
  return stored && *stored < wanted ? std::optional(seam) : std::nullopt;
}

Result<LogTail> Reader::remember(const SharedFrame& last) const {
  auto frame = open_frame({last->first, last->value()});
  if (!frame) return std::unexpected(frame.error());
  auto tail = tail_of(*frame);
  if (!tail) return tail;
  std::lock_guard guard(seam_mutex_);
  if (tail->last > seam_.last) seam_ = *tail;
  return tail;
}

// Where the log ends when reading begins: what this process appends meanwhile is not read, or who
// appends while reading would read for ever. What another one has brought to the store may be.
Position Reader::known_end() const {
  return parts_.recent != nullptr ? parts_.mark->position() : Position(UINT64_MAX);
}

// Whether the frame wanted is in memory, or behind what was read last of another process's journal:
// the store has nothing to say then.
bool Reader::is_behind_store(Pass& pass) const {
  if (parts_.recent != nullptr) {
    auto frames = parts_.recent->from(pass.next);
    return !frames.empty() && frames.front()->first <= pass.next;
  }
  if (pass.before) return false;
  pass.before = seam_before(pass.next);
  return pass.before.has_value();
}

// Frames move from behind the store into it all the time: what is missing between the two has got
// into the store since it was read.
Result<void> Reader::read_frames(Position from, const FrameVisit& visit) const {
  Pass pass{from ? from : Position(1)};
  if (auto begun = begin(pass); !begun) return begun;
  const auto wanted = pass.next;
  const auto end = known_end();
  auto step = [&](const Store::Frame& stored) -> Result<bool> {
    // Where reading goes on, the frame in front of that may be given once more.
    const bool seen =
        std::exchange(pass.at_seam, false) && pass.before && stored.first <= pass.before->last;
    if (seen) return true;
    pass.stopped = stored.first > end;
    if (pass.stopped) return false;
    auto frame = open_frame(stored);
    if (!frame) return std::unexpected(frame.error());
    const FrameHeader& header = frame->header();
    if (pass.before
            ? header.first != pass.before->last.next() || header.previous != pass.before->digest
            : header.first > wanted) {
      return damaged("a frame does not follow the one before it", pass.last().next());
    }
    pass.before = LogTail{header.last(), frame->digest(), header.time};
    pass.next = header.last().next();
    know(almanac::before(header.first), header.last());
    if (header.last() < wanted) return true;  // the last frame, when `from` is past the end
    auto more = visit(*frame);
    pass.stopped = more && !*more;
    return more;
  };
  bool in_memory = is_behind_store(pass);
  while (true) {
    if (pass.in_vain()) {
      return damaged("a frame does not follow the one before it", pass.last().next());
    }
    pass.at_seam = true;
    if (!in_memory) {
      auto read = parts_.store.read(pass.next, step);
      if (!read || pass.stopped) return read;
    }
    if (pass.last() >= end) return {};
    auto frames = behind(in_memory && !pass.before ? LogTail{almanac::before(wanted)}
                                                   : pass.before.value_or(LogTail{}));
    in_memory = false;
    if (!frames || frames->empty()) {
      if (store_goes_on(pass.last())) continue;
      return frames ? Result<void>() : std::unexpected(frames.error());
    }
    if (frames->front()->first > pass.last().next()) continue;
    pass.at_seam = true;
    for (const SharedFrame& frame : *frames) {
      auto more = step({frame->first, frame->value()});
      if (!more) return std::unexpected(more.error());
      if (pass.stopped) return {};
    }
    in_memory = parts_.recent != nullptr;
    if (in_memory) continue;
    if (auto noted = remember(frames->back()); !noted) return std::unexpected(noted.error());
  }
}

// What has left the memory is in the store, so that is asked last.
Result<void> Reader::read_frames_backward(Position from, const FrameVisit& visit) const {
  std::optional<FrameHeader> after;
  bool stopped = false;
  auto next = from;
  auto step = [&](const Store::Frame& stored) -> Result<bool> {
    if (after && stored.first >= after->first) return true;
    auto frame = open_frame(stored);
    if (!frame) return std::unexpected(frame.error());
    const FrameHeader& header = frame->header();
    if (after && (header.last().next() != after->first || frame->digest() != after->previous)) {
      return damaged("a frame does not follow the one before it", after->first);
    }
    after = header;
    next = before(header.first);
    if (header.first > from) return true;
    auto more = visit(*frame);
    stopped = more && !*more;
    return more;
  };
  while (next) {
    Result<std::vector<SharedFrame>> frames;
    if (parts_.recent != nullptr) {
      frames = parts_.recent->back_from(next);
    } else if (!after) {
      auto end = store_tail();
      if (!end) return std::unexpected(end.error());
      frames = behind(*end);
      if (!frames && store_goes_on(end->last)) continue;
      if (frames) std::ranges::reverse(*frames);
    }
    if (!frames) return std::unexpected(frames.error());
    if (frames->empty()) break;
    for (const SharedFrame& frame : *frames) {
      if (frame->first > next) continue;
      auto more = step({frame->first, frame->value()});
      if (!more) return std::unexpected(more.error());
      if (stopped) return {};
    }
    if (parts_.recent == nullptr) break;
  }
  return parts_.store.read_backward(next, step);
}

Result<void> Reader::read(Position from, const EventVisit& visit) const {
  RecordedEvent recorded;
  return read_frames(from, [&](const FrameReader& frame) -> Result<bool> {
    for (std::uint32_t i = 0; i < frame.header().count; ++i) {
      recorded.position = Position(frame.header().first.value + i);
      if (recorded.position < from) continue;
      auto read = frame.read(i, recorded.event);
      if (!read) return std::unexpected(read.error());
      auto more = visit(recorded);
      if (!more || !*more) return more;
    }
    return true;
  });
}

Result<void> Reader::read_backward(Position from, const EventVisit& visit) const {
  RecordedEvent recorded;
  return read_frames_backward(from, [&](const FrameReader& frame) -> Result<bool> {
    for (auto i = frame.header().count; i-- > 0;) {
      recorded.position = Position(frame.header().first.value + i);
      if (recorded.position > from) continue;
      auto read = frame.read(i, recorded.event);
      if (!read) return std::unexpected(read.error());
      auto more = visit(recorded);
      if (!more || !*more) return more;
    }
    return true;
  });
}

bool ReadOptions::matches(const RecordedEvent& recorded) const {
  const Event& event = recorded.event;
  if (!stream.empty() && event.stream != stream) return false;
  if (correlation && event.correlation != correlation && recorded.position != correlation) {
    return false;
  }
  if (types.empty()) return true;
  const auto* custom = std::get_if<CustomEvent>(&event.body);
  return std::ranges::any_of(types, [&](std::string_view type) {
    return type == type_name(event.body) || (custom != nullptr && type == custom->type);
  });
}

Result<void> Reader::read(const ReadOptions& options, const EventVisit& visit) const {
  auto from = options.from;
  auto through = options.through;
  if (options.since) {
    auto position = position_at(*options.since);
    if (!position) return std::unexpected(position.error());
    from = std::max(from, *position);
  }
  if (options.until) {
    auto position = position_at(*options.until);
    if (!position) return std::unexpected(position.error());
    through = std::min(through, before(*position));
  }
  if (from > through) return {};
  bool forward = options.direction == Direction::forward;
  auto filtered = [&](const RecordedEvent& recorded) -> Result<bool> {
    if (forward ? recorded.position > through : recorded.position < from) return false;
    return options.matches(recorded) ? visit(recorded) : true;
  };
  return forward ? read(from, filtered) : read_backward(through, filtered);
}

Result<Position> Reader::first() const {
  auto base = parts_.store.base();
  if (!base) return std::unexpected(base.error());
  return base->last.next();
}

Result<LogTail> Reader::store_tail() const {
  auto base = parts_.store.base();
  if (!base) return std::unexpected(base.error());
  Result<LogTail> tail = LogTail{base->last, base->digest, base->time};
  auto read = parts_.store.read_backward(Position(UINT64_MAX),
                                         [&](const Store::Frame& stored) -> Result<bool> {
                                           auto frame = open_frame(stored);
                                           if (!frame) return std::unexpected(frame.error());
                                           tail = tail_of(*frame);
                                           return false;
                                         });
  if (!read) return std::unexpected(read.error());
  return tail;
}

// What was known of the journal need not be read again to see what is behind it.
Result<LogTail> Reader::tail_beside_writer() const {
  while (true) {
    auto end = store_tail();
    if (!end) return end;
    {
      std::lock_guard guard(seam_mutex_);
      if (seam_.last > end->last) *end = seam_;
    }
    auto frames = behind(*end);
    if (frames) return frames->empty() ? end : remember(frames->back());
    if (!store_goes_on(end->last)) return std::unexpected(frames.error());
  }
}

Result<LogTail> Reader::tail() const {
  if (parts_.recent == nullptr) return tail_beside_writer();
  Result<LogTail> tail = LogTail{};
  bool found = false;
  auto read = read_frames_backward(Position(UINT64_MAX), [&](const FrameReader& frame) {
    tail = tail_of(frame);
    found = true;
    return Result<bool>(false);
  });
  if (!read) return std::unexpected(read.error());
  return found ? tail : store_tail();
}

// Halves what is left, a frame at a time.
Result<Position> Reader::position_at(Time time) const {
  auto base = parts_.store.base();
  auto end = tail();
  if (!base || !end) return std::unexpected(base ? end.error() : base.error());
  Position low = base->last.next();
  Position high = end->last.next();
  while (low < high) {
    Position middle(low.value + (high.value - low.value) / 2);
    auto read = read_frames(middle, [&](const FrameReader& frame) -> Result<bool> {
      if (frame.header().first > middle) {  // the front was trimmed meanwhile
        low = frame.header().first;
        return false;
      }
      auto found = first_not_older(frame, time);
      if (!found) return std::unexpected(found.error());
      const FrameHeader& header = frame.header();
      if (*found == header.count) {
        low = header.last().next();
      } else if (*found == 0) {
        high = header.first;
      } else {
        low = high = Position(header.first.value + *found);
      }
      return false;
    });
    if (!read) return std::unexpected(read.error());
  }
  return low;
}

}  // namespace almanac
