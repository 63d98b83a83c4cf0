#include <almanac/log/plain_events_codec.h>

#include <capnp/any.h>

#include <cstring>

namespace almanac::codec {
namespace {

using Body = schema::Event::Body;
using FrameNames = std::span<const std::string_view>;

constexpr std::size_t word_bytes = sizeof(std::uint64_t);

// Structs as they lie in a message, their pointers behind them. Fields never move; a struct of a
// later version is longer, which is seen.
struct StoredEvent {
  std::uint32_t after;
  std::uint16_t name;
  std::uint16_t type;
  std::uint64_t body;
  std::uint64_t meta;
};
struct StoredMeta {
  using Schema = schema::Meta;
  std::uint64_t correlation;
  std::uint64_t causation;
};
struct StoredEnqueued {
  using Schema = schema::TaskEnqueued;
  std::uint64_t id;
  std::uint16_t kind;
  std::uint16_t queue;
  std::int32_t priority;
  std::int64_t run_at;
  std::int64_t timeout;
  std::int64_t backoff_initial;
  std::int64_t backoff_max;
  std::uint16_t attempts_max;
  std::uint8_t keeps_dependencies;  // its lowest bit
  std::uint8_t unused[5];
  std::uint64_t content_hash;
};
struct StoredStarted {
  using Schema = schema::TaskStarted;
  std::uint64_t id;
  std::uint32_t attempt;
  std::uint16_t implementation;
  std::uint16_t advisor;
  std::int64_t deadline;
};
struct StoredSucceeded {
  using Schema = schema::TaskSucceeded;
  std::uint64_t id;
  std::uint64_t lease;
};
struct StoredEnd {
  using Schema = schema::AttemptEnd;
  std::uint16_t status;
  std::uint8_t permanent;  // its lowest bit
  std::uint8_t unused;
  std::int32_t code;
  std::uint64_t output_dropped;
};

constexpr std::size_t body_at = 8;
constexpr std::size_t meta_at = 16;

// How large the elements of a list are, as its pointer says it.
enum class ElementSize : std::uint64_t { byte = 2, two_bytes = 3, eight_bytes = 5 };

// A message, and what pointers in it lead to. Everything is given by where it begins in there.
class Message {
 public:
  explicit Message(Bytes bytes) : bytes_(bytes) {}

  template <class Value>
  [[nodiscard]] Value load(std::size_t at) const {
    Value value;
    std::memcpy(&value, bytes_.data() + at, sizeof(value));
    return value;
  }

  // The struct that the pointer at a place leads to; its pointers begin at `pointers`. False for
  // none, and for one of another size.
  template <class Stored>
  [[nodiscard]] bool find(std::size_t at, Stored& to, std::size_t& pointers) const {
    constexpr auto size = capnp::_::structSize<typename Stored::Schema>();
    static_assert(size.data == sizeof(Stored) / word_bytes && sizeof(Stored) % word_bytes == 0);
    constexpr std::uint64_t sizes = std::uint64_t{size.data} << 32 | std::uint64_t{size.pointers}
                                                                         << 48;
    const auto pointer = load<std::uint64_t>(at);
    if ((pointer & ~distance_mask) != sizes) return false;
    const std::int64_t begin = target(at, pointer);
    if (!holds(begin, sizeof(Stored) + size.pointers * word_bytes)) return false;
    to = load<Stored>(static_cast<std::size_t>(begin));
    pointers = static_cast<std::size_t>(begin) + sizeof(Stored);
    return true;
  }

  // The list of numbers that the pointer at a place leads to; none is an empty one.
  template <class Element>
  [[nodiscard]] bool list(std::size_t at, ElementSize size, std::span<const Element>& to) const {
    const auto pointer = load<std::uint64_t>(at);
    if (pointer == 0) return true;
    constexpr std::uint64_t kind_mask = 0x7'0000'0003;  // the lowest two bits and bits 32 to 34
    if ((pointer & kind_mask) != (std::uint64_t(size) << 32 | 1)) return false;
    const std::uint64_t count = pointer >> 35;
    const std::int64_t begin = target(at, pointer);
    if (!holds(begin, count * sizeof(Element))) return false;
    to = {reinterpret_cast<const Element*>(bytes_.data() + begin), count};
    return true;
  }
  [[nodiscard]] bool data(std::size_t at, Bytes& to) const {
    return list(at, ElementSize::byte, to);
  }
  // A zero stands behind it.
  [[nodiscard]] bool text(std::size_t at, std::string_view& to) const {
    std::span<const char> chars;
    if (!list(at, ElementSize::byte, chars)) return false;
    if (chars.empty()) return load<std::uint64_t>(at) == 0;
    to = {chars.data(), chars.size() - 1};
    return chars.back() == '\0';
  }

 private:
  static constexpr std::uint64_t distance_mask = 0xffff'fffc;

  // Distances are in words, from the end of the pointer.
  [[nodiscard]] static std::int64_t target(std::size_t at, std::uint64_t pointer) {
    const std::int64_t words = static_cast<std::int32_t>(static_cast<std::uint32_t>(pointer)) >> 2;
    return static_cast<std::int64_t>(at + word_bytes) +
           words * static_cast<std::int64_t>(word_bytes);
  }
  [[nodiscard]] bool holds(std::int64_t begin, std::uint64_t bytes) const {
    return begin >= 0 && static_cast<std::uint64_t>(begin) + bytes <= bytes_.size();
  }

