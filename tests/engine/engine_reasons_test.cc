// What a running engine puts on record of why tasks wait.
#include <almanac/projections/wait_reason.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/gate.h>

#include <atomic>

namespace almanac::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class EngineReasons : public EngineTest {
 protected:
  void open_counting() {
    open_on_manual_clock({.on_events = [this](const State&, std::span<const RecordedEvent> events) {
      for (const RecordedEvent& recorded : events) {
        recorded_ += std::holds_alternative<LaneBlocked>(recorded.event.body) ? 1 : 0;
      }
    }});
  }
  Wait reason(TaskId id) const { return wait_reason(*engine->state(), id, clock.now())->wait; }

  std::atomic<int> recorded_ = 0;
};

TEST_F(EngineReasons, AreOnRecordOfWhatWaitsForASecond) {
  open_counting();
  const TaskId id = submit({.kind = "strange"});
  advance(milliseconds(999));
  EXPECT_EQ(recorded_, 0);
  advance(milliseconds(1));
  EXPECT_EQ(recorded_, 1);
  EXPECT_EQ(reason(id), Wait::handler);
  advance(std::chrono::hours(1));
  EXPECT_EQ(recorded_, 1) << "nothing has changed";
}

TEST_F(EngineReasons, AreOnRecordAtMostOnceASecondHoweverALaneFlaps) {
  Gate gate;
  open_counting();
  engine->handle("work", [&](const Attempt& attempt) {
    gate.pass(attempt.stop);
    return almanac::Outcome::success();
  });
  const auto set = [&](std::uint64_t units) {
    ASSERT_TRUE(engine->configure_limit("memory", {.units = units}).has_value());
  };
  set(2);
  submit({.kind = "work", .demands = {{"memory", 2}}});
  gate.wait_for_arrivals(1);
  const TaskId waits = submit({.kind = "work", .demands = {{"memory", 2}}});
  for (int step = 0; step < 50; ++step) {
    set(step % 2 == 0 ? 1 : 2);
    EXPECT_EQ(reason(waits), step % 2 == 0 ? Wait::too_large : Wait::limit);
    advance(milliseconds(100));
  }
  EXPECT_GE(recorded_, 1);
  EXPECT_LE(recorded_, 5);
  gate.open();
  close();
}

TEST_F(EngineReasons, NameTheWorkersThatAreBusyWithOthersOfTheKind) {
  open_counting();
  const auto lease = [&](std::string kind) {
    return engine->lease({.worker = "render-1", .kinds = {std::move(kind)}})->front().lease;
  };
  submit({.kind = "strange", .queue = "other"});
  submit({.kind = "strange"});
  submit({.kind = "neighbour"});
  const HeldLease elsewhere = lease("strange");
  const HeldLease held = lease("strange");
  const HeldLease neighbour = lease("neighbour");
  const TaskId waits = submit({.kind = "strange"});
  advance(seconds(1));
  const WaitReason busy = *wait_reason(*engine->state(), waits, clock.now());
  EXPECT_EQ(busy.wait, Wait::worker);
  EXPECT_EQ(busy.used, 1U) << "in its queue, of its kind";
  for (const HeldLease& each : {elsewhere, held, neighbour}) {
    ASSERT_TRUE(engine->finish(each, almanac::Outcome::success()).has_value());
  }
  EXPECT_EQ(reason(waits), Wait::handler);
  close();
}

}  // namespace
}  // namespace almanac::test
