// Streams that take long to be told: the loop has pauses for others, and forgets nobody in them.
#include <almanac/daemon/http_server.h>
#include <almanac/tests/support/http_client.h>

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

// Counts how often it is asked, and takes its time.
class SlowStream final : public HttpStream {
 public:
  std::optional<std::string> next(std::size_t) override {
    const auto until = std::chrono::steady_clock::now() + 15ms;
    while (std::chrono::steady_clock::now() < until) {}
    std::lock_guard guard(mutex_);
    ++asked_;
    changed_.notify_all();
    return std::string();
  }
  [[nodiscard]] std::string still_here() const override { return {}; }
  [[nodiscard]] std::string ended_by(const HttpResponse&) const override { return {}; }
  // False when it is not asked more often than so within a minute.
  bool wait_for_more_than(int times) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 1min, [&] { return asked_ > times; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int asked_ = 0;
};

TEST(HttpStreams, ThatAreWokenInAPauseAreToldBehindIt) {
  auto listener = listen_on_tcp("127.0.0.1:0");
  ASSERT_TRUE(listener) << describe(listener.error());
  const std::string address = listener->name;
  std::vector<HttpListener> listeners;
  listeners.push_back(std::move(*listener));
  const auto stream = std::make_shared<SlowStream>();
  HttpHandlers handlers;
  handlers.screen = [](const HttpRequest&, const HttpPeer&) { return std::nullopt; };
  handlers.serve = [&](const HttpRequest&, const HttpPeer&, const HttpReply&) {
    HttpResponse response;
    response.stream = stream;
    return std::optional(std::move(response));
  };
  HttpServer server(std::move(listeners), {}, std::move(handlers));
  HttpClient client(address);
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(stream->wait_for_more_than(0));
  for (int times = 1; times < 10; ++times) {
    server.wake_streams();  // mostly in the pause behind the round before
    ASSERT_TRUE(stream->wait_for_more_than(times));
  }
}

}  // namespace
}  // namespace almanac::test
