// Frames whose bytes are not the ones that were written: an error, never a crash, never wrong
// events that pass for right ones.
#include <almanac/log/codec.h>
#include <almanac/log/hash.h>
#include <almanac/tests/support/any_event.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/event_text.h>
#include <almanac/tests/support/noon.h>

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

// Where things lie; log/README.md says so too.
constexpr std::size_t magic_at = 8;
constexpr std::size_t format_at = 12;
constexpr std::size_t message_bytes_at = 16;
constexpr std::size_t digest_at = 24;
constexpr std::size_t message_at = 56;

// A frame a test may write to, 8-byte aligned.
class Frame {
 public:
  explicit Frame(const std::vector<Event>& events) {
    EventBatch batch{.events = events, .memory = {}};
    std::vector<const EventBatch*> batches = {&batch};
    FrameEncoder encoder;
    auto value = encoder.encode({.first = Position(10), .time = noon}, batches).value;
    words_.resize(value.size() / sizeof(std::uint64_t));
    std::memcpy(words_.data(), value.data(), value.size());
  }
  [[nodiscard]] std::span<std::byte> bytes() { return std::as_writable_bytes(std::span(words_)); }
  [[nodiscard]] std::size_t size() const { return words_.size() * sizeof(std::uint64_t); }

  template <class Number>
  void put(std::size_t offset, Number number) {
    std::memcpy(bytes().data() + offset, &number, sizeof(number));
  }
  template <class Number>
  [[nodiscard]] Number get(std::size_t offset) {
    Number number;
    std::memcpy(&number, bytes().data() + offset, sizeof(number));
    return number;
  }
  void flip(std::size_t bit) { bytes()[bit / 8] ^= std::byte(1U << (bit % 8)); }
  // Makes digest and checksum right again, as if the content had been written so.
  void seal() {
    put(digest_at, blake2b(bytes().subspan(message_at)));
    put(0, xxh3(bytes().subspan(sizeof(std::uint64_t))));
  }
  // Where `wanted` first lies in the message.
  template <class Number>
  [[nodiscard]] std::size_t find(Number wanted) {
    for (std::size_t at = message_at; at + sizeof(wanted) <= size(); at += sizeof(wanted)) {
      if (get<Number>(at) == wanted) return at;
    }
    return 0;
  }

 private:
  std::vector<std::uint64_t> words_;
};

// Reads everything there is to read and says how it ended: "ok" or the code of the first error.
std::string outcome(Bytes value, FrameTrust trust = FrameTrust::unverified) {
  auto reader = FrameReader::open(value, trust);
  if (!reader) return std::string(code_of(reader));
  for (std::uint32_t i = 0; i < reader->header().count; ++i) {
    auto event = reader->event(i);
    if (!event) return std::string(code_of(event));
    (void)event_text(*event);
  }
  return "ok";
}

std::vector<Event> small_events() {
  return {{.at = noon, .idempotency_key = "k", .body = QueueConfigured{"slow", 2}},
          {.at = noon + Duration(5), .body = CustomEvent{"t", as_bytes("data")}}};
}

TEST(CodecDamage, EveryFlippedBitIsSeen) {
  Frame frame(small_events());
  ASSERT_EQ(outcome(frame.bytes()), "ok");
  for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
    frame.flip(bit);
    bool in_format = bit / 8 == format_at || bit / 8 == format_at + 1;
    EXPECT_EQ(outcome(frame.bytes()), in_format ? "newer_format" : "corrupt") << "bit " << bit;
    frame.flip(bit);
  }
}

TEST(CodecDamage, EveryByteThatBecomesZeroOrFullIsSeen) {
  Frame frame(small_events());
  for (std::size_t at = 0; at < frame.size(); ++at) {
    auto right = frame.get<std::uint8_t>(at);
    for (auto wrong : {std::uint8_t{0}, std::uint8_t{0xff}}) {
      if (wrong == right) continue;
      frame.put(at, wrong);
      EXPECT_NE(outcome(frame.bytes()), "ok") << "byte " << at;
    }
    frame.put(at, right);
  }
}

TEST(CodecDamage, EveryTruncationIsSeen) {
  Frame frame(one_of_each(noon));
  for (auto trust : {FrameTrust::unverified, FrameTrust::verified}) {
    for (std::size_t size = 0; size < frame.size(); ++size) {
      EXPECT_EQ(outcome(frame.bytes().first(size), trust), "corrupt") << size;
    }
  }
}

TEST(CodecDamage, BytesBehindTheFrameAreSeen) {
  Frame frame(small_events());
  for (std::size_t more : {1, 8, 4096}) {
    std::vector<std::uint64_t> longer(frame.size() / 8 + more);
    std::memcpy(longer.data(), frame.bytes().data(), frame.size());
    EXPECT_EQ(outcome(std::as_bytes(std::span(longer)).first(frame.size() + more)), "corrupt");
  }
}

