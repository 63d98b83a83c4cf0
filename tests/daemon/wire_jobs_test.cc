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
                  .after = [](Duration, const std::function<void()>&) {},
                  .aside = [](const std::function<void()>& call) { call(); }},
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

  Posts posts;
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
