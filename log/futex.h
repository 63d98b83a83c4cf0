// Waiting for a word of memory to change, by the kernel alone: std::atomic's wait gives up the
// processor a few times first, which costs more than the sleep where many wait for the disk.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <climits>
#include <cstdint>
#include <ctime>

namespace almanac {

// Who else may wait for the word. Processes have a file mapped at places of their own.
enum class FutexScope : int { process = FUTEX_PRIVATE_FLAG, machine = 0 };

// Returns at once unless the word is `seen`; else when it is woken, when the time is over or, now
// and then, for no reason. Any thread.
inline void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t seen, FutexScope scope,
                       const timespec* time_max = nullptr) {
  ::syscall(SYS_futex, &word, FUTEX_WAIT | static_cast<int>(scope), seen, time_max, nullptr, 0);
}

// Wakes those that wait for the word, which may be gone by then: it is not read.
inline void futex_wake(const std::atomic<std::uint32_t>& word, FutexScope scope,
                       int threads_max = INT_MAX) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE | static_cast<int>(scope), threads_max, nullptr, nullptr,
            0);
}

}  // namespace almanac