TEST(CodecDamage, NoFlippedBitCrashesAReaderThatTrustsTheBytes) {
  Frame frame(one_of_each(noon));
  std::size_t seen = 0;
  for (std::size_t bit = message_at * 8; bit < frame.size() * 8; ++bit) {
    frame.flip(bit);
    seen += outcome(frame.bytes(), FrameTrust::verified) != "ok" ? 1 : 0;
    frame.flip(bit);
  }
  EXPECT_GT(seen, 0U);
}

TEST(CodecDamage, NoFlippedBitShowsWhatLiesOutsideOfTheFrame) {
  std::vector<Event> events;
  for (std::string_view data : {"", "a", "12345678", "more than a word"}) {
    events.push_back({.at = noon, .body = CustomEvent{"t", as_bytes(data)}});
  }
  Frame frame(events);
  const std::span<const std::byte> all = frame.bytes();
  for (std::size_t bit = message_at * 8; bit < frame.size() * 8; ++bit) {
    frame.flip(bit);
    auto reader = FrameReader::open(all, FrameTrust::verified);
    for (std::uint32_t i = 0; reader && i < reader->header().count; ++i) {
      auto event = reader->event(i);
      const auto* custom = event ? std::get_if<CustomEvent>(&event->body) : nullptr;
      if (custom == nullptr || custom->data.empty()) continue;
      EXPECT_GE(custom->data.data(), all.data()) << "bit " << bit;
      EXPECT_LE(custom->data.data() + custom->data.size(), all.data() + all.size())
          << "bit " << bit;
    }
    frame.flip(bit);
  }
}

TEST(CodecDamage, NoGarbageCrashesAReaderEvenWithARightChecksum) {
  std::mt19937_64 random(1);
  Frame frame(one_of_each(noon));
  const Frame whole = frame;
  for (int round = 0; round < 3'000; ++round) {
    frame = whole;
    for (auto words = random() % 8 + 1; words > 0; --words) {
      auto at = message_at + random() % ((frame.size() - message_at) / 8) * 8;
      // Small numbers, pointers and anything: what hits the limits of a parser.
      auto any = random();
      frame.put(at, any % 3 == 0 ? random() : any % 3 == 1 ? random() % 64 : ~(random() % 64));
    }
    frame.seal();
    auto ended = outcome(frame.bytes());
    EXPECT_TRUE(ended == "ok" || ended == "corrupt" || ended == "newer_format") << ended;
  }
}

TEST(CodecDamage, RandomBytesAreNoFrame) {
  std::mt19937_64 random(2);
  for (std::size_t words = 0; words < 200; ++words) {
    std::vector<std::uint64_t> bytes(words);
    for (auto& word : bytes) word = random();
    EXPECT_EQ(outcome(std::as_bytes(std::span(bytes))), "corrupt");
  }
}

TEST(CodecDamage, AnotherFormatIsNewerNotCorrupt) {
  Frame frame(small_events());
  ASSERT_EQ(frame.get<std::uint16_t>(format_at), 1);
  frame.put(format_at, std::uint16_t{2});
  frame.seal();
  auto reader = FrameReader::open(frame.bytes(), FrameTrust::unverified);
  ASSERT_FALSE(reader);
  EXPECT_EQ(code_of(reader), "newer_format");
  EXPECT_EQ(reader.error().message, "the frame has format 2, this version reads format 1");
  EXPECT_NE(reader.error().next_step, "");
}

TEST(CodecDamage, AnotherMagicIsNoFrame) {
  Frame frame(small_events());
  frame.put(magic_at, std::uint32_t{0x12345678});
  frame.seal();
  EXPECT_EQ(outcome(frame.bytes()), "corrupt");
}

TEST(CodecDamage, ALengthThatIsNotTheValuesIsSeen) {
  for (std::uint64_t wrong : {std::uint64_t{0}, std::uint64_t{8}, UINT64_MAX}) {
    Frame frame(small_events());
    frame.put(message_bytes_at, wrong);
    frame.seal();
    EXPECT_EQ(outcome(frame.bytes()), "corrupt") << wrong;
    EXPECT_EQ(outcome(frame.bytes(), FrameTrust::verified), "corrupt") << wrong;
  }
}

TEST(CodecDamage, ADigestOfOtherBytesIsFoundWhenAskedFor) {
  Frame frame(small_events());
  frame.put(digest_at, std::uint64_t{0});
  frame.put(0, xxh3(frame.bytes().subspan(sizeof(std::uint64_t))));
  auto reader = FrameReader::open(frame.bytes(), FrameTrust::unverified);
  ASSERT_TRUE(reader) << "the checksum is right";
  EXPECT_FALSE(reader->digest_matches());
}

// An event's first word: microseconds (4 bytes), name (2), type (2).
constexpr std::uint64_t event_word(std::uint32_t after, std::uint64_t type) {
  return after | type << 48;
}

