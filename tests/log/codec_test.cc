#include <almanac/log/codec.h>
#include <almanac/log/hash.h>
#include <almanac/log/limits.h>
#include <almanac/tests/support/any_event.h>
#include <almanac/tests/support/event_text.h>
#include <almanac/tests/support/noon.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace almanac::test {
namespace {

// What a frame costs beyond its events and names: prefix, header, list tags.
constexpr std::size_t frame_overhead_bytes = 256;

FrameHeader header_at(Position first) {
  FrameHeader header{.first = first, .time = noon};
  header.timeline.fill(std::byte{0x11});
  header.previous.fill(std::byte{0x22});
  return header;
}

// A copy of its own, 8-byte aligned as the store gives it.
class StoredFrame {
 public:
  explicit StoredFrame(Bytes value) : words_(value.size() / 8) {
    std::memcpy(words_.data(), value.data(), value.size());
  }
  [[nodiscard]] Bytes value() const { return std::as_bytes(std::span(words_)); }

 private:
  std::vector<std::uint64_t> words_;
};

StoredFrame encode_batches(const std::vector<const EventBatch*>& batches,
                           const FrameHeader& header = header_at(Position(1))) {
  FrameEncoder encoder;
  return StoredFrame(encoder.encode(header, batches).value);
}

StoredFrame encode(const std::vector<Event>& events,
                   const FrameHeader& header = header_at(Position(1))) {
  EventBatch batch{.events = events, .memory = {}};
  return encode_batches({&batch}, header);
}

std::vector<std::string> texts_in(Bytes frame) {
  std::vector<std::string> texts;
  auto reader = FrameReader::open(frame, FrameTrust::unverified);
  if (!reader) return {reader.error().message};
  for (std::uint32_t i = 0; i < reader->header().count; ++i) {
    auto event = reader->event(i);
    if (!event) return {event.error().message};
    texts.push_back(event_text(RecordedEvent{Position(reader->header().first.value + i), *event}));
  }
  return texts;
}

std::vector<Event> many_events(std::size_t count) {
  std::vector<Event> events = one_of_each(noon);
  while (events.size() < count) {
    auto number = events.size();
    events.push_back({.at = noon + Duration(number), .body = TaskReadied{TaskId(number)}});
  }
  events.resize(count);
  return events;
}

static_assert(std::variant_size_v<EventBody> == 97, "a new event type belongs into one_of_each()");

// Whoever looks for frames among other bytes goes by this alone.
TEST(StoredPrefix, SaysWhatAFrameIsAndWhereItEnds) {
  auto first = header_at(Position(7));
  first.time = Time();
  const auto frame = encode(numbered_events(1, 3), first);
  const Bytes value = frame.value();
  EXPECT_EQ(as_text(value).substr(stored_magic_offset, stored_frame_magic.size()),
            stored_frame_magic);
  EXPECT_EQ(stored_frame_bytes(value.first(stored_prefix_bytes)), value.size());
  auto reader = FrameReader::open(value, FrameTrust::unverified);
  ASSERT_TRUE(reader);
  EXPECT_EQ(stored_frame_digest(value.first(stored_prefix_bytes)), reader->digest());
  EXPECT_EQ(stored_frame_digest(value.first(stored_prefix_bytes - 1)), Digest{});
  auto positions = stored_frame_positions(value.first(256));
  ASSERT_TRUE(positions);
  EXPECT_EQ(positions->first, first.first);
  EXPECT_EQ(positions->count, 3U);
}

TEST(Codec, KeepsEveryFieldOfEveryType) {
  const auto events = one_of_each(noon);
  ASSERT_EQ(events.size(), std::variant_size_v<EventBody>);
  const auto frame = encode(events);
  EXPECT_EQ(texts_in(frame.value()), texts_of(events));
}

TEST(Codec, KeepsAtWhichWorkerAnAttemptBegan) {
  const std::vector<Event> events = {{.at = noon,
                                      .body = TaskStarted{.id = TaskId(42),
                                                          .attempt = 3,
                                                          .deadline = noon,
                                                          .worker = "render-1",
                                                          .lease_time = std::chrono::seconds(30)}}};
  const auto frame = encode(events);
  const auto reader = FrameReader::open(frame.value(), FrameTrust::unverified);
  ASSERT_TRUE(reader);
  const auto read = reader->event(0);
  ASSERT_TRUE(read);
  EXPECT_EQ(event_text({Position(1), *read}), event_text({Position(1), events.front()}));
  EXPECT_EQ(std::get<TaskStarted>(read->body).worker, "render-1");
}

// One of every type, no field set.
template <std::size_t... indexes>
std::vector<EventBody> plain_of_each(std::index_sequence<indexes...>) {
  return {EventBody(std::in_place_index<indexes>)...};
}

TEST(Codec, KeepsEventsWithoutAnyFieldSet) {
  std::vector<Event> events;
  for (const EventBody& body :
       plain_of_each(std::make_index_sequence<std::variant_size_v<EventBody>>())) {
    events.push_back({.at = noon, .body = body});
  }
  const auto frame = encode(events);
  EXPECT_EQ(texts_in(frame.value()), texts_of(events));
}

RC_GTEST_PROP(Codec, KeepsAnyEvents, ()) {
  const auto first = any_batch(10, noon);
  const auto second = any_batch(10, first->events.back().at);
  const auto frame = encode_batches({first.get(), second.get()});
  std::vector<Event> events = first->events;
  events.insert(events.end(), second->events.begin(), second->events.end());
  RC_ASSERT(texts_in(frame.value()) == texts_of(events));
}

RC_GTEST_PROP(Codec, NeverTakesMoreSpaceThanCheckBatchSays, ()) {
  const auto batch = any_batch(5, noon);
  const auto cost = check_batch(*batch);
  RC_ASSERT(cost);
  RC_ASSERT(encode_batches({batch.get()}).value().size() <= cost->bytes + frame_overhead_bytes);
}

TEST(Codec, NeverTakesMoreSpaceThanCheckBatchSaysForManyShortNames) {
  std::vector<std::string> texts;
  for (std::size_t i = 1; i < limits::frame_names_max; ++i) texts.push_back(std::to_string(i));
  const std::vector<std::string_view> names(texts.begin(), texts.end());
  EventBatch batch{.events = {{.at = noon,
                               .body = TaskEnqueued{.kind = names[0],
                                                    .queue = names[0],
                                                    .tags = NameListView(names)}}},
                   .memory = {}};
  const auto cost = check_batch(batch);
  ASSERT_TRUE(cost);
  const auto frame = encode_batches({&batch});
  EXPECT_LE(frame.value().size(), cost->bytes + frame_overhead_bytes);
  EXPECT_EQ(texts_in(frame.value()), texts_of(batch.events));
}

TEST(Codec, KeepsFramesOfOneToThousandsOfEvents) {
  for (std::size_t count : {1, 2, 3, 63, 64, 65, 1'000, 5'000}) {
    const auto events = many_events(count);
    const auto frame = encode(events, header_at(Position(1'000'000)));
    EXPECT_EQ(texts_in(frame.value()), texts_of(events, Position(1'000'000))) << count;
  }
}

TEST(Codec, KeepsTheEventsOfSeveralBatchesInOrder) {
  const auto events = many_events(30);
  EventBatch first{.events = {events.begin(), events.begin() + 1}, .memory = {}};
  EventBatch second{.events = {events.begin() + 1, events.begin() + 20}, .memory = {}};
  EventBatch third{.events = {events.begin() + 20, events.end()}, .memory = {}};
  const auto frame = encode_batches({&first, &second, &third});
  EXPECT_EQ(texts_in(frame.value()), texts_of(events));
  EXPECT_TRUE(std::ranges::equal(frame.value(), encode(events).value()));
}

TEST(Codec, KeepsTheHeader) {
  FrameHeader written = header_at(Position(UINT32_MAX * std::uint64_t{7}));
  const auto frame = encode(many_events(20), written);
  auto reader = FrameReader::open(frame.value(), FrameTrust::unverified);
  ASSERT_TRUE(reader);
  const FrameHeader& header = reader->header();
  EXPECT_EQ(header.timeline, written.timeline);
  EXPECT_EQ(header.previous, written.previous);
  EXPECT_EQ(header.first, written.first);
  EXPECT_EQ(header.count, 20U);
  EXPECT_EQ(header.last(), Position(written.first.value + 19));
  EXPECT_EQ(header.time, noon);
  EXPECT_EQ(reader->size_bytes(), frame.value().size());
  EXPECT_TRUE(reader->digest_matches());
}

TEST(Codec, KeepsTimesUpToTheSpanOfAFrame) {
  const std::vector<Event> events = {{.at = noon}, {.at = noon + limits::frame_span_max}};
  EXPECT_EQ(texts_in(encode(events).value()), texts_of(events));
}

TEST(Codec, GivesTheDigestThatTheReaderFinds) {
  FrameEncoder encoder;
  EventBatch batch{.events = many_events(3), .memory = {}};
  std::vector<const EventBatch*> batches = {&batch};
  auto encoded = encoder.encode(header_at(Position(1)), batches);
  auto reader = FrameReader::open(encoded.value, FrameTrust::unverified);
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->digest(), encoded.digest);
}

