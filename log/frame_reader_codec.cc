// Reading what codec.cc writes: frames in place, and their events one by one.
#include <almanac/log/codec.h>

#include <almanac/log/events_codec.h>
#include <almanac/log/hash.h>
#include <almanac/log/plain_events_codec.h>
#include <almanac/log/stored_frame_codec.h>

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>

namespace almanac {
namespace {

using stored::corrupt;
using stored::frame_format;
using stored::is_aligned;
using stored::Prefix;

void clear_meta(Event& event) {
  event.idempotency_key = event.stream = {};
  event.correlation = event.causation = Position();
}

// Of a domain that reads its own union members; false for any other type.
bool read_domain_body(schema::Event::Body::Reader body, const codec::Names& names, EventBody& to) {
  return read_circuit_body(body, names, to) || read_group_body(body, names, to) ||
         read_component_body(body, names, to) || read_pool_body(body, names, to) ||
         read_health_body(body, names, to) || read_gpu_body(body, names, to) ||
         read_advisor_body(body, names, to) || read_memory_body(body, names, to) ||
         read_context_body(body, names, to) || read_model_body(body, names, to) ||
         read_audit_body(body, names, to);
}

// False for a type of a newer version.
bool read_body(schema::Event::Reader event, const codec::Names& names, EventBody& to) {
  auto body = event.getBody();
  using Which = schema::Event::Body::Which;
  switch (body.which()) {
    case Which::CUSTOM:
      to = CustomEvent{names.at(event.getName()), codec::view(body.getCustom())};
      return true;
    case Which::TASK_ENQUEUED: to = read(body.getTaskEnqueued(), names); return true;
    case Which::TASK_READIED: to = read(body.getTaskReadied(), names); return true;
    case Which::TASK_STARTED: to = read(body.getTaskStarted(), names); return true;
    case Which::TASK_LEASED: to = read(body.getTaskLeased(), names); return true;
    case Which::TASK_STARTED_ON_GPU: to = read(body.getTaskStartedOnGpu(), names); return true;
    case Which::TASK_SUCCEEDED: to = read(body.getTaskSucceeded(), names); return true;
    case Which::TASK_ATTEMPT_FAILED: to = read(body.getTaskAttemptFailed(), names); return true;
    case Which::TASK_FAILED: to = read(body.getTaskFailed(), names); return true;
    case Which::TASK_CANCEL_REQUESTED: to = read(body.getTaskCancelRequested(), names); return true;
    case Which::TASK_CANCELLED: to = read(body.getTaskCancelled(), names); return true;
    case Which::TASK_HANDED_BACK: to = read(body.getTaskHandedBack(), names); return true;
    case Which::TASK_HELD: to = read(body.getTaskHeld(), names); return true;
    case Which::TASK_RELEASED: to = read(body.getTaskReleased(), names); return true;
    case Which::TASK_ACCEPTED: to = read(body.getTaskAccepted(), names); return true;
    case Which::TASKS_RERANKED: to = read(body.getTasksReranked(), names); return true;
    case Which::QUEUE_CONFIGURED: to = read(body.getQueueConfigured(), names); return true;
    case Which::ENGINE_STARTED: to = read(body.getEngineStarted(), names); return true;
    case Which::ENGINE_STOPPED: to = read(body.getEngineStopped(), names); return true;
    case Which::BACKUP_SCHEDULED: to = read(body.getBackupScheduled(), names); return true;
    case Which::BACKUP_UNSCHEDULED: to = read(body.getBackupUnscheduled(), names); return true;
    case Which::BACKUP_STARTED: to = read(body.getBackupStarted(), names); return true;
    case Which::SNAPSHOT_MADE: to = read(body.getSnapshotMade(), names); return true;
    case Which::SNAPSHOT_SKIPPED: to = read(body.getSnapshotSkipped(), names); return true;
    case Which::SNAPSHOTS_PRUNED: to = read(body.getSnapshotsPruned(), names); return true;
    case Which::DRILL_PASSED: to = read(body.getDrillPassed(), names); return true;
    case Which::BACKUP_FAILED: to = read(body.getBackupFailed(), names); return true;
    case Which::SCHEDULE_DEFINED: to = read(body.getScheduleDefined(), names); return true;
    case Which::SCHEDULE_PAUSED: to = read(body.getSchedulePaused(), names); return true;
    case Which::SCHEDULE_RESUMED: to = read(body.getScheduleResumed(), names); return true;
    case Which::SCHEDULE_REMOVED: to = read(body.getScheduleRemoved(), names); return true;
    case Which::SCHEDULE_FIRED: to = read(body.getScheduleFired(), names); return true;
    case Which::SCHEDULE_QUEUED: to = read(body.getScheduleQueued(), names); return true;
    case Which::SCHEDULE_SKIPPED: to = read(body.getScheduleSkipped(), names); return true;
    case Which::LIMIT_CONFIGURED: to = read(body.getLimitConfigured(), names); return true;
    case Which::TOKENS_TAKEN: to = read(body.getTokensTaken(), names); return true;
    case Which::LANE_BLOCKED: to = read(body.getLaneBlocked(), names); return true;
    case Which::TASK_SNOOZED: to = read(body.getTaskSnoozed(), names); return true;
    case Which::TASK_PROGRESSED: to = read(body.getTaskProgressed(), names); return true;
    case Which::TASK_REDRIVEN: to = read(body.getTaskRedriven(), names); return true;
    case Which::TASKS_FORGOTTEN: to = read(body.getTasksForgotten(), names); return true;
    case Which::WORK_PAUSED: to = read(body.getWorkPaused(), names); return true;
    case Which::WORK_RESUMED: to = read(body.getWorkResumed(), names); return true;
    case Which::IMPLEMENTATIONS_SET: to = read(body.getImplementationsSet(), names); return true;
    case Which::IMPLEMENTATION_LEFT: to = read(body.getImplementationLeft(), names); return true;
    case Which::IMPLEMENTATION_RETURNED:
      to = read(body.getImplementationReturned(), names);
      return true;
    case Which::TASK_REQUEST_CARRIED: to = read(body.getTaskRequestCarried(), names); return true;
    case Which::TASK_RESULT_CARRIED: to = read(body.getTaskResultCarried(), names); return true;
    case Which::TASK_FAILED_OVER: to = read(body.getTaskFailedOver(), names); return true;
    default: return read_domain_body(body, names, to);
  }
}

}  // namespace

namespace codec {

NameListView Names::list(std::span<const std::uint16_t> indexes) const {
  for (auto index : indexes) KJ_REQUIRE(index < names_.size(), "a name outside the table");
  return {names_, indexes};
}

}  // namespace codec

struct FrameReader::Parsed {
  Parsed(const Prefix& from, Bytes stored, Bytes bytes)
      : prefix(from),
        value(stored),
        copy(is_aligned(bytes) ? 0 : bytes.size() / sizeof(std::uint64_t)),
        message(copy.empty() ? bytes : copied(bytes)),
        segment(reinterpret_cast<const capnp::word*>(message.data()),
                message.size() / sizeof(capnp::word)) {
    start_reading();
    auto list = frame.getNames();
    names.reserve(list.size());
    for (auto name : list) names.push_back(codec::view(name));
  }

