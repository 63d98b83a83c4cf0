// Waiting for a word of memory to change, by the kernel alone: std::atomic's wait gives up the
// processor a few times first, which costs more than the sleep where many wait for the disk.
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>
#include <limits>

namespace almanac {

// Who else may wait for the word: threads of this process, or of others that have its file mapped.
enum class FutexScope : std::uint8_t { process, machine };

// Returns at once unless the word is `seen`; else when it is woken, when the time is over or, now
// and then, for no reason. Any thread.
void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t seen, FutexScope scope,
                const std::timespec* time_max = nullptr);

// Wakes those that wait for the word, which may be gone by then: it is not read.
void futex_wake(const std::atomic<std::uint32_t>& word, FutexScope scope,
                int threads_max = std::numeric_limits<int>::max());

}  // namespace almanac