TEST(CodecDamage, AnEventTypeOfANewerVersionIsNewerNotCorrupt) {
  // TaskLeased and TaskStartedOnGpu are read as TaskStarted.
  constexpr std::uint64_t first_unknown = std::variant_size_v<EventBody> + 2;
  constexpr std::uint64_t type_stopped = 12;  // in the union, for ever
  for (std::uint64_t type : {first_unknown, first_unknown + 1, std::uint64_t{UINT16_MAX}}) {
    Frame frame({{.at = noon}, {.at = noon + Duration(77), .body = EngineStopped{}}});
    auto at = frame.find(event_word(77, type_stopped));
    ASSERT_NE(at, 0U);
    frame.put(at, event_word(77, type));
    frame.seal();
    auto reader = FrameReader::open(frame.bytes(), FrameTrust::unverified);
    ASSERT_TRUE(reader);
    EXPECT_TRUE(reader->event(0)) << "the event before it is still read";
    auto event = reader->event(1);
    ASSERT_FALSE(event);
    EXPECT_EQ(code_of(event), "newer_format");
    EXPECT_EQ(event.error().message, "event 11 is of a type this version does not know");
  }
}

TEST(CodecDamage, ANameOutsideTheTableIsCorrupt) {
  Frame frame({{.at = noon + Duration(77), .body = CustomEvent{"only name", {}}}});
  constexpr std::uint64_t right = 77 | std::uint64_t{1} << 32;  // name 1, type custom
  auto at = frame.find(right);
  ASSERT_NE(at, 0U);
  frame.put(at, right + (std::uint64_t{1} << 32));
  frame.seal();
  auto reader = FrameReader::open(frame.bytes(), FrameTrust::unverified);
  ASSERT_TRUE(reader);
  auto event = reader->event(0);
  ASSERT_FALSE(event);
  EXPECT_EQ(code_of(event), "corrupt");
}

// Each number of a name in the words of one event.
void expect_names_in_the_table(const Event& event, std::uint64_t word, std::vector<int> shifts) {
  for (const int shift : shifts) {
    Frame frame({event});
    const auto at = frame.find(word);
    ASSERT_NE(at, 0U);
    EXPECT_EQ(outcome(frame.bytes()), "ok");
    constexpr std::uint64_t name = 0xffff;
    frame.put(at, (word & ~(name << shift)) | 77ULL << shift);
    frame.seal();
    EXPECT_EQ(outcome(frame.bytes()), "corrupt") << shift;
  }
}

TEST(CodecDamage, ANameOfATaskOutsideTheTableIsCorrupt) {
  constexpr std::uint64_t number = 0x1234'5678;
  const std::vector<std::string_view> tags = {"a", "b", "a", "b"};
  const TaskEnqueued task{
      .kind = "kind", .queue = "queue", .priority = number, .tags = NameListView(tags)};
  expect_names_in_the_table({.at = noon, .body = task}, 1 | 2 << 16 | number << 32, {0, 16});
  expect_names_in_the_table({.at = noon, .body = task}, 0x0004'0003'0004'0003, {0, 16, 32, 48});
  const TaskStarted start{.attempt = number, .implementation = "one", .advisor = "who"};
  expect_names_in_the_table({.at = noon, .body = start}, number | 1ULL << 32 | 2ULL << 48,
                            {32, 48});
}

TEST(CodecDamage, ATextWithoutItsEndIsCorrupt) {
  Frame frame({{.at = noon, .body = TaskEnqueued{.kind = "kind", .label = "1234567"}}});
  std::uint64_t text = 0;
  std::memcpy(&text, "1234567", sizeof(text));
  const auto at = frame.find(text);
  ASSERT_NE(at, 0U);
  frame.put(at + 7, '8');
  frame.seal();
  EXPECT_EQ(outcome(frame.bytes()), "corrupt");
}

TEST(CodecDamage, NumbersThatWouldOverflowAreCorrupt) {
  constexpr std::uint64_t first = 10;
  for (std::uint64_t wrong : {std::uint64_t{0}, UINT64_MAX, UINT64_MAX - 1}) {
    Frame frame(small_events());
    auto at = frame.find(first);
    ASSERT_NE(at, 0U);
    frame.put(at, wrong);
    frame.seal();
    EXPECT_EQ(outcome(frame.bytes()), "corrupt") << wrong;
  }
  for (std::int64_t wrong : {INT64_MAX, INT64_MAX - UINT32_MAX + 1, std::int64_t{-1}, INT64_MIN}) {
    Frame frame(small_events());
    auto at = frame.find(noon.time_since_epoch().count());
    ASSERT_NE(at, 0U);
    frame.put(at, wrong);
    frame.seal();
    EXPECT_EQ(outcome(frame.bytes()), "corrupt") << wrong;
  }
}

TEST(CodecDamage, ACountThatIsNotTheListsIsCorrupt) {
  for (std::uint32_t wrong : {0U, 1U, 3U, UINT32_MAX}) {
    Frame frame(small_events());
    // The header's first word: format (2 bytes), 2 unused, count (4).
    auto at = frame.find(std::uint64_t{1} | std::uint64_t{2} << 32);
    ASSERT_NE(at, 0U);
    frame.put(at + 4, wrong);
    frame.seal();
    EXPECT_EQ(outcome(frame.bytes()), "corrupt") << wrong;
  }
}

}  // namespace
}  // namespace almanac::test
