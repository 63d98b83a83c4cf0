// Jobs on their way, without a server: the test is its thread.
#include <almanac/daemon/wire_jobs.h>
#include <almanac/tests/support/engine_fixture.h>

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

// What is posted, until the test performs it.
class Posts {
 public:
  bool add(std::function<void()> call) {
    std::lock_guard guard(mutex_);
    calls_.push_back(std::move(call));
    changed_.notify_one();
    return true;
  }
  // False when nothing comes in 20 seconds.
  bool perform_one() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, 20s, [&] { return !calls_.empty(); })) return false;
    const auto call = std::move(calls_.front());
    calls_.pop_front();
    lock.unlock();
    call();
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> calls_;
};

class WireJobsTest : public EngineTest {
 protected:
  void begin() {
    open_on_manual_clock();
    jobs = std::make_shared<WireJobs>(
        *engine,
        WirePorts{.post = [this](std::function<void()> call) { return posts.add(std::move(call)); },
                  .after = [this](Duration,
                                  std::function<void()> call) { later.push_back(std::move(call)); },
                  .aside =
                      [this](std::function<void()> call) {
                        if (!holds_aside) return call();
                        beside.push_back(std::move(call));
                      },
                  .now = clock.function()},
        Duration(0));
    session = std::make_shared<WireSession>(
        1, WireSessionOptions{},
        WireSession::Calls{.perform = {}, .on_hello = [](WireSession&) {}, .on_change = {}});
  }
  WireSession::Done into(std::string& reply) {
    return [&reply](std::string text) { reply = std::move(text); };
  }
  // Waits for the reply to a call.
  template <class Call>
  std::string ask(Call call) {
    std::string reply;
    call(into(reply));
    while (reply.empty() && posts.perform_one()) {}
    return reply;
  }
  std::string fetch() {
    return ask([&](WireSession::Done done) {
      jobs->fetch({"FETCH", "default", true}, *session, false, std::move(done));
    });
  }

  // Hands out a job that was pushed.
  void hand_out(const std::string& job) {
    ASSERT_EQ(ask([&](auto done) { jobs->push(job, std::move(done)); }), "+OK\r\n");
    ASSERT_NE(fetch(), "$-1\r\n");
  }
  std::size_t count_forgotten() {
    std::size_t count = 0;
    (void)engine->log().read(Position(1), [&](const RecordedEvent& recorded) -> Result<bool> {
      count += std::holds_alternative<TasksForgotten>(recorded.event.body) ? 1 : 0;
      return true;
    });
    return count;
  }

  Posts posts;
  std::vector<std::function<void()>> later;
  std::vector<std::function<void()>> beside;
  bool holds_aside = false;
  std::shared_ptr<WireJobs> jobs;
  std::shared_ptr<WireSession> session;
};

TEST_F(WireJobsTest, AreLetGoWhenTheirReservationIsOver) {
  begin();
  for (const char* job : {R"({"jid":"job-0001","jobtype":"a","args":[],"reserve_for":60})",
                          R"({"jid":"job-0002","jobtype":"a","args":[]})"}) {
    ASSERT_EQ(ask([&](auto done) { jobs->push(job, std::move(done)); }), "+OK\r\n");
    ASSERT_NE(fetch(), "$-1\r\n");
  }
  EXPECT_EQ(jobs->held(), 2U);
  advance(61s);
  (void)wait_for(TaskId(1), TaskState::delayed);
  jobs->look_after();
  ASSERT_TRUE(posts.perform_one());
  EXPECT_EQ(jobs->held(), 1U);
  EXPECT_EQ(jobs->counters().reaped, 1U);
  EXPECT_EQ(ask([&](auto done) { jobs->ack(R"({"jid":"job-0002"})", std::move(done)); }),
            "+OK\r\n");
  EXPECT_EQ(task(TaskId(2)).state, TaskState::succeeded);
}

TEST_F(WireJobsTest, OfWhichNothingIsKeptAreForgottenWhenTheirReservationIsOver) {
  begin();
  hand_out(R"({"jid":"job-0001","jobtype":"a","args":[],"reserve_for":60,"retry":0})");
  hand_out(R"({"jid":"job-0002","jobtype":"a","args":[],"reserve_for":60,"retry":-1})");
  hand_out(R"({"jid":"job-0003","jobtype":"a","args":[],"retry":0})");
  advance(61s);
  (void)wait_for(TaskId(1), TaskState::failed);
  (void)wait_for(TaskId(2), TaskState::failed);
  jobs->look_at_expired();
  ASSERT_TRUE(posts.perform_one());
  const auto state = engine->state();
  EXPECT_EQ(state->tasks.all.find(TaskId(1)), nullptr);
  EXPECT_NE(state->tasks.all.find(TaskId(2)), nullptr);  // the dead are kept
  EXPECT_EQ(task(TaskId(3)).state, TaskState::running);
  EXPECT_EQ(jobs->held(), 2U);
  EXPECT_EQ(jobs->counters().reaped, 1U);
}