  Bytes bytes_;
};

bool read_custom(const Message& message, std::size_t at, std::uint16_t name, FrameNames names,
                 EventBody& to) {
  Bytes data;
  if (name >= names.size() || !message.data(at + body_at, data)) return false;
  to = CustomEvent{names[name], data};
  // The bytes of one event lie behind those of the one before: those some events on are fetched
  // while this one is looked at.
  constexpr std::size_t events_ahead = 5;
  __builtin_prefetch(data.data() + events_ahead * data.size());
  return true;
}

bool read_enqueued(const Message& message, std::size_t at, FrameNames names, EventBody& to) {
  StoredEnqueued stored;
  std::size_t pointers = 0;
  if (!message.find(at + body_at, stored, pointers)) return false;
  if (stored.kind >= names.size() || stored.queue >= names.size()) return false;
  const auto pointer = [pointers](std::size_t i) { return pointers + i * word_bytes; };
  if (message.load<std::uint64_t>(pointer(4)) != 0) return false;  // it has terms
  std::span<const std::uint16_t> tags;
  auto& task = to.emplace<TaskEnqueued>();
  if (!message.text(pointer(0), task.label) ||
      !message.list(pointer(1), ElementSize::two_bytes, tags) ||
      !message.list(pointer(2), ElementSize::eight_bytes, task.dependencies) ||
      !message.data(pointer(3), task.payload)) {
    return false;
  }
  for (const std::uint16_t tag : tags) {
    if (tag >= names.size()) return false;
  }
  task.id = TaskId(stored.id);
  task.kind = names[stored.kind];
  task.queue = names[stored.queue];
  task.priority = stored.priority;
  task.run_at = Time(Duration(stored.run_at));
  task.timeout = Duration(stored.timeout);
  task.backoff = {Duration(stored.backoff_initial), Duration(stored.backoff_max)};
  task.attempts_max = stored.attempts_max;
  task.content_hash = stored.content_hash;
  if (!tags.empty()) task.tags = NameListView(names, tags);
  task.keeps_dependencies = (stored.keeps_dependencies & 1) != 0;
  return true;
}

bool read_started(const Message& message, std::size_t at, FrameNames names, EventBody& to) {
  StoredStarted stored;
  std::size_t pointers = 0;
  if (!message.find(at + body_at, stored, pointers)) return false;
  if (stored.implementation >= names.size() || stored.advisor >= names.size()) return false;
  auto& start = to.emplace<TaskStarted>();
  start.id = TaskId(stored.id);
  start.attempt = stored.attempt;
  start.deadline = Time(Duration(stored.deadline));
  start.implementation = names[stored.implementation];
  start.advisor = names[stored.advisor];
  return true;
}

bool read_success(const Message& message, std::size_t at, EventBody& to) {
  StoredSucceeded stored;
  std::size_t pointers = 0;
  if (!message.find(at + body_at, stored, pointers)) return false;
  auto& success = to.emplace<TaskSucceeded>();
  success.id = TaskId(stored.id);
  success.lease = Lease(stored.lease);
  if (message.load<std::uint64_t>(pointers) == 0) return true;
  StoredEnd end;
  if (!message.find(pointers, end, pointers)) return false;
  if (end.status != std::uint16_t(AttemptStatus::succeeded)) return false;
  success.end.code = end.code;
  success.end.output_dropped = end.output_dropped;
  success.end.permanent = (end.permanent & 1) != 0;
  return message.text(pointers, success.end.message) &&
         message.data(pointers + word_bytes, success.end.result) &&
         message.data(pointers + 2 * word_bytes, success.end.output);
}

bool read_meta(const Message& message, std::size_t at, Event& to) {
  to.idempotency_key = to.stream = {};
  to.correlation = to.causation = Position();
  if (message.load<std::uint64_t>(at + meta_at) == 0) return true;
  StoredMeta stored;
  std::size_t pointers = 0;
  if (!message.find(at + meta_at, stored, pointers)) return false;
  to.correlation = Position(stored.correlation);
  to.causation = Position(stored.causation);
  return message.text(pointers, to.idempotency_key) &&
         message.text(pointers + word_bytes, to.stream);
}

const std::byte* data_of(schema::Event::Reader event) {
  return reinterpret_cast<const std::byte*>(
      capnp::AnyStruct::Reader(event).getDataSection().begin());
}

}  // namespace

// In front of a list of structs stands how many there are and how large each is: a later version
// may have made events longer.
PlainEvents::PlainEvents(capnp::List<schema::Event>::Reader events, Bytes message)
    : message_(message) {
  constexpr std::uint64_t sizes = 1ULL << 32 | 2ULL << 48;
  const std::size_t count = events.size();
  if (count == 0) return;
  const auto first = static_cast<std::size_t>(data_of(events[0]) - message.data());
  if (first < word_bytes || first + count * sizeof(StoredEvent) > message.size()) return;
  const auto tag = Message(message).load<std::uint64_t>(first - word_bytes);
  if (tag != (sizes | std::uint64_t{count} << 2)) return;
  first_ = first;
  count_ = static_cast<std::uint32_t>(count);
}

bool PlainEvents::read(std::uint32_t index, Time frame_time, FrameNames names, Event& to) const {
  if (index >= count_) return false;
  const Message message(message_);
  const std::size_t at = first_ + std::size_t{index} * sizeof(StoredEvent);
  const auto stored = message.load<StoredEvent>(at);
  to.at = frame_time + Duration(stored.after);
  if (!read_meta(message, at, to)) return false;
  switch (stored.type) {
    case std::uint16_t(Body::CUSTOM): return read_custom(message, at, stored.name, names, to.body);
    case std::uint16_t(Body::TASK_ENQUEUED): return read_enqueued(message, at, names, to.body);
    case std::uint16_t(Body::TASK_STARTED): return read_started(message, at, names, to.body);
    case std::uint16_t(Body::TASK_SUCCEEDED): return read_success(message, at, to.body);
    default: return false;
  }
}

}  // namespace almanac::codec
