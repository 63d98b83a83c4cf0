// The rules of a pool, by a clock that the test turns.
#include <almanac/engine/limits.h>
#include <almanac/engine/pool_ledger.h>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using JobKind = PoolJob::Kind;

struct PoolLedgerTest : ::testing::Test {
  void open(PoolOptions options) {
    options.on_event = [](const PoolEvent&) {};
    ledger.emplace(options);
  }
  // Does all there is to do, the creations with success; what was served comes behind the others.
  void work() {
    while (true) {
      const PoolJob job = ledger->next_job(now);
      if (job.kind == JobKind::none) return;
      if (job.kind == JobKind::create) note(ledger->created(std::make_shared<int>(0), now));
      if (job.kind == JobKind::probe) note(ledger->probed(*job.slot, probe_answer, now));
      if (job.kind == JobKind::destroy) ledger->destroyed(*job.slot);
    }
  }
  void note(PoolWaiter* waiter) {
    if (waiter != nullptr) served.push_back(waiter);
  }
  PoolSlot& take() {
    PoolSlot* slot = ledger->take(now);
    EXPECT_NE(slot, nullptr);
    return *slot;
  }
  void give_back(PoolSlot& slot, const PoolVerdict& verdict = {}) {
    note(ledger->give_back(slot, verdict, now));
  }
  PoolWaiter& wait() {
    PoolWaiter& waiter = *waiters.emplace_back(std::make_unique<PoolWaiter>());
    waiter.since = now;
    waiter.until = now + 5s;
    ledger->wait(waiter);
    return waiter;
  }
  // How many are begun at once.
  int creations() {
    int count = 0;
    while (ledger->next_job(now).kind == JobKind::create) ++count;
    return count;
  }
  [[nodiscard]] std::uint64_t retired(PoolRetirement reason) const {
    return ledger->figures().retired_for(reason);
  }

  SteadyTime now{1'000'000s};
  Result<void> probe_answer;
  std::optional<PoolLedger> ledger;
  std::vector<std::unique_ptr<PoolWaiter>> waiters;
  std::vector<PoolWaiter*> served;
};

TEST_F(PoolLedgerTest, AFullPoolIsMadeFromTheStartAndALazyOneAsItIsNeeded) {
  open({.size = 3});
  EXPECT_EQ(creations(), 3);
  open({.size = 3, .is_lazy = true});
  EXPECT_EQ(creations(), 0);
  wait();
  EXPECT_EQ(creations(), 1);
  ledger->warm_up();
  EXPECT_EQ(creations(), 2);
}

TEST_F(PoolLedgerTest, WhoWaitsIsServedInTheOrderOfComingAndNobodyOvertakes) {
  open({.size = 1});
  work();
  PoolSlot& slot = take();
  PoolWaiter& first = wait();
  PoolWaiter& second = wait();
  PoolWaiter& third = wait();
  EXPECT_TRUE(ledger->leave(second));
  give_back(slot);
  EXPECT_EQ(ledger->take(now), nullptr);
  give_back(*first.slot);
  EXPECT_EQ(served, (std::vector{&first, &third}));
  EXPECT_FALSE(ledger->leave(third)) << "it has an instance";
  give_back(*third.slot);
  EXPECT_NE(ledger->take(now), nullptr);
}

TEST_F(PoolLedgerTest, TheOneThatWasUsedLastIsUsedNext) {
  open({.size = 2});
  work();
  PoolSlot& slot = take();
  give_back(slot);
  EXPECT_EQ(&take(), &slot);
}

TEST_F(PoolLedgerTest, AnInstanceGoesWithItsLastUse) {
  open({.size = 1, .uses_max = 2});
  work();
  give_back(take());
  EXPECT_EQ(retired(PoolRetirement::uses), 0U);
  give_back(take());
  EXPECT_EQ(retired(PoolRetirement::uses), 1U);
  work();
  EXPECT_EQ(take().number, 2U);
}

