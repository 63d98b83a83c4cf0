#include <almanac/tools/interrupt.h>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>

namespace almanac {

Interrupt::Interrupt() {
  sigset_t awaited;
  ::sigemptyset(&awaited);
  ::sigaddset(&awaited, SIGINT);
  ::sigaddset(&awaited, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &awaited, &before_);
  signals_ = FileDescriptor(::signalfd(-1, &awaited, SFD_CLOEXEC | SFD_NONBLOCK));
  ALMANAC_CHECK(signals_.valid());
}

// What has come was taken from the queue, so it does not strike now.
Interrupt::~Interrupt() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

Interrupt::Woken Interrupt::wait(std::chrono::milliseconds timeout, int input) {
  if (signalled_) return Woken::by_signal;
  // Nothing is asked of standard output: that its reader went away is told unasked.
  std::array<pollfd, 3> watched = {{{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                                    {.fd = STDOUT_FILENO, .events = 0, .revents = 0},
                                    {.fd = input, .events = POLLIN, .revents = 0}}};
  int ready = ::poll(watched.data(), watched.size(), static_cast<int>(timeout.count()));
  if (ready <= 0) return Woken::by_time;
  if ((watched[0].revents & POLLIN) != 0) {
    signalfd_siginfo taken;
    while (::read(signals_.get(), &taken, sizeof(taken)) == sizeof(taken)) signalled_ = true;
  }
  if (signalled_) return Woken::by_signal;
  if ((watched[1].revents & (POLLERR | POLLHUP)) != 0) return Woken::by_reader_gone;
  return watched[2].revents != 0 ? Woken::by_input : Woken::by_time;
}

}  // namespace almanac
