// A libuv loop, of an engine or of a daemon's door: wakes, one timer, signals, and descriptors to
// watch. Owns every handle it makes and closes them all before it dies.
#pragma once

#include <almanac/engine/core_ports.h>
#include <almanac/log/types.h>

#include <functional>
#include <memory>

namespace almanac {

// One thread constructs it, runs it and destroys it; wake() alone may be called from any thread,
// as long as the loop lives.
class Loop final : public LoopPort {
 public:
  struct Callbacks {
    std::function<void()> on_wake;       // at least once after a wake(), never at the same time
    std::function<void()> on_timer;      // the time of arm() has come
    std::function<void(int)> on_signal;  // see watch_signals()
  };
  explicit Loop(Callbacks callbacks);
  ~Loop() override;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until stop() is called from one of the callbacks.
  void run();
  void stop() override;
  [[nodiscard]] bool stopped() const { return stopped_; }
  void wake();
  // Calls on_timer once, `wait` from now at the latest; replaces what was armed before.
  void arm(Duration wait) override;
  void disarm() override;
  // SIGINT and SIGTERM reach on_signal instead of ending the process.
  void watch_signals();

  // Calls `ready` whenever the descriptor can be read or its other end is gone, until the watch
  // dies. The descriptor must stay open until then.
  class Watch;
  struct CloseWatch {
    void operator()(Watch* watch) const;
  };
  using WatchHandle = std::unique_ptr<Watch, CloseWatch>;
  [[nodiscard]] WatchHandle watch(int descriptor, std::function<void()> ready);

  // The same in both directions: what is wanted to be known of the descriptor, and what has come of
  // that. An error of it comes as both. Level-triggered: who does not take what is there is told
  // again.
  struct Readiness {
    bool read = false;
    bool write = false;
    bool operator==(const Readiness&) const = default;
  };
  [[nodiscard]] WatchHandle watch(int descriptor, Readiness wanted,
                                  std::function<void(Readiness)> ready);
  // From now on; nothing = it rests.
  static void change(Watch& watch, Readiness wanted);

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
  bool stopped_ = false;
};

}  // namespace almanac
