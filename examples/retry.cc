// Trying again what fails for a while: as a call, in a coroutine, and as a scope.
#include <almanac/engine/error_json.h>
#include <almanac/engine/retry.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace {

using namespace std::chrono_literals;
using namespace almanac;

// A service that is busy, every second time.
class Service {
 public:
  Result<std::string> ask() {
    if (++asked_ % 2 == 1) return fail(ErrorCode::busy, "it has much to do");
    return "answer " + std::to_string(asked_ / 2);
  }
  Async<Result<std::string>> ask_on(CoroutineLoop& loop) {
    co_await loop.sleep(1ms);
    co_return ask();
  }

 private:
  int asked_ = 0;
};

// [call]
Result<std::string> ask(Service& service, std::stop_token stop) {
  RetryOptions options{.attempts_max = 5, .time_max = 30s, .stop = std::move(stop)};
  options.backoff = {.initial = 10ms, .max = 1s};
  options.on_retry = [](const RetryNote& note) {
    std::printf("attempt %u failed: %s\n", note.failures, note.what.c_str());
  };
  return retry(options, [&] { return service.ask(); });
}
// [call]

// [coroutine]
Async<void> ask_on(CoroutineLoop& loop, Service& service) {
  const auto answer = co_await retry_on(loop, {}, [&] { return service.ask_on(loop); });
  std::printf("%s\n", answer ? answer->c_str() : describe(answer.error()).c_str());
}
// [coroutine]

void ask_in_a_scope(Service& service) {
  // [scope]
  for (auto attempt : retrying({.retries = on_codes({ErrorCode::busy, ErrorCode::timed_out})})) {
    const auto answer = service.ask();
    if (!answer) {
      attempt.failed(answer.error());  // waits, and comes here again unless it was the last
      continue;
    }
    std::printf("%s, at attempt %u\n", answer->c_str(), attempt.number());
  }
  // [scope]
}

void show_an_error() {
  // [error]
  const Error disk{ErrorCode::io, "cannot read tiny.bin"};
  const Error error =
      Error{ErrorCode::model_loading, "the model cannot be loaded", "fetch it again"}
          .with("model", "tiny")
          .caused_by(disk)
          .recoverable(true);  // unless said, the code says it
  std::printf("%s\n%s\n", describe(error).c_str(), to_json(error).c_str());
  // [error]
}

}  // namespace

int main() {
  Service service;
  const auto answer = ask(service, {});
  if (!answer) return 1;
  std::printf("%s\n", answer->c_str());
  CoroutineLoop loop;
  loop.start(ask_on(loop, service));
  loop.run();
  ask_in_a_scope(service);
  show_an_error();
  return 0;
}
