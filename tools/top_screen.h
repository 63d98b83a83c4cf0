// `almanac top` on a terminal: an overview that follows the log, and what keys make of it.
#pragma once

#include <almanac/tools/overview.h>
#include <almanac/tools/terminal_screen.h>
#include <almanac/tools/top_page.h>

#include <almanac/log/log.h>
#include <almanac/snapshots/past_states.h>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace almanac {

// An overview of a log at a moment, or of its end. `at` none = now. Errors: those of
// PastStates::at() and overview_json().
struct OverviewSource {
  const Log& log;
  const PastStates& past;
  QueueTally& tally;
};
[[nodiscard]] Result<nlohmann::ordered_json> overview_of(const OverviewSource& source,
                                                         std::optional<Position> at);

// Owned by one thread. What is referred to outlives it.
class TopScreen {
 public:
  // Begins at a moment of the past, or now.
  TopScreen(const OverviewSource& source, std::optional<Position> at);

  // Until it is told to end, or a signal comes. Errors: those of overview_of().
  [[nodiscard]] Result<void> run(TerminalScreen& screen);

 private:
  [[nodiscard]] Result<void> refresh();
  [[nodiscard]] std::vector<TopLine> page(const TerminalScreen& screen) const;
  [[nodiscard]] std::string foot() const;
  void draw(TerminalScreen& screen);
  void act(ScreenKey key);
  void act_on_character(char character);
  void edit_filter(ScreenKey key);
  void select(const std::vector<TopLine>& page, bool forward);
  void open_task();
  void step(std::int64_t events);
  void go_to(std::optional<Position> at);

  OverviewSource source_;
  std::optional<Position> at_;  // none = now
  nlohmann::ordered_json overview_;
  std::optional<nlohmann::ordered_json> task_;  // that is shown instead of the overview
  std::vector<TopLine> page_;                   // as it was drawn last
  TopSort sort_ = TopSort::time;
  std::string filter_;
  std::uint64_t selected_ = 0;  // a task; 0 = none
  std::string message_;
  bool asks_filter_ = false;
  bool shows_help_ = false;
  bool is_paused_ = false;
  bool is_stale_ = true;  // what is shown is not what is asked for
  bool ends_ = false;
};

}  // namespace almanac