TEST_F(PoolLedgerTest, AnInstanceGoesAtItsAgeWhenNobodyUsesIt) {
  open({.size = 2, .age_max = 10s});
  work();
  PoolSlot& used = take();
  EXPECT_LE(ledger->job_due(now), now + 10s);
  now += 10s - Duration(1);
  EXPECT_EQ(ledger->next_job(now).kind, JobKind::none);
  now += Duration(1);
  work();
  EXPECT_EQ(retired(PoolRetirement::age), 1U);
  give_back(used);
  EXPECT_EQ(retired(PoolRetirement::age), 2U);
}

TEST_F(PoolLedgerTest, OneThatIsUsedForTooLongIsReplacedBeforeItComesBack) {
  open({.size = 1, .temporary_max = 1});
  work();
  PoolSlot& slow = take();
  EXPECT_LE(ledger->job_due(now), now + 30s);
  now += 30s;
  EXPECT_EQ(ledger->next_job(now).kind, JobKind::create);
  EXPECT_EQ(retired(PoolRetirement::slow), 1U);
  EXPECT_EQ(ledger->figures().in_use, 1U);
  give_back(slow);
  EXPECT_EQ(retired(PoolRetirement::slow), 1U) << "once";
  EXPECT_EQ(ledger->take(now), nullptr) << "nor is it used again";
}

TEST_F(PoolLedgerTest, ThoseThatNeverComeBackCountAgainstTheCeiling) {
  open({.size = 1, .temporary_max = 1});
  for (int i = 0; i < 2; ++i) {
    work();
    take();
    now += 30s;
  }
  EXPECT_EQ(creations(), 0);
  EXPECT_EQ(ledger->figures().in_use, 2U);
}

TEST_F(PoolLedgerTest, TemporaryOnesAreMadeForThoseWhoHaveWaitedAndGoWhenNobodyDoes) {
  open({.size = 1, .temporary_max = 2});
  work();
  PoolSlot& slot = take();
  std::vector<PoolWaiter*> line = {&wait(), &wait(), &wait()};
  now += 100ms - Duration(1);
  ledger->urge(now);
  EXPECT_EQ(creations(), 0);
  now += Duration(1);
  ledger->urge(now);
  work();
  EXPECT_EQ(ledger->figures().temporary, 2U) << "no more than that";
  EXPECT_EQ(served, (std::vector{line[0], line[1]}));
  give_back(*line[0]->slot);
  EXPECT_EQ(retired(PoolRetirement::surplus), 0U) << "somebody waits";
  give_back(*line[2]->slot);
  give_back(slot);
  EXPECT_EQ(retired(PoolRetirement::surplus), 2U);
  EXPECT_EQ(ledger->figures().temporary, 0U);
  give_back(*line[1]->slot);
  EXPECT_EQ(retired(PoolRetirement::surplus), 2U) << "the pool keeps its size";
}

TEST_F(PoolLedgerTest, CreationsThatFailArePacedAndTriedOneAtATime) {
  open({.size = 3, .backoff = 100ms, .backoff_max = 400ms});
  EXPECT_EQ(creations(), 3);
  for (int i = 0; i < 3; ++i) ledger->creation_failed("no reasoner", now);
  for (const Duration pause : {100ms, 200ms, 400ms, 400ms}) {
    EXPECT_EQ(ledger->job_due(now), now + pause);
    now += pause - Duration(1);
    EXPECT_EQ(creations(), 0);
    now += Duration(1);
    EXPECT_EQ(creations(), 1);
    ledger->creation_failed("no reasoner", now);
  }
  EXPECT_TRUE(ledger->cannot_create());
  EXPECT_EQ(ledger->figures().last_error, "no reasoner");
  now += 400ms;
  work();
  EXPECT_EQ(ledger->figures().idle, 3U) << "one that can be made is enough";
}

