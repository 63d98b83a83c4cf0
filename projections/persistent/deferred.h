// Subtrees of a persistent container that are made when somebody first goes there. In their place
// stands a stub, which knows whom to ask and keeps what it was given: all that share the stub see
// one subtree, and what differs between two versions is found as if it had always been there. A
// change puts the subtree itself in the place of the stub, as with every node that is shared.
//
// A root is never a stub. What a stub stands for is never asked for its entries before it is
// entered: copying, comparing and releasing versions leaves it alone.
//
// Threads: any may enter a stub, several at once; of what they make one is kept.
#pragma once

#include <almanac/projections/persistent/node_pool.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace almanac::deferred {

// Makes subtrees for as long as one of its stubs lives. Any thread may call; the same number gives
// the same entries each time. Must not throw: there is nobody who could do without the answer.
template <class Node>
class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  // A subtree of the stub's height, which is the caller's.
  [[nodiscard]] virtual Node* make(std::uint64_t which) const noexcept = 0;
};

template <class Node>
struct Stub final : Node, Pooled<Stub<Node>> {
  Stub(std::uint8_t height, std::shared_ptr<const Source<Node>> whom, std::uint64_t number)
      : Node(height), source(std::move(whom)), which(number) {
    this->is_deferred = true;
  }

  std::atomic<Node*> made = nullptr;  // owned
  const std::shared_ptr<const Source<Node>> source;
  const std::uint64_t which;
};

template <class Node>
[[nodiscard]] Stub<std::remove_const_t<Node>>& stub(Node* node) {
  using Plain = std::remove_const_t<Node>;
  return *static_cast<Stub<Plain>*>(const_cast<Plain*>(node));
}

// What a stub stands for, which lives as long as the stub.
template <class Tree, class Node>
[[nodiscard, gnu::noinline]] Node* made(Node* node) noexcept {
  auto& here = stub(node);
  auto* there = here.made.load(std::memory_order_acquire);
  if (there != nullptr) return there;
  auto* fresh = here.source->make(here.which);
  if (here.made.compare_exchange_strong(there, fresh, std::memory_order_acq_rel,
                                        std::memory_order_acquire)) {
    return fresh;
  }
  Tree::release(fresh);
  return there;
}

// The node itself, or what stands behind it.
template <class Tree, class Node>
[[nodiscard]] Node* entered(Node* node) noexcept {
  if (node->is_deferred) [[unlikely]]
    return made<Tree>(node);
  return node;
}

// Frees a stub; what it kept is the caller's to release, nullptr when there is nothing.
template <class Node>
[[nodiscard]] Node* drop(Node* node) noexcept {
  auto& here = stub(node);
  Node* kept = here.made.load(std::memory_order_acquire);
  delete &here;
  return kept;
}

}  // namespace almanac::deferred
