// Going through a log on a terminal, an event at a time, forward and backward.
#pragma once

#include <almanac/tools/keyboard.h>
#include <almanac/tools/past.h>
#include <almanac/tools/replay_steps.h>

#include <string>
#include <string_view>

namespace almanac {

// Owned by one thread. Draws the whole screen again for every key.
class ReplayScreen {
 public:
  // Begins in front of the first event of `range`. What is referred to outlives it.
  ReplayScreen(const Log& log, ReplaySteps& steps, PastRange range);

  // Until it is told to end, or a signal comes. Errors: those of ReplaySteps::at.
  [[nodiscard]] Result<void> run(Keyboard& keyboard);

 private:
  [[nodiscard]] Result<void> draw();
  void act(Key key);
  void go_back();
  void edit_target(Key key);
  void go_to_target();
  void go_to(Position position);

  const Log& log_;
  ReplaySteps& steps_;
  PastRange range_;
  Position position_;         // of the event that is shown; `from` of the range = none yet
  bool asks_target_ = false;  // where to go is being typed
  std::string target_;
  std::string message_;
  bool ended_ = false;
};

}  // namespace almanac