  // Every pointer followed counts against a limit and is never given back, so that a few bytes
  // cannot be read as many; see event(). Whatever was read before stays valid.
  void start_reading() {
    auto words = std::max<std::size_t>(segment.size(), 1024);
    reader.emplace(kj::arrayPtr(&segment, 1),
                   capnp::ReaderOptions{.traversalLimitInWords = 64 * words, .nestingLimit = 32});
    frame = reader->getRoot<schema::Frame>();
    events = frame.getEvents();
    plain_events = codec::PlainEvents(events, message);
  }

  Bytes copied(Bytes bytes) {
    std::memcpy(copy.data(), bytes.data(), bytes.size());
    return std::as_bytes(std::span(copy));
  }
  Result<void> read_header();
  Result<void> read_event(std::uint32_t index, Event& to) const;
  Result<void> read_event_anew(std::uint32_t index, Event& to);

  Prefix prefix;
  Bytes value;
  std::vector<std::uint64_t> copy;  // LMDB promises 2-byte alignment only; seen aligned always
  Bytes message;
  kj::ArrayPtr<const capnp::word> segment;
  std::optional<capnp::SegmentArrayMessageReader> reader;
  schema::Frame::Reader frame;
  capnp::List<schema::Event>::Reader events;
  codec::PlainEvents plain_events;
  std::vector<std::string_view> names;
  FrameHeader header;
};

Result<void> FrameReader::Parsed::read_header() {
  auto timeline = codec::view(frame.getTimeline());
  auto previous = codec::view(frame.getPrevious());
  if (frame.getFormat() != frame_format || frame.getCount() != events.size() ||
      events.size() == 0 || timeline.size() != header.timeline.size() ||
      previous.size() != header.previous.size()) {
    return corrupt("the frame's header contradicts its content");
  }
  // Neither the last position nor the last time may overflow.
  if (frame.getFirst() == 0 || frame.getFirst() > UINT64_MAX - frame.getCount() ||
      frame.getTime() < 0 || frame.getTime() > INT64_MAX - UINT32_MAX) {
    return corrupt("the frame's header holds a number that cannot be");
  }
  std::ranges::copy(timeline, header.timeline.begin());
  std::ranges::copy(previous, header.previous.begin());
  header.first = Position(frame.getFirst());
  header.count = frame.getCount();
  header.time = codec::time(frame.getTime());
  return {};
}

FrameReader::FrameReader(std::unique_ptr<Parsed> parsed) : parsed_(std::move(parsed)) {}
FrameReader::FrameReader(FrameReader&&) noexcept = default;
FrameReader& FrameReader::operator=(FrameReader&&) noexcept = default;
FrameReader::~FrameReader() = default;

Result<FrameReader> FrameReader::open(Bytes value, FrameTrust trust) {
  auto prefix = stored::read_prefix(value);
  if (!prefix) return std::unexpected(prefix.error());
  if (trust == FrameTrust::unverified &&
      xxh3(value.subspan(stored::checksum_bytes)) != prefix->checksum) {
    return corrupt("the frame's checksum does not match its bytes");
  }
  try {
    auto parsed = std::make_unique<Parsed>(*prefix, value, value.subspan(sizeof(Prefix)));
    if (auto header = parsed->read_header(); !header) return std::unexpected(header.error());
    return FrameReader(std::move(parsed));
  } catch (const kj::Exception& error) {
    return corrupt("the frame cannot be read: " + std::string(error.getDescription().cStr()));
  }
}

const FrameHeader& FrameReader::header() const { return parsed_->header; }
const Digest& FrameReader::digest() const { return parsed_->prefix.digest; }
std::size_t FrameReader::size_bytes() const { return parsed_->value.size(); }
Bytes FrameReader::value() const { return parsed_->value; }
bool FrameReader::digest_matches() const {
  return blake2b(parsed_->message) == parsed_->prefix.digest;
}

Result<void> FrameReader::Parsed::read_event(std::uint32_t index, Event& to) const {
  auto from = events[index];
  if (!read_body(from, codec::Names(names), to.body)) {
    return fail(ErrorCode::newer_format,
                "event " + std::to_string(header.first.value + index) +
                    " is of a type this version does not know",
                "use the version of Almanac that wrote the log, or a later one");
  }
  to.at = header.time + Duration(from.getAfter());
  clear_meta(to);
  if (from.hasMeta()) {
    auto meta = from.getMeta();
    to.idempotency_key = codec::view(meta.getIdempotencyKey());
    to.stream = codec::view(meta.getStream());
    to.correlation = Position(meta.getCorrelation());
    to.causation = Position(meta.getCausation());
  }
  return {};
}

Result<void> FrameReader::Parsed::read_event_anew(std::uint32_t index, Event& to) {
  try {
    start_reading();
    return read_event(index, to);
  } catch (const kj::Exception& error) {
    return corrupt("event " + std::to_string(header.first.value + index) +
                   " cannot be read: " + std::string(error.getDescription().cStr()));
  }
}

Result<void> FrameReader::read(std::uint32_t index, Event& to) const {
  ALMANAC_CHECK(index < parsed_->header.count);
  if (parsed_->plain_events.read(index, parsed_->header.time, parsed_->names, to)) return {};
  try {
    return parsed_->read_event(index, to);
  } catch (const kj::Exception&) {
    // Damage, or the reads of the events before have used up the limit.
    return parsed_->read_event_anew(index, to);
  }
}

Result<Event> FrameReader::event(std::uint32_t index) const {
  Event event;
  if (auto done = read(index, event); !done) return std::unexpected(done.error());
  return event;
}

}  // namespace almanac