TEST(Codec, GivesDifferentDigestsToFramesThatDifferInOneField) {
  std::set<Digest> digests;
  auto add = [&](const FrameHeader& header, const std::vector<Event>& events) {
    FrameEncoder encoder;
    EventBatch batch{.events = events, .memory = {}};
    std::vector<const EventBatch*> batches = {&batch};
    digests.insert(encoder.encode(header, batches).digest);
  };
  FrameHeader header = header_at(Position(1));
  add(header, many_events(2));
  add(header, many_events(3));
  add(header_at(Position(2)), many_events(2));
  header.previous[31] ^= std::byte{1};
  add(header, many_events(2));
  header.timeline[0] ^= std::byte{1};
  add(header, many_events(2));
  EXPECT_EQ(digests.size(), 5U);
}

TEST(Codec, GrowsForALargeFrameAndLeavesNoTraceOfItInSmallOnes) {
  FrameEncoder encoder;
  const std::string large(3 * limits::mebibyte, '\xff');
  EventBatch large_batch{.events = {{.at = noon, .body = CustomEvent{"large", as_bytes(large)}},
                                    {.at = noon, .body = CustomEvent{"large", as_bytes(large)}}},
                         .memory = {}};
  EventBatch small_batch{.events = many_events(20), .memory = {}};
  const std::vector<const EventBatch*> large_frame = {&large_batch};
  const std::vector<const EventBatch*> small_frame = {&small_batch};
  for (int round = 0; round < 2; ++round) {
    auto grown = encoder.encode(header_at(Position(1)), large_frame);
    EXPECT_EQ(texts_in(grown.value), texts_of(large_batch.events));
    auto small = encoder.encode(header_at(Position(1)), small_frame);
    EXPECT_TRUE(std::ranges::equal(small.value, encode(small_batch.events).value()));
  }
}