TEST_F(WireJobsTest, WhoseReservationEndedWhileNobodyLookedAreForgottenAtTheStart) {
  begin();
  hand_out(R"({"jid":"job-0001","jobtype":"a","args":[],"reserve_for":60,"retry":0})");
  hand_out(R"({"jid":"job-0002","jobtype":"a","args":[],"reserve_for":60,"retry":-1})");
  advance(61s);
  (void)wait_for(TaskId(1), TaskState::failed);
  (void)wait_for(TaskId(2), TaskState::failed);
  jobs->adopt();
  ASSERT_TRUE(posts.perform_one());
  EXPECT_EQ(engine->state()->tasks.all.find(TaskId(1)), nullptr);
  EXPECT_NE(engine->state()->tasks.all.find(TaskId(2)), nullptr);
}

TEST_F(WireJobsTest, ThatFailWithNothingKeptAreForgottenTogether) {
  begin();
  constexpr int count = 20;
  const auto jid = [](int i) { return "job-" + std::to_string(1000 + i); };
  for (int i = 0; i < count; ++i) {
    hand_out(R"({"jid":")" + jid(i) + R"(","jobtype":"a","args":[],"retry":0})");
  }
  holds_aside = true;
  std::vector<std::string> replies(count);
  for (int i = 0; i < count; ++i) {
    jobs->fail(R"({"jid":")" + jid(i) + R"("})", into(replies[std::size_t(i)]));
  }
  for (int i = 0; i < count; ++i) ASSERT_TRUE(posts.perform_one());
  for (std::size_t i = 0; i < beside.size(); ++i) {
    const auto call = beside[i];
    call();
    ASSERT_TRUE(posts.perform_one());
  }
  EXPECT_EQ(beside.size(), 2U);
  EXPECT_EQ(count_forgotten(), 2U);
  EXPECT_EQ(replies, std::vector<std::string>(count, "+OK\r\n"));
  EXPECT_TRUE(engine->state()->tasks.all.empty());
}

TEST_F(WireJobsTest, AreToldOfInOnePieceWhenTheEngineKeepsItAgain) {
  begin();
  hand_out(R"({"jid":"job-0001","jobtype":"a","args":[],"custom":{"track":1}})");
  const auto report = [&](const WireProgress& progress) {
    return ask([&](auto done) { jobs->report(progress, std::move(done)); });
  };
  EXPECT_EQ(report({.jid = "job-0001", .fraction = 0.25, .description = "a"}), "+OK\r\n");
  EXPECT_EQ(report({.jid = "job-0001", .fraction = 0.5, .description = {}}), "+OK\r\n");
  EXPECT_EQ(report({.jid = "job-0001", .fraction = {}, .description = "b"}), "+OK\r\n");
  const auto permille = [&] { return engine->state()->tasks.progress.find(TaskId(1))->permille; };
  EXPECT_EQ(permille(), 250);
  EXPECT_EQ(jobs->told(TaskId(1))->fraction, 0.5);
  ASSERT_EQ(later.size(), 2U);  // the first ends its reservation
  advance(2s);
  later.back()();
  EXPECT_TRUE(engine->wait(
      [&](const State& state) { return state.tasks.progress.find(TaskId(1))->permille == 500; },
      20s));
  EXPECT_EQ(read_told(engine->log(), *engine->state(), TaskId(1)).description, "b");
}

TEST_F(WireJobsTest, AreToldOfOnceMoreInFrontOfTheirEnd) {
  begin();
  hand_out(R"({"jid":"job-0001","jobtype":"a","args":[],"custom":{"track":1}})");
  const auto report = [&](const WireProgress& progress) {
    return ask([&](auto done) { jobs->report(progress, std::move(done)); });
  };
  EXPECT_EQ(report({.jid = "job-0001", .fraction = 0.25, .description = "a"}), "+OK\r\n");
  EXPECT_EQ(report({.jid = "job-0001", .fraction = 1, .description = "all of it"}), "+OK\r\n");
  EXPECT_EQ(ask([&](auto done) { jobs->ack(R"({"jid":"job-0001"})", std::move(done)); }),
            "+OK\r\n");
  EXPECT_EQ(task(TaskId(1)).state, TaskState::succeeded);
  EXPECT_FALSE(jobs->told(TaskId(1)));
  const WireTold told = read_told(engine->log(), *engine->state(), TaskId(1));
  EXPECT_EQ(told.description, "all of it");
  EXPECT_EQ(told.fraction, 1);
}

