#include <almanac/engine/loop.h>

#include <almanac/log/error.h>

#include <uv.h>

#include <algorithm>
#include <array>
#include <csignal>

namespace almanac {

struct Loop::Handles {
  explicit Handles(Callbacks from) : callbacks(std::move(from)) {}

  Callbacks callbacks;
  uv_loop_t loop{};
  // An eventfd alone was tried: then who is woken runs in front of who wakes, and takes what comes
  // one by one. This one's reader yields until that call has returned.
  uv_async_t wake{};
  uv_timer_t timer{};
  std::array<uv_signal_t, 2> signals{};
  bool watches_signals = false;
};

class Loop::Watch {
 public:
  uv_poll_t poll{};
  std::function<void(Readiness)> ready;
};

namespace {

Loop::Callbacks& callbacks_of(void* data) { return *static_cast<Loop::Callbacks*>(data); }

uv_handle_t* handle(auto& specific) { return reinterpret_cast<uv_handle_t*>(&specific); }

void tell_watch(uv_poll_t* poll, int status, int events) {
  const bool failed = status < 0;
  static_cast<Loop::Watch*>(poll->data)
      ->ready({.read = failed || (events & (UV_READABLE | UV_DISCONNECT)) != 0,
               .write = failed || (events & UV_WRITABLE) != 0});
}

}  // namespace

Loop::Loop(Callbacks callbacks) : handles_(std::make_unique<Handles>(std::move(callbacks))) {
  ALMANAC_CHECK(uv_loop_init(&handles_->loop) == 0);
  ALMANAC_CHECK(uv_async_init(&handles_->loop, &handles_->wake,
                              [](uv_async_t* wake) { callbacks_of(wake->data).on_wake(); }) == 0);
  ALMANAC_CHECK(uv_timer_init(&handles_->loop, &handles_->timer) == 0);
  handles_->wake.data = &handles_->callbacks;
  handles_->timer.data = &handles_->callbacks;
}

Loop::~Loop() {
  uv_close(handle(handles_->wake), nullptr);
  uv_close(handle(handles_->timer), nullptr);
  if (handles_->watches_signals) {
    for (uv_signal_t& signal : handles_->signals) uv_close(handle(signal), nullptr);
  }
  uv_run(&handles_->loop, UV_RUN_DEFAULT);
  ALMANAC_CHECK(uv_loop_close(&handles_->loop) == 0);
}

void Loop::run() { uv_run(&handles_->loop, UV_RUN_DEFAULT); }

void Loop::stop() {
  stopped_ = true;
  uv_stop(&handles_->loop);
}

void Loop::wake() { uv_async_send(&handles_->wake); }

void Loop::arm(Duration wait) {
  auto rounded_up = std::chrono::ceil<std::chrono::milliseconds>(std::max(wait, Duration(0)));
  uv_update_time(&handles_->loop);
  uv_timer_start(
      &handles_->timer, [](uv_timer_t* timer) { callbacks_of(timer->data).on_timer(); },
      static_cast<std::uint64_t>(rounded_up.count()), 0);
}

void Loop::disarm() { uv_timer_stop(&handles_->timer); }

void Loop::watch_signals() {
  constexpr std::array numbers = {SIGINT, SIGTERM};
  handles_->watches_signals = true;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    uv_signal_t& signal = handles_->signals[i];
    ALMANAC_CHECK(uv_signal_init(&handles_->loop, &signal) == 0);
    signal.data = &handles_->callbacks;
    uv_signal_start(
        &signal,
        [](uv_signal_t* caught, int number) { callbacks_of(caught->data).on_signal(number); },
        numbers[i]);
  }
}

Loop::WatchHandle Loop::watch(int descriptor, std::function<void()> ready) {
  WatchHandle watch(new Watch{{}, [ready = std::move(ready)](Readiness) { ready(); }});
  ALMANAC_CHECK(uv_poll_init(&handles_->loop, &watch->poll, descriptor) == 0);
  watch->poll.data = watch.get();
  ALMANAC_CHECK(uv_poll_start(&watch->poll, UV_READABLE | UV_DISCONNECT, tell_watch) == 0);
  return watch;
}

Loop::WatchHandle Loop::watch(int descriptor, Readiness wanted,
                              std::function<void(Readiness)> ready) {
  WatchHandle watch(new Watch{{}, std::move(ready)});
  ALMANAC_CHECK(uv_poll_init(&handles_->loop, &watch->poll, descriptor) == 0);
  watch->poll.data = watch.get();
  change(*watch, wanted);
  return watch;
}

void Loop::change(Watch& watch, Readiness wanted) {
  const int events = (wanted.read ? UV_READABLE : 0) | (wanted.write ? UV_WRITABLE : 0);
  const int changed =
      events == 0 ? uv_poll_stop(&watch.poll) : uv_poll_start(&watch.poll, events, tell_watch);
  ALMANAC_CHECK(changed == 0);
}

// libuv gives the handle back in a later turn of the loop; the watch lives until then.
void Loop::CloseWatch::operator()(Watch* watch) const {
  uv_close(handle(watch->poll),
           [](uv_handle_t* closed) { delete static_cast<Watch*>(closed->data); });
}

}  // namespace almanac
