// Pools that are on record with an engine.
#include <almanac/engine/limits.h>
#include <almanac/engine/pool.h>
#include <almanac/tests/support/desk.h>
#include <almanac/tests/support/engine_fixture.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using Kind = PoolEvent::Kind;

TEST(PoolEvents, BecomeEventsOfTheLog) {
  Desk desk;
  const auto tell = [&](PoolEvent event) -> const Event* {
    EXPECT_TRUE(desk.ask(ReportPoolEvent{"reasoners", std::move(event)}));
    return desk.last().empty() ? nullptr : &desk.last().front();
  };
  EXPECT_EQ(tell({.kind = Kind::retired, .instance = 1}), nullptr) << "nothing is known of it";
  EXPECT_EQ(std::get<InstanceCreated>(tell({.kind = Kind::created, .instance = 1})->body).instance,
            1U);
  const Event* retired = tell({.kind = Kind::retired,
                               .instance = 1,
                               .reason = PoolRetirement::error,
                               .message = std::string(limits::message_bytes_max + 1, 'x')});
  EXPECT_EQ(std::get<InstanceRetired>(retired->body).reason, PoolRetirement::error);
  EXPECT_EQ(std::get<InstanceRetired>(retired->body).message.size(), limits::message_bytes_max);
  EXPECT_TRUE(std::holds_alternative<InstanceFailed>(tell({.kind = Kind::creation_failed})->body));
  EXPECT_TRUE(std::holds_alternative<PoolExhausted>(tell({.kind = Kind::exhausted})->body));
  EXPECT_EQ(desk.state().ignored, 0U);
}

struct EnginePools : EngineTest {
  [[nodiscard]] static PoolRecord record_in(const State& state) {
    const auto id = state.names.find("reasoners");
    const PoolRecord* record = id ? state.pools.all.find(*id) : nullptr;
    return record == nullptr ? PoolRecord() : *record;
  }
};

TEST_F(EnginePools, AreOnRecordAndTellTheirOwnObserverToo) {
  open();
  std::atomic<int> told = 0;
  auto options = engine->on_record(
      {.name = "reasoners", .size = 2, .backoff = 1ms, .on_event = [&](const PoolEvent&) {
         ++told;
       }});
  ASSERT_TRUE(options);
  {
    auto pool =
        Pool<int>::open(std::move(*options), {.create = [] { return std::make_unique<int>(1); }});
    ASSERT_TRUE(pool);
    ASSERT_TRUE(pool->warm_up(30s));
    pool->check_out()->discard("enough of it");
    ASSERT_TRUE(pool->warm_up(30s));
  }
  ASSERT_TRUE(engine->wait(
      [](const State& state) { return record_in(state).retired_for(PoolRetirement::closed) == 2; },
      30s));
  const PoolRecord record = record_in(*engine->state());
  EXPECT_EQ(record.created, 3U);
  EXPECT_EQ(record.retired_for(PoolRetirement::discarded), 1U);
  EXPECT_EQ(record.retired_for(PoolRetirement::closed), 2U);
  EXPECT_EQ(told, 6);
  close();
  open();
  EXPECT_EQ(record_in(*engine->state()), record) << "after a restart";
}

TEST_F(EnginePools, AreOnRecordWithAllThatWasToldBeforeAStop) {
  open();
  const auto options = engine->on_record({.name = "reasoners"});
  ASSERT_TRUE(options);
  for (std::uint64_t instance = 1; instance <= 50; ++instance) {
    options->on_event({.kind = PoolEvent::Kind::created, .instance = instance});
  }
  close();
  open();
  EXPECT_EQ(record_in(*engine->state()).created, 50U);
}

TEST_F(EnginePools, GoOnWhenTheEngineHasStopped) {
  open();
  auto options = engine->on_record({.name = "reasoners", .size = 1});
  ASSERT_TRUE(options);
  auto pool =
      Pool<int>::open(std::move(*options), {.create = [] { return std::make_unique<int>(1); }});
  ASSERT_TRUE(pool->warm_up(30s));
  engine->stop_at_once();
  ASSERT_EQ(engine->resume(PauseScope::queue, "any").error().code, ErrorCode::stopped);
  pool->check_out()->discard("enough of it");
  EXPECT_TRUE(pool->warm_up(30s));
}

TEST_F(EnginePools, HaveNamesThatCanBeKept) {
  open();
  EXPECT_EQ(engine->on_record({.name = ""}).error().code, ErrorCode::invalid);
}

}  // namespace
}  // namespace almanac::test
