#include <almanac/log/codec.h>

#include <almanac/log/events_codec.h>
#include <almanac/log/hash.h>
#include <almanac/log/limits.h>
#include <almanac/log/stored_frame_codec.h>

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>

namespace almanac {
namespace {

using stored::frame_format;
using stored::Prefix;

constexpr std::size_t prefix_words = sizeof(Prefix) / sizeof(std::uint64_t);
// Room for a small frame; a larger one makes the buffer grow, which is kept unless it is huge.
constexpr std::size_t buffer_words_initial = 64 * limits::kibibyte / sizeof(std::uint64_t);
constexpr std::size_t buffer_words_kept = 4 * limits::mebibyte / sizeof(std::uint64_t);

bool has_meta(const Event& event) {
  return !event.idempotency_key.empty() || !event.stream.empty() || event.correlation ||
         event.causation;
}

void write_meta(const Event& event, schema::Event::Builder to) {
  auto meta = to.initMeta();
  codec::set_text(event.idempotency_key,
                  [&](unsigned size) { return meta.initIdempotencyKey(size); });
  codec::set_text(event.stream, [&](unsigned size) { return meta.initStream(size); });
  meta.setCorrelation(event.correlation.value);
  meta.setCausation(event.causation.value);
}

// Writes the body of one event: one overload per union member.
struct BodyWriter {
  schema::Event::Builder event;
  schema::Event::Body::Builder body;
  codec::NameTable& names;