TEST(Codec, IsTheSameWhateverIsSaidOfItsSize) {
  const EventBatch batch{.events = many_events(20'000), .memory = {}};
  const EventBatch* batches = &batch;
  const std::size_t enough = check_batch(batch)->bytes;
  const auto expected =
      StoredFrame(FrameEncoder().encode_draft(header_at(Position(1)), {&batches, 1}));
  FrameEncoder encoder;
  for (const std::size_t at_most : {std::size_t{1}, enough, enough, std::size_t{0}, 3 * enough}) {
    const Bytes value = encoder.encode_draft(header_at(Position(1)), {&batches, 1}, at_most);
    EXPECT_TRUE(std::ranges::equal(value, expected.value())) << at_most;
  }
}

TEST(Codec, KeepsTheLargestBatchInOneFrame) {
  const std::string half(limits::batch_bytes_max / 2, 'x');
  const std::vector<Event> events = {{.at = noon, .body = CustomEvent{"", as_bytes(half)}},
                                     {.at = noon, .body = CustomEvent{"", as_bytes(half)}}};
  const auto frame = encode(events);
  EXPECT_LE(frame.value().size(), limits::frame_bytes_max);
  EXPECT_EQ(texts_in(frame.value()), texts_of(events));
}

TEST(Codec, StoresAnEventIn24BytesBesideItsBody) {
  auto bytes_per_event = [](const EventBody& body) {
    const std::vector<Event> few(100, {.at = noon, .body = body});
    const std::vector<Event> more(200, {.at = noon, .body = body});
    return (encode(more).value().size() - encode(few).value().size()) / 100;
  };
  EXPECT_EQ(bytes_per_event(EngineStopped{}), 24U);
  EXPECT_EQ(bytes_per_event(TaskReadied{TaskId(1)}), 24U + 8);
  EXPECT_EQ(bytes_per_event(TaskStarted{TaskId(1), 1, noon}), 24U + 24);
  EXPECT_EQ(bytes_per_event(TaskStarted{.id = TaskId(1), .worker = "w"}), 24U + 32);
  EXPECT_EQ(bytes_per_event(TaskStarted{.id = TaskId(1), .gpu = "g"}), 24U + 40);
  EXPECT_EQ(bytes_per_event(TaskSucceeded{TaskId(1), Lease(1), {}}), 24U + 24);
  EXPECT_EQ(bytes_per_event(QueueConfigured{"slow", 1}), 24U + 24);
  EXPECT_EQ(bytes_per_event(TasksReranked{.through = noon}), 24U + 16);
}

TEST(Codec, StoresANameOnce) {
  const std::string name(100, 'n');
  const std::vector<std::string_view> tags(10, name);
  auto size = [&](std::size_t count) {
    return encode(std::vector<Event>(count, {.at = noon,
                                             .body = TaskEnqueued{.kind = name,
                                                                  .queue = name,
                                                                  .tags = NameListView(tags)}}))
        .value()
        .size();
  };
  EXPECT_LT(size(2) - size(1), name.size() * 2);
  EXPECT_LT(size(1'000), 1'000 * 200U);
}

TEST(Codec, ReadsALargeEventFromOneReaderAgainAndAgain) {
  const std::string large(limits::mebibyte, 'x');
  const auto frame = encode({{.at = noon, .body = CustomEvent{"", as_bytes(large)}}});
  auto reader = FrameReader::open(frame.value(), FrameTrust::unverified);
  ASSERT_TRUE(reader);
  for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(reader->event(0)) << i;
}

TEST(Codec, LeavesNothingOfTheEventBeforeInOneThatIsUsedAgain) {
  const std::vector<EventBody> bare = {CustomEvent{}, TaskEnqueued{}, TaskStarted{},
                                       TaskSucceeded{}, TaskReadied{}};
  std::vector<Event> events;
  for (const EventBody& body : bare) {
    for (Event& full : one_of_each(noon)) {
      full.idempotency_key = full.stream = "k";
      full.correlation = full.causation = Position(1);
      events.push_back(full);
      events.push_back({.at = full.at, .body = body});
    }
  }
  const auto stored = encode(events);
  auto reader = FrameReader::open(stored.value(), FrameTrust::unverified);
  ASSERT_TRUE(reader);
  Event again;
  for (std::uint32_t i = 0; i < reader->header().count; ++i) {
    ASSERT_TRUE(reader->read(i, again));
    EXPECT_EQ(event_text({Position(1), again}), event_text({Position(1), events[i]}));
  }
}

TEST(Codec, ReadsEventsInPlace) {
  const std::string data = "these bytes are not copied";
  const auto frame = encode({{.at = noon, .body = CustomEvent{"t", as_bytes(data)}}});
  auto reader = FrameReader::open(frame.value(), FrameTrust::unverified);
  ASSERT_TRUE(reader);
  auto event = reader->event(0);
  ASSERT_TRUE(event);
  const std::byte* at = std::get<CustomEvent>(event->body).data.data();
  EXPECT_GE(at, frame.value().data());
  EXPECT_LT(at, frame.value().data() + frame.value().size());
}

TEST(Codec, ReadsAFrameThatLiesMisaligned) {
  const auto events = one_of_each(noon);
  const auto frame = encode(events);
  for (std::size_t shift = 1; shift < 8; ++shift) {
    std::vector<std::uint64_t> words(frame.value().size() / 8 + 1);
    auto shifted = std::as_writable_bytes(std::span(words)).subspan(shift, frame.value().size());
    std::ranges::copy(frame.value(), shifted.begin());
    EXPECT_EQ(texts_in(shifted), texts_of(events)) << shift;
  }
}

TEST(Codec, KeepsAReaderUsableWhenItMoves) {
  const auto events = one_of_each(noon);
  const auto frame = encode(events);
  auto reader = FrameReader::open(frame.value(), FrameTrust::unverified);
  ASSERT_TRUE(reader);
  FrameReader moved = std::move(*reader);
  auto event = moved.event(12);
  ASSERT_TRUE(event);
  EXPECT_EQ(event_text(*event), event_text(events[12]));
}

TEST(Codec, MakesTheSameFrameAgainOfAStrippedOne) {
  FrameHeader header = header_at(Position(1));
  header.time = numbered_event(1).at;
  const StoredFrame whole = encode(numbered_events(1, 3), header);
  const Bytes from = whole.value();
  std::vector<std::byte> frame(from.begin(), from.end());
  ASSERT_TRUE(strip_frame(frame));
  EXPECT_EQ(std::ranges::search(frame, header.previous).size(), 0U);
  EXPECT_EQ(stored_frame_digest(frame), Digest{});
  const auto stripped = frame;

  auto digest = complete_frame(frame, header.previous);
  ASSERT_TRUE(digest);
  EXPECT_EQ(*digest, stored_frame_digest(from));
  EXPECT_TRUE(std::ranges::equal(frame, from));

  frame = stripped;
  EXPECT_NE(*complete_frame(frame, Digest{}), stored_frame_digest(from));
  // A digest that stands there is not believed.
  frame = stripped;
  frame.back() ^= std::byte{1};
  frame[24] = std::byte{1};
  EXPECT_EQ(*complete_frame(frame, Digest{}), blake2b(Bytes(frame).subspan(stored_prefix_bytes)));
}

TEST(Codec, StripsNothingThatIsNoFrame) {
  std::vector<std::byte> nothing(64);
  EXPECT_FALSE(strip_frame(nothing));
  EXPECT_FALSE(complete_frame(nothing, Digest{}));
}

}  // namespace
}  // namespace almanac::test
