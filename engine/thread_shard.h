// Counters that many threads add to are kept in shards, of which each thread has its own most of
// the time.
#pragma once

#include <atomic>
#include <cstddef>

namespace almanac {

// The one of this thread. Threads are dealt out to the shards in turn.
[[nodiscard]] inline std::size_t thread_shard(std::size_t shards) {
  static std::atomic<std::size_t> threads = 0;
  static thread_local const std::size_t mine = threads++;
  return mine % shards;
}

}  // namespace almanac