  void operator()(const CustomEvent& from) {
    event.setName(names.index(from.type));
    body.setCustom(codec::data(from.data));
  }
  void operator()(const TaskEnqueued& from) { write(from, body.initTaskEnqueued(), names); }
  void operator()(const TaskReadied& from) { write(from, body.initTaskReadied(), names); }
  void operator()(const TaskSucceeded& from) { write(from, body.initTaskSucceeded(), names); }
  void operator()(const TaskAttemptFailed& from) {
    write(from, body.initTaskAttemptFailed(), names);
  }
  void operator()(const TaskFailed& from) { write(from, body.initTaskFailed(), names); }
  void operator()(const TaskCancelRequested& from) {
    write(from, body.initTaskCancelRequested(), names);
  }
  void operator()(const TaskCancelled& from) { write(from, body.initTaskCancelled(), names); }
  void operator()(const TaskHandedBack& from) { write(from, body.initTaskHandedBack(), names); }
  void operator()(const TaskHeld& from) { write(from, body.initTaskHeld(), names); }
  void operator()(const TaskReleased& from) { write(from, body.initTaskReleased(), names); }
  void operator()(const TaskAccepted& from) { write(from, body.initTaskAccepted(), names); }
  void operator()(const TasksReranked& from) { write(from, body.initTasksReranked(), names); }
  void operator()(const QueueConfigured& from) { write(from, body.initQueueConfigured(), names); }
  void operator()(const EngineStarted& from) { write(from, body.initEngineStarted(), names); }
  void operator()(const EngineStopped& from) { write(from, body.initEngineStopped(), names); }
  void operator()(const BackupScheduled& from) { write(from, body.initBackupScheduled(), names); }
  void operator()(const BackupUnscheduled& from) {
    write(from, body.initBackupUnscheduled(), names);
  }
  void operator()(const BackupStarted& from) { write(from, body.initBackupStarted(), names); }
  void operator()(const SnapshotMade& from) { write(from, body.initSnapshotMade(), names); }
  void operator()(const SnapshotSkipped& from) { write(from, body.initSnapshotSkipped(), names); }
  void operator()(const SnapshotsPruned& from) { write(from, body.initSnapshotsPruned(), names); }
  void operator()(const DrillPassed& from) { write(from, body.initDrillPassed(), names); }
  void operator()(const BackupFailed& from) { write(from, body.initBackupFailed(), names); }
  void operator()(const ScheduleDefined& from) { write(from, body.initScheduleDefined(), names); }
  void operator()(const SchedulePaused& from) { write(from, body.initSchedulePaused(), names); }
  void operator()(const ScheduleResumed& from) { write(from, body.initScheduleResumed(), names); }
  void operator()(const ScheduleRemoved& from) { write(from, body.initScheduleRemoved(), names); }
  void operator()(const ScheduleFired& from) { write(from, body.initScheduleFired(), names); }
  void operator()(const ScheduleQueued& from) { write(from, body.initScheduleQueued(), names); }
  void operator()(const ScheduleSkipped& from) { write(from, body.initScheduleSkipped(), names); }
  void operator()(const LimitConfigured& from) { write(from, body.initLimitConfigured(), names); }
  void operator()(const TokensTaken& from) { write(from, body.initTokensTaken(), names); }
  void operator()(const LaneBlocked& from) { write(from, body.initLaneBlocked(), names); }
  void operator()(const TaskSnoozed& from) { write(from, body.initTaskSnoozed(), names); }
  void operator()(const TaskProgressed& from) { write(from, body.initTaskProgressed(), names); }
  void operator()(const TaskRedriven& from) { write(from, body.initTaskRedriven(), names); }
  void operator()(const TasksForgotten& from) { write(from, body.initTasksForgotten(), names); }
  void operator()(const ImplementationsSet& from) {
    write(from, body.initImplementationsSet(), names);
  }
  void operator()(const ImplementationLeft& from) {
    write(from, body.initImplementationLeft(), names);
  }
  void operator()(const ImplementationReturned& from) {
    write(from, body.initImplementationReturned(), names);
  }
  void operator()(const TaskRequestCarried& from) {
    write(from, body.initTaskRequestCarried(), names);
  }
  void operator()(const TaskResultCarried& from) {
    write(from, body.initTaskResultCarried(), names);
  }
  void operator()(const TaskFailedOver& from) { write(from, body.initTaskFailedOver(), names); }
  void operator()(const CircuitConfigured& from) {
    write(from, body.initCircuitConfigured(), names);
  }
  void operator()(const CircuitObserved& from) { write(from, body.initCircuitObserved(), names); }
  void operator()(const CircuitProbed& from) { write(from, body.initCircuitProbed(), names); }
  void operator()(const CircuitOpened& from) { write(from, body.initCircuitOpened(), names); }
  void operator()(const CircuitHalfOpened& from) {
    write(from, body.initCircuitHalfOpened(), names);
  }
  void operator()(const CircuitClosed& from) { write(from, body.initCircuitClosed(), names); }
  // What the codec of its domain puts into the body itself.
  template <class OfDomain>
    requires requires(const OfDomain& from, codec::BodyBuilder to, codec::NameTable& table) {
      write(from, to, table);
    }
  void operator()(const OfDomain& from) {
    write(from, body, names);
  }
  void operator()(const WorkPaused& from) { write(from, body.initWorkPaused(), names); }
  void operator()(const WorkResumed& from) { write(from, body.initWorkResumed(), names); }
};

void write_event(const Event& from, Time frame_time, schema::Event::Builder to,
                 codec::NameTable& names) {
  auto after = (from.at - frame_time).count();
  ALMANAC_CHECK(after >= 0 && after <= UINT32_MAX);
  to.setAfter(static_cast<std::uint32_t>(after));
  std::visit(BodyWriter{to, to.getBody(), names}, from.body);
  if (has_meta(from)) write_meta(from, to);
}

void write_frame(const FrameHeader& header, std::span<const EventBatch* const> batches,
                 schema::Frame::Builder frame) {
  frame.setFormat(frame_format);
  frame.setCount(header.count);
  frame.setFirst(header.first.value);
  frame.setTime(codec::micros(header.time));
  frame.setTimeline(codec::data(header.timeline));
  frame.setPrevious(codec::data(header.previous));
  codec::NameTable names;
  auto events = frame.initEvents(header.count);
  unsigned next = 0;
  for (const EventBatch* batch : batches) {
    for (const Event& event : batch->events) {
      write_event(event, header.time, events[next++], names);
    }
  }
  auto list = frame.initNames(static_cast<unsigned>(names.names().size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    codec::set_text(names.names()[i], [&](unsigned size) { return list.init(i, size); });
  }
}

}  // namespace

FrameEncoder::FrameEncoder() { make_room(buffer_words_initial); }
FrameEncoder::~FrameEncoder() = default;

void FrameEncoder::make_room(std::size_t words) {
  words_.reset();
  words_.reset(static_cast<std::uint64_t*>(std::calloc(words, sizeof(std::uint64_t))));
  if (words_ == nullptr) throw std::bad_alloc();
  words_size_ = words;
  words_used_ = 0;
}

// Cap'n Proto needs zeroed space. False when the frame did not fit in the buffer; `words_used` is
// what was used before and then what the frame took.
bool FrameEncoder::encode_into(const FrameHeader& header,
                               std::span<const EventBatch* const> batches,
                               std::size_t& words_used) {
  std::fill_n(words_.get(), words_used, 0);
  auto* first = reinterpret_cast<capnp::word*>(words_.get() + prefix_words);
  struct Fixed final : capnp::MessageBuilder {
    explicit Fixed(kj::ArrayPtr<capnp::word> space) : space(space) {}
    // A second segment is only asked for when the first is full.
    kj::ArrayPtr<capnp::word> allocateSegment(unsigned minimum) override {
      if (!given && minimum <= space.size()) {
        given = true;
        return space;
      }
      spill.push_back(kj::heapArray<capnp::word>(std::max<std::size_t>(minimum, space.size())));
      auto& more = spill.back();
      std::memset(more.begin(), 0, more.size() * sizeof(capnp::word));
      return more.asPtr();
    }
    kj::ArrayPtr<capnp::word> space;
    bool given = false;
    std::vector<kj::Array<capnp::word>> spill;
  } message(kj::arrayPtr(first, words_size_ - prefix_words));
  write_frame(header, batches, message.initRoot<schema::Frame>());
  words_used = prefix_words;
  for (auto segment : message.getSegmentsForOutput()) words_used += segment.size();
  return message.spill.empty();
}

Bytes FrameEncoder::encode_draft(FrameHeader header, std::span<const EventBatch* const> batches,
                                 std::size_t bytes_at_most) {
  header.count = 0;
  for (const EventBatch* batch : batches) {
    header.count += static_cast<std::uint32_t>(batch->events.size());
  }
  const std::size_t words_at_most =
      bytes_at_most == 0 ? 0 : prefix_words + bytes_at_most / sizeof(std::uint64_t);
  if (words_at_most > words_size_) {
    make_room(words_at_most);
  } else if (words_size_ > buffer_words_kept && words_used_ < buffer_words_initial) {
    make_room(buffer_words_initial);
  }
  std::size_t words_used = words_used_;
  if (!encode_into(header, batches, words_used)) {
    // Pointers across segments cost a little more than pointers inside one: twice is enough.
    make_room(2 * words_used);
    words_used = 0;
    ALMANAC_CHECK(encode_into(header, batches, words_used));
  }
  words_used_ = words_used;
  auto value = value_in_place();
  Prefix prefix{.checksum = 0,
                .magic = stored::frame_magic,
                .format = frame_format,
                .reserved = 0,
                .message_bytes = value.size() - sizeof(Prefix),
                .digest = {}};
  std::memcpy(value.data(), &prefix, sizeof(prefix));
  stored::seal(value);
  return value;
}

Bytes FrameEncoder::message() const {
  return std::as_bytes(std::span(words_.get(), words_used_)).subspan(sizeof(Prefix));
}

FrameEncoder::Encoded FrameEncoder::complete(const Digest& digest) {
  auto value = value_in_place();
  std::ranges::copy(digest, value.begin() + offsetof(Prefix, digest));
  stored::seal(value);
  return {value, digest};
}

FrameEncoder::Encoded FrameEncoder::encode(const FrameHeader& header,
                                           std::span<const EventBatch* const> batches) {
  (void)encode_draft(header, batches);
  return complete(blake2b(message()));
}

std::span<std::byte> FrameEncoder::value_in_place() {
  return std::as_writable_bytes(std::span(words_.get(), words_used_));
}

}  // namespace almanac
