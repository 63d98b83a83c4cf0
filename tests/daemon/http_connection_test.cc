// One connection whose other end the test holds: what waits for room, and what ends when.
#include <almanac/daemon/http_connection.h>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

class ConnectionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    client = FileDescriptor(ends[0]);
    const int small = 4'096;  // so that an answer is written in parts
    ASSERT_EQ(::setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    connection = std::make_shared<HttpConnection>(1, FileDescriptor(ends[1]), HttpPeer{}, around);
    connection->start();
  }
  void TearDown() override {
    reading.reset();
    client = FileDescriptor();
    if (!is_gone) run();
    connection.reset();
  }
  // Until somebody stops it, which a minute is enough for.
  void run() {
    loop.arm(std::chrono::minutes(1));
    loop.run();
    loop.disarm();
  }
  void ask(int requests) {
    std::string text;
    for (int i = 0; i < requests; ++i) text += "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    ASSERT_EQ(::send(client.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  // Runs until so many were given to serve().
  void run_until_served(int requests) {
    stop_at = requests;
    run();
    ASSERT_EQ(served, requests);
  }
  // Takes what comes, a little at a time.
  void read_on() {
    reading = loop.watch(client.get(), [this] {
      std::array<char, 4'096> buffer{};
      const ssize_t size = ::recv(client.get(), buffer.data(), buffer.size(), 0);
      if (size > 0) taken += static_cast<std::size_t>(size);
      if (size == 0) {
        saw_end = true;
        reading.reset();
        loop.stop();
      }
      if (taken >= stop_at_bytes) loop.stop();
    });
  }

  int served = 0;
  int stop_at = 0;
  int lost = 0;
  bool is_gone = false;
  bool saw_end = false;
  bool timed_out = false;
  std::size_t taken = 0;
  std::size_t stop_at_bytes = SIZE_MAX;
  std::vector<std::size_t> sizes = {100'000};  // of bodies; the last for all that follow
  HttpSettings settings;
  HttpCounters counters;
  std::atomic<std::size_t> streams = 0;
  Loop loop{{.on_wake = [] {},
             .on_timer =
                 [this] {
                   timed_out = true;
                   loop.stop();
                 },
             .on_signal = [](int) {}}};
  const HttpConnection::Surroundings around{
      .loop = loop,
      .settings = settings,
      .counters = counters,
      .streams = streams,
      .screen = [](const HttpRequest&, const HttpPeer&) { return std::nullopt; },
      .serve =
          [this](HttpConnection& to, const HttpRequest&) {
            const std::size_t which = std::min<std::size_t>(served, sizes.size() - 1);
            if (++served == stop_at) loop.stop();
            to.answer({.body = std::string(sizes[which], 'x'), .lost = [this] { ++lost; }});
          },
      .gone =
          [this](std::uint64_t) {
            is_gone = true;
            if (!reading) loop.stop();  // else what it wrote before is read first
          }};
  FileDescriptor client;
  std::shared_ptr<HttpConnection> connection;
  Loop::WatchHandle reading;
};

TEST_F(ConnectionTest, LosesEachAnswerThatWasNotWritten) {
  ask(2);
  run_until_served(2);
  client = FileDescriptor();
  run();
  EXPECT_TRUE(is_gone);
  EXPECT_EQ(lost, 2);
}

TEST_F(ConnectionTest, LosesNoAnswerThatWasWritten) {
  sizes = {10, 100'000};
  ask(2);
  run_until_served(2);
  client = FileDescriptor();
  run();
  EXPECT_EQ(lost, 1);
}

TEST_F(ConnectionTest, TakesUpRequestsThatWaitedForRoom) {
  ask(20);
  stop_at_bytes = 20 * sizes[0];
  read_on();
  run();
  EXPECT_FALSE(timed_out);
  EXPECT_EQ(served, 20);
}

TEST_F(ConnectionTest, EndsBehindTheAnswerToAClientThatSaysNoMore) {
  ask(1);
  run_until_served(1);
  ::shutdown(client.get(), SHUT_WR);
  read_on();
  run();
  EXPECT_TRUE(saw_end);
  EXPECT_TRUE(is_gone);
  EXPECT_GT(taken, sizes[0]);
  EXPECT_EQ(lost, 0);
}

TEST_F(ConnectionTest, EndsBehindTheAnswerThatIsWrittenWhenItIsDrained) {
  ask(1);
  run_until_served(1);
  connection->drain();
  read_on();
  run();
  EXPECT_TRUE(saw_end);
  EXPECT_GT(taken, sizes[0]);
  EXPECT_EQ(lost, 0);
}

}  // namespace
}  // namespace almanac::test