TEST_F(PoolLedgerTest, OneThatFailsItsFirstUseIsAsOneThatCannotBeMade) {
  open({.size = 1, .temporary_max = 0});
  work();
  give_back(take(), {.has_failed = true, .retirement = PoolRetirement::error, .message = "dead"});
  EXPECT_EQ(ledger->next_job(now).kind, JobKind::destroy);
  EXPECT_EQ(creations(), 0);
  EXPECT_EQ(ledger->figures().last_error, "dead");
}

TEST_F(PoolLedgerTest, OneThatHasWorkedIsReplacedAtOnce) {
  open({.size = 1});
  work();
  give_back(take());
  give_back(take(), {.has_failed = true, .retirement = PoolRetirement::error});
  work();
  EXPECT_EQ(ledger->figures().idle, 1U);
}

TEST_F(PoolLedgerTest, IdleOnesAreProbedUnlessTheyHaveJustWorked) {
  open({.size = 2, .probe_interval = 10s});
  work();
  now += 5s;
  give_back(take());
  now += 5s;
  const PoolJob job = ledger->next_job(now);
  ASSERT_EQ(job.kind, JobKind::probe);
  EXPECT_EQ(ledger->next_job(now).kind, JobKind::none) << "the other has worked 5 seconds ago";
  EXPECT_EQ(ledger->figures().idle, 1U) << "nobody is given one that is probed";
  PoolSlot& other = take();
  PoolWaiter& waiter = wait();
  note(ledger->probed(*job.slot, {}, now));
  EXPECT_EQ(waiter.slot, job.slot);
  give_back(other);
  EXPECT_LE(ledger->job_due(now), now + 10s);
  now += 10s;
  probe_answer = fail(ErrorCode::io, "it is gone");
  work();
  EXPECT_EQ(retired(PoolRetirement::probe), 1U);
}

TEST_F(PoolLedgerTest, ExhaustionIsToldOnceUntilNobodyWaits) {
  open({.size = 1, .temporary_max = 0});
  work();
  const auto told = [&] {
    std::size_t count = 0;
    for (const PoolEvent& event : ledger->take_events()) {
      if (event.kind == PoolEvent::Kind::exhausted) ++count;
    }
    return count;
  };
  PoolSlot& slot = take();
  PoolWaiter& first = wait();
  PoolWaiter& second = wait();
  now += 1s;
  ledger->urge(now);
  EXPECT_EQ(told(), 1U);
  EXPECT_TRUE(ledger->leave(first));
  EXPECT_TRUE(ledger->leave(second));
  wait();
  now += 1s;
  ledger->urge(now);
  EXPECT_EQ(told(), 1U);
  give_back(slot);
}

TEST_F(PoolLedgerTest, WhoWaitsWithoutAThreadIsTurnedAwayWhenTheTimeIsUp) {
  open({.size = 1});
  work();
  take();
  wait();
  PoolWaiter& callback = wait();
  callback.is_thread = false;
  EXPECT_EQ(ledger->wait_due(), now + 100ms);
  now += 100ms;
  ledger->urge(now);
  EXPECT_EQ(ledger->wait_due(), callback.until);
  now = callback.until - Duration(1);
  EXPECT_EQ(ledger->take_late(now), nullptr);
  now += Duration(1);
  EXPECT_EQ(ledger->take_late(now), &callback);
  EXPECT_EQ(ledger->take_late(now), nullptr) << "a thread looks at the clock itself";
}

TEST_F(PoolLedgerTest, EventsThatNobodyTakesAreCountedAndDropped) {
  open({.size = 1, .temporary_max = 0, .uses_max = 1});
  const std::size_t rounds = limits::pool_events_max;
  for (std::size_t i = 0; i < rounds; ++i) {
    work();
    give_back(take());
  }
  EXPECT_EQ(ledger->take_events().size(), limits::pool_events_max);
  EXPECT_EQ(ledger->figures().events_untold, 2 * rounds - limits::pool_events_max);
}

}  // namespace
}  // namespace almanac::test
