#include <almanac/log/futex.h>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace almanac {
namespace {

void futex(const std::atomic<std::uint32_t>& word, int operation, FutexScope scope,
           std::uint32_t value, const std::timespec* time_max) {
  // Processes have the word at places of their own.
  if (scope == FutexScope::process) operation |= FUTEX_PRIVATE_FLAG;
  ::syscall(SYS_futex, &word, operation, value, time_max, nullptr, 0);
}

}  // namespace

void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t seen, FutexScope scope,
                const std::timespec* time_max) {
  futex(word, FUTEX_WAIT, scope, seen, time_max);
}

void futex_wake(const std::atomic<std::uint32_t>& word, FutexScope scope, int threads_max) {
  futex(word, FUTEX_WAKE, scope, static_cast<std::uint32_t>(threads_max), nullptr);
}

}  // namespace almanac
