// A terminal's keys one by one, without waiting for the end of a line.
#pragma once

#include <almanac/tools/interrupt.h>

#include <termios.h>

#include <cstdint>
#include <string>

namespace almanac {

struct Key {
  enum class Kind : std::uint8_t {
    character,  // one byte of what was typed
    enter,
    backspace,
    escape,
    left,
    right,
    home,
    end,
    other,  // that has no meaning here
    none,   // no key comes any more: a signal, or the terminal is gone
  };
  Kind kind = Kind::none;
  char character = 0;
};

// While it lives the terminal on standard input shows nothing that is typed, and Ctrl-\ and Ctrl-Z
// do nothing. It is as it was when this is gone; SIGINT and SIGTERM are keys of kind `none`, so
// that they lead there as well. One at a time, one thread.
class Keyboard {
 public:
  // Whether standard input and standard output are terminals.
  [[nodiscard]] static bool is_there();

  explicit Keyboard(Interrupt& interrupt);
  ~Keyboard();
  Keyboard(const Keyboard&) = delete;
  Keyboard& operator=(const Keyboard&) = delete;

  // Waits for the next.
  [[nodiscard]] Key next();

 private:
  bool read_more(std::chrono::milliseconds timeout);

  Interrupt& interrupt_;
  termios before_{};
  std::string typed_;  // and not yet given
};

}  // namespace almanac
