// The whole of a terminal as a page of lines: the one door to ncurses.
#pragma once

#include <almanac/tools/interrupt.h>
#include <almanac/tools/top_page.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace almanac {

// What was typed.
struct ScreenKey {
  enum class Kind : std::uint8_t {
    none,  // nothing yet
    character,
    enter,
    backspace,
    escape,
    up,
    down,
    resize,
    end,  // a signal, or the terminal is gone: nothing comes any more
  };
  Kind kind = Kind::none;
  char character = 0;
};

// While it lives it has the terminal on standard input and output for itself, which is as it was
// when this is gone. One at a time, one thread.
class TerminalScreen {
 public:
  // None where there is no terminal, or nothing is known of its kind (TERM). Colours where it has
  // some and NO_COLOR is not set.
  [[nodiscard]] static std::unique_ptr<TerminalScreen> open(Interrupt& interrupt);
  ~TerminalScreen();
  TerminalScreen(const TerminalScreen&) = delete;
  TerminalScreen& operator=(const TerminalScreen&) = delete;

  [[nodiscard]] std::size_t rows() const;
  [[nodiscard]] std::size_t columns() const;
  // What does not fit is not drawn. The line `selected` is shown as chosen; none where it is behind
  // the last. `foot` is the last row.
  void draw(const std::vector<TopLine>& lines, std::size_t selected, const std::string& foot);
  // Waits so long at most.
  [[nodiscard]] ScreenKey next_key(std::chrono::milliseconds wait_max);

 private:
  struct Parts;
  explicit TerminalScreen(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace almanac
