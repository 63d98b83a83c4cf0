// Ctrl-C as something to wait for, for commands that go on until they are told to stop.
#pragma once

#include <almanac/log/file.h>

#include <signal.h>

#include <chrono>

namespace almanac {

// While it lives SIGINT and SIGTERM end nothing by themselves. Made before any thread is, so that
// all of them leave the signals to it. One at a time.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  enum class Woken { by_time, by_signal, by_reader_gone, by_input };
  // Waits so long at most, for ever when that is below 0. Also notices that nobody reads standard
  // output any more, and that there is something to read from `input`, or nothing ever again. Once
  // it was woken by a signal it always is.
  [[nodiscard]] Woken wait(std::chrono::milliseconds timeout, int input = -1);
  [[nodiscard]] bool has_come() { return wait({}) == Woken::by_signal; }

 private:
  FileDescriptor signals_;
  sigset_t before_;
  bool signalled_ = false;
};

}  // namespace almanac
