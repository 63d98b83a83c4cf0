// What trimming a log does to its index: where the events of streams are goes with them, versions
// and idempotency keys stay.
#include <almanac/log/folder.h>
#include <almanac/log/index.h>
#include <almanac/log/log.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t seed = 11;
constexpr std::uint64_t batches = 400;
constexpr std::uint64_t batch_events = 10;
constexpr std::uint64_t stream_end = batches * batch_events;
constexpr std::size_t streams = 60;
// Of which these begin later than others, and none of them is used to the end.
constexpr std::uint64_t stream_life = stream_end / 4;

using Positions = std::vector<std::uint64_t>;

class TrimmedStreams : public testing::Test {
 protected:
  void SetUp() override {
    std::mt19937_64 random(seed);
    const std::string data(4 * limits::kibibyte, 'x');
    TestLog log(path(), {});
    for (std::uint64_t batch = 0; batch < batches; ++batch) {
      std::vector<Event> events;
      std::vector<std::string> names;
      names.reserve(2 * batch_events);
      for (std::uint64_t i = 0; i < batch_events; ++i) {
        const auto position = batch * batch_events + i + 1;
        Event event = numbered_event(position);
        if (random() % 4 != 0) event.stream = names.emplace_back(draw_stream(random, position));
        if (random() % 4 == 0) event.idempotency_key = names.emplace_back(key_of(position));
        if (i == 0) event.body = CustomEvent{"", as_bytes(data)};
        if (!event.stream.empty()) model_[std::string(event.stream)].push_back(position);
        keys_ += event.idempotency_key.empty() ? 0 : 1;
        events.push_back(event);
      }
      ASSERT_TRUE(log.append(std::move(events)));
    }
  }
  [[nodiscard]] fs::path path() const { return folder_ / "log"; }
  [[nodiscard]] static std::string key_of(std::uint64_t position) {
    return "key " + std::to_string(position);
  }
  // Streams come and go; one is there all the time.
  static std::string draw_stream(std::mt19937_64& random, std::uint64_t position) {
    const auto number = random() % streams;
    const auto begins = number * stream_end / streams;
    const bool lives = position >= begins && position < begins + stream_life;
    return lives ? "stream " + std::to_string(number) : "always";
  }

  // Of every stream, from versions around those that are left.
  void expect_streams(const Log& log, std::uint64_t first) const {
    for (const auto& [name, positions] : model_) {
      const auto gone = std::ranges::lower_bound(positions, first) - positions.begin();
      for (std::int64_t from : {std::int64_t{1}, gone, gone + 1, gone + 2, std::ssize(positions),
                                std::ssize(positions) + 1}) {
        Positions expected(
            positions.begin() + std::min(std::max(gone, std::max<std::int64_t>(from, 1) - 1),
                                         std::ssize(positions)),
            positions.end());
        Positions found;
        auto read = log.read_stream(name, static_cast<std::uint64_t>(from),
                                    [&](const RecordedEvent& one) -> Result<bool> {
                                      found.push_back(one.position.value);
                                      return true;
                                    });
        ASSERT_TRUE(read) << read.error().message;
        ASSERT_EQ(found, expected) << name << " from " << from << ", log from " << first;
      }
    }
  }
  void expect_index(std::uint64_t first) const {
    auto store = *Store::open(path() / store_folder, {.map_bytes = limits::map_bytes_default});
    std::size_t left = 0;
    for (const auto& [name, positions] : model_) {
      left +=
          static_cast<std::size_t>(positions.end() - std::ranges::lower_bound(positions, first));
    }
    const auto events = *store->find_from(IndexTable::stream_events, {}, stream_end);
    EXPECT_EQ(events.size(), left);
    EXPECT_TRUE(
        std::ranges::all_of(events, [&](const IndexRecord& one) { return one.value[0] >= first; }));
    EXPECT_EQ(store->find_from(IndexTable::streams, {}, stream_end)->size(), model_.size());
    EXPECT_EQ(store->find_from(IndexTable::keys, {}, stream_end)->size(), keys_);
  }

  TempFolder folder_;
  std::map<std::string, Positions> model_;
  std::size_t keys_ = 0;
};

TEST_F(TrimmedStreams, AreReadAsFarAsTheirEventsAreLeft) {
  std::uint64_t first = 1;
  for (std::uint64_t before : {stream_end / 3, stream_end / 2, stream_end}) {
    {
      TestLog log(path(), {});
      ASSERT_TRUE(log->set_checkpoint(Position(before)));
      auto trimmed = log->trim({.before = Position(before)});
      ASSERT_TRUE(trimmed) << trimmed.error().message;
      ASSERT_GT(trimmed->first.value, first) << "something went";
      first = trimmed->first.value;
      expect_streams(*log, first);
      for (const auto& [name, positions] : model_) EXPECT_EQ(log->version(name), positions.size());
    }
    expect_streams(**Log::open(path(), {.access = Access::read}), first);
    expect_index(first);
  }
}

TEST_F(TrimmedStreams, GoOnWithTheirVersionsWhenNoneOfTheirEventsIsLeft) {
  TestLog log(path(), {});
  ASSERT_TRUE(log->set_checkpoint(Position(stream_end)));
  const auto first = log->trim({.before = Position(stream_end)})->first.value;
  const std::string name = "stream 0";
  ASSERT_LT(model_[name].back(), first);
  const auto version = model_[name].size();
  Event event = numbered_event(stream_end + 1);
  event.stream = name;
  const ExpectedVersion expected{name, version};
  ASSERT_TRUE(log->append_and_wait(event, {.expected = std::span(&expected, 1)}));
  model_[name].push_back(stream_end + 1);
  expect_streams(*log, first);
}

// As a log is left by who died between removing events and what the index says of them.
TEST_F(TrimmedStreams, AreForgottenByTheNextTrimWhereTheLastOneWasCutShort) {
  std::uint64_t first = 0;
  {
    auto store = *Store::open(path() / store_folder, {.map_bytes = limits::map_bytes_default});
    ASSERT_TRUE(store->set_checkpoint(Position(stream_end)));
    ASSERT_TRUE(store->remove(Position(stream_end / 2)));
    first = store->base()->last.value + 1;
  }
  ASSERT_GT(first, 1U);
  {
    TestLog log(path(), {});
    expect_streams(*log, first);
    const auto trimmed = log->trim({.before = Position(stream_end)});
    ASSERT_TRUE(trimmed);
    ASSERT_GT(trimmed->first.value, first);
    first = trimmed->first.value;
  }
  expect_index(first);
}

}  // namespace
}  // namespace almanac::test