TEST_F(WireJobsTest, AreReservedForAsLongAsTheyAsk) {
  begin();
  hand_out(R"({"jid":"job-0001","jobtype":"a","args":[],"reserve_for":60,"custom":{"track":1}})");
  const auto reserve = [&](Time until) {
    return ask([&](auto done) {
      jobs->report({.jid = "job-0001", .fraction = {}, .description = {}, .reserve_until = until},
                   std::move(done));
    });
  };
  const Time begun = clock.now();
  const auto fire = [&] {
    for (const auto& call : std::exchange(later, {})) call();
  };
  EXPECT_EQ(reserve(begun + 300s), "+OK\r\n");
  EXPECT_EQ(reserve(begun + 10s), "+OK\r\n");  // never sooner than it was to be
  advance(299s);
  fire();
  EXPECT_EQ(task(TaskId(1)).state, TaskState::running);
  EXPECT_EQ(jobs->held(), 1U);
  advance(2s);
  fire();
  EXPECT_EQ(jobs->held(), 0U);
  EXPECT_EQ(jobs->counters().reaped, 1U);
  (void)wait_for(TaskId(1), TaskState::delayed);
  const auto last = read_last_failure(engine->log(), *engine->state(), TaskId(1));
  ASSERT_TRUE(last);
  EXPECT_NE(last->json.find("ReservationExpired"), std::string::npos) << last->json;
}

TEST_F(WireJobsTest, AreReservedForADayMoreAtMost) {
  begin();
  hand_out(R"({"jid":"job-0001","jobtype":"a","args":[],"reserve_for":60,"custom":{"track":1}})");
  (void)ask([&](auto done) {
    jobs->report({.jid = "job-0001",
                  .fraction = {},
                  .description = {},
                  .reserve_until = clock.now() + 1'000h},
                 std::move(done));
  });
  advance(24h + 1s);
  for (const auto& call : std::exchange(later, {})) call();
  EXPECT_EQ(jobs->held(), 0U);
}

TEST_F(WireJobsTest, MakeNoQueueKnownWhenTheyAreRefused) {
  begin();
  hand_out(R"({"jid":"job-0001","jobtype":"a","args":[]})");
  for (const std::string& job :
       {std::string(R"({"jid":"job-0002","jobtype":"a","args":[],"queue":"expired","custom":)"
                    R"({"expires_at":"2001-01-01T00:00:00Z"}})"),
        std::string(R"({"jid":"job-0003","jobtype":"a","args":[],"queue":"never/this"})")}) {
    (void)ask([&](auto done) { jobs->push(job, std::move(done)); });
    (void)ask([&](auto done) { jobs->push_all("[" + job + "]", std::move(done)); });
  }
  for (int i = 0; i < 2; ++i) {
    (void)ask([&](auto done) {
      jobs->push(R"({"jid":"job-0004","jobtype":"a","args":[],"queue":"other","custom":)"
                 R"({"unique_for":60}})",
                 std::move(done));
    });
  }
  EXPECT_EQ(ask([&](auto done) {
              jobs->push(R"({"jid":"job-0005","jobtype":"b","args":[],"queue":"refused","custom":)"
                         R"({"bid":"no such batch"}})",
                         std::move(done));
            }).substr(0, 1),
            "-");
  EXPECT_EQ(jobs->queues, (std::set<std::string, std::less<>>{"default", "other"}));
}

TEST_F(WireJobsTest, AreFetchedFromSoManyQueuesAtMost) {
  begin();
  std::string many;
  for (int i = 0; i < 200'000; ++i) many += " q" + std::to_string(i);
  const std::string reply = ask([&](WireSession::Done done) {
    jobs->fetch({"FETCH", many, true}, *session, false, std::move(done));
  });
  EXPECT_EQ(reply, "-ERR fetch names at most 1000 queues\r\n");
}

TEST_F(WireJobsTest, GoBackWhenNobodyIsThereToReceiveThem) {
  begin();
  ASSERT_EQ(ask([&](auto done) {
              jobs->push(R"({"jid":"job-0001","jobtype":"a","args":[]})", std::move(done));
            }),
            "+OK\r\n");
  std::string reply;
  jobs->fetch({"FETCH", "default", true}, *session, false, into(reply));
  session.reset();
  ASSERT_TRUE(posts.perform_one());
  EXPECT_EQ(reply, "$-1\r\n");
  (void)wait_for(TaskId(1), TaskState::ready);
  EXPECT_EQ(jobs->held(), 0U);
}

}  // namespace
}  // namespace almanac::test
