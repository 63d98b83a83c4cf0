#include <almanac/projections/persistent/node_pool.h>

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

namespace almanac::node_pool {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool pools = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool pools = false;
#else
constexpr bool pools = true;
#endif
#else
constexpr bool pools = true;
#endif

constexpr std::size_t sizes = block_bytes_max / block_step;
// What one lock moves, and what one call to the system brings.
constexpr std::uint32_t batch_blocks = 64;
// Chunks grow with what a size has, so that a small state takes little.
constexpr std::size_t chunk_bytes_min = std::size_t{64} << 10;
constexpr std::size_t chunk_bytes_max = std::size_t{2} << 20;
static_assert(chunk_bytes_min >= 16 * block_bytes_max, "a chunk is cut without much waste");

struct FreeBlock {
  FreeBlock* next;
};

struct FreeList {
  FreeBlock* first = nullptr;
  std::uint32_t count = 0;

  void push(void* block) {
    first = new (block) FreeBlock{first};
    ++count;
  }
  [[nodiscard]] void* pop() {
    FreeBlock* block = first;
    first = block->next;
    --count;
    return block;
  }
};

// What threads hand to each other.
struct Shared {
  std::mutex mutex;
  FreeList blocks;
  std::size_t chunk_bytes = chunk_bytes_min;  // of the next chunk
};
constinit std::array<Shared, sizes> shared;
constinit std::atomic<std::size_t> taken_bytes = 0;
constinit std::atomic<std::size_t> free_bytes = 0;  // in `shared`

[[nodiscard]] std::size_t size_index(std::size_t bytes) { return (bytes - 1) / block_step; }
[[nodiscard]] std::size_t bytes_of(std::size_t size) { return (size + 1) * block_step; }

// A chunk of the largest size is one huge page, where the system has them to spare: nodes lie all
// over memory, and finding the page of one costs about as much as reading it.
[[nodiscard]] std::byte* new_chunk(std::size_t bytes) {
  const std::size_t alignment = bytes == chunk_bytes_max ? bytes : block_step;
  void* chunk = ::operator new(bytes, std::align_val_t(alignment));
  if (bytes == chunk_bytes_max) (void)::madvise(chunk, bytes, MADV_HUGEPAGE);  // or not
  taken_bytes.fetch_add(bytes, std::memory_order_relaxed);
  return static_cast<std::byte*>(chunk);
}

// Gives all but `kept` blocks to the other threads.
void hand_on(FreeList& own, std::size_t size, std::uint32_t kept) {
  free_bytes.fetch_add((own.count - kept) * bytes_of(size), std::memory_order_relaxed);
  const std::lock_guard guard(shared[size].mutex);
  while (own.count > kept) shared[size].blocks.push(own.pop());
}

// A batch from the other threads, or a chunk from the system.
void fill(FreeList& own, std::size_t size) {
  std::size_t chunk_bytes = 0;
  {
    const std::lock_guard guard(shared[size].mutex);
    FreeList& blocks = shared[size].blocks;
    while (blocks.count > 0 && own.count < batch_blocks) own.push(blocks.pop());
    free_bytes.fetch_sub(own.count * bytes_of(size), std::memory_order_relaxed);
    if (own.count > 0) return;
    chunk_bytes = shared[size].chunk_bytes;
    shared[size].chunk_bytes = std::min(chunk_bytes * 2, chunk_bytes_max);
  }
  std::byte* chunk = new_chunk(chunk_bytes);
  for (std::size_t at = chunk_bytes / bytes_of(size); at-- > 0;)
    own.push(chunk + at * bytes_of(size));
}

// Trivial, so that it outlives every other object of its thread: a state that lives longer than the
// thread's Keeper hands its blocks on at once.
struct Cache {
  std::array<FreeList, sizes> lists;
  bool has_keeper;
  bool is_over;
};
constinit thread_local Cache cache{};

// Hands a thread's blocks on when the thread ends.
struct Keeper {
  ~Keeper() {
    cache.is_over = true;
    for (std::size_t size = 0; size < sizes; ++size) hand_on(cache.lists[size], size, 0);
  }
};

void keep() {
  static thread_local Keeper keeper;
  cache.has_keeper = true;
}

}  // namespace

void* take(std::size_t bytes) {
  if constexpr (!pools) return ::operator new(bytes);
  const std::size_t size = size_index(bytes);
  FreeList& own = cache.lists[size];
  if (own.count == 0) {
    if (!cache.has_keeper) keep();
    fill(own, size);
  }
  return own.pop();
}

void give_back(void* block, std::size_t bytes) noexcept {
  if constexpr (!pools) return ::operator delete(block, bytes);
  const std::size_t size = size_index(bytes);
  FreeList& own = cache.lists[size];
  own.push(block);
  if (!cache.has_keeper) keep();
  if (cache.is_over) return hand_on(own, size, 0);
  if (own.count > 2 * batch_blocks) hand_on(own, size, batch_blocks);
}

std::size_t used_bytes() {
  const std::size_t free = free_bytes.load(std::memory_order_relaxed);
  return held_bytes() - free;
}

std::size_t held_bytes() { return taken_bytes.load(std::memory_order_relaxed); }

}  // namespace almanac::node_pool
