// What is remembered, ready to be searched often: an index beside the state, made of it and brought
// up to date by what differs. It is never stored: whoever opens the log makes it anew. Entries of
// users are opened for it, and it lets go of them when their key is destroyed.
//
// Up to a size all embeddings of a kind are compared, and the answers are those of
// search_memories(). Above that a graph is built, on a thread of the index; until it is there all
// are still compared. With it an answer may miss a few of the nearest, but is the same for the same
// entries stored in the same order. What has been forgotten or changed since the graph was built is
// not found, yet led through; the graph is built anew when that is every second entry.
#pragma once

#include <almanac/engine/memory_query.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace almanac {

struct MemoryIndexOptions {
  std::size_t exact_max = 100'000;  // embeddings of a kind
  // Opens entries of users, which it then has in memory in the clear until the key is destroyed;
  // lives longer than the index. None = those are not found.
  const UserKeys* keys = nullptr;
  // On the thread that builds: what is built of a kind is done, and what has come meanwhile is
  // taken in when this returns.
  std::function<void()> on_built = {};
};

// A handle; any thread. Searching waits for no other search, but for what is taken in.
class MemoryIndex {
 public:
  explicit MemoryIndex(MemoryIndexOptions options = {});
  // Waits for what is built, which ends early.
  ~MemoryIndex();
  MemoryIndex(const MemoryIndex&) = delete;
  MemoryIndex& operator=(const MemoryIndex&) = delete;

  // Takes in what this state has more, or other, than the last one. O(what differs); with a graph
  // each new embedding takes about a millisecond. A state of an earlier position changes nothing.
  void follow(const State& state);
  // Lets go of entries whose key was destroyed meanwhile. Costs nothing where none was.
  void drop_forgotten();
  // Of the last state.
  [[nodiscard]] Position position() const;
  // As search_memories() of that state.
  [[nodiscard]] Result<std::vector<MemoryHit>> search(const MemoryQuery& query) const;
  // Until all graphs are built that are to be.
  void wait_until_built() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace almanac
