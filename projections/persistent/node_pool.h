// Memory for the nodes of persistent containers. A state that is published often makes and drops
// dozens of nodes per publication, of a few sizes each, and often drops them on another thread than
// made them: each thread keeps a short list of free blocks per size and hands a batch of them on
// when it has too many, so that most calls neither lock nor search.
//
// Blocks come in steps of 64 bytes, so that a node begins a cache line. What is freed is used again
// for blocks of its size and is not given back to the system before the program ends: what the pool
// holds is what all nodes together held at most. Any thread may call. With the address sanitizer
// every block is an allocation of its own, so that a use after its end is seen.
#pragma once

#include <cstddef>
#include <new>

namespace almanac {

namespace node_pool {

inline constexpr std::size_t block_step = 64;
inline constexpr std::size_t block_bytes_max = 4096;

// Up to block_bytes_max. Running out of memory throws std::bad_alloc.
[[nodiscard]] void* take(std::size_t bytes);
// `bytes` as it was asked for.
void give_back(void* block, std::size_t bytes) noexcept;

// What the pool has taken from the system, in bytes.
[[nodiscard]] std::size_t held_bytes();
// What of it is in nodes, with what threads have at hand for the next ones. 0 with the address
// sanitizer.
[[nodiscard]] std::size_t used_bytes();

}  // namespace node_pool

// A base that makes `new` and `delete` of Node use the pool; without it a node larger than the
// largest block is allocated as everything else.
template <class Node>
struct Pooled {
  static void* operator new(std::size_t bytes) {
    if (bytes <= node_pool::block_bytes_max) return node_pool::take(bytes);
    return ::operator new(bytes);
  }
  static void operator delete(void* node, std::size_t bytes) noexcept {
    if (bytes <= node_pool::block_bytes_max) {
      node_pool::give_back(node, bytes);
    } else {
      ::operator delete(node, bytes);
    }
  }
};

}  // namespace almanac
