// The newest value of something: replaced by one thread at a time, taken by any, who never wait,
// neither for each other nor for who replaces it.
//
// How: one number has where the value lies and, in its upper 16 bits, how many takers have come for
// it and are still copying the pointer. Who replaces it hands that count to the value, where those
// takers strike themselves off; the last one frees it. (Differential reference counting.)
#pragma once

#include <almanac/log/error.h>

#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <utility>

namespace almanac {

template <class Value>
class Latest {
 public:
  explicit Latest(std::shared_ptr<const Value> value)
      : word_(word_of(new Node(std::move(value)))) {}
  ~Latest() { delete node_of(word_.load(std::memory_order_acquire)); }
  Latest(const Latest&) = delete;
  Latest& operator=(const Latest&) = delete;

  // Some 20 nanoseconds.
  [[nodiscard]] std::shared_ptr<const Value> take() const {
    std::uint64_t seen = word_.fetch_add(one_taker, std::memory_order_acquire) + one_taker;
    Node* const node = node_of(seen);
    std::shared_ptr<const Value> value = node->value;
    // As long as this taker is counted the node stays, and no other has its address.
    while (node_of(seen) == node) {
      if (word_.compare_exchange_weak(seen, seen - one_taker, std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
        return value;
      }
    }
    if (node->takers.fetch_sub(1, std::memory_order_acq_rel) == 1) delete node;
    return value;
  }
  // Answers the one before, so that who calls says where it is freed.
  std::shared_ptr<const Value> replace(std::shared_ptr<const Value> value) {
    const std::uint64_t before =
        word_.exchange(word_of(new Node(std::move(value))), std::memory_order_acq_rel);
    Node* const node = node_of(before);
    std::shared_ptr<const Value> replaced = node->value;
    const auto takers = static_cast<std::int64_t>(before >> address_bits);
    // Those who have struck themselves off already are below zero.
    if (node->takers.fetch_add(takers, std::memory_order_acq_rel) == -takers) delete node;
    return replaced;
  }

 private:
  struct Node {
    explicit Node(std::shared_ptr<const Value> of) : value(std::move(of)) {}
    const std::shared_ptr<const Value> value;
    std::atomic<std::int64_t> takers = 0;
  };

  // Linux gives a program no address above that unless it asks for one.
  static constexpr unsigned address_bits = 48;
  static constexpr std::uint64_t one_taker = std::uint64_t{1} << address_bits;

  static std::uint64_t word_of(Node* node) {
    const auto address = std::bit_cast<std::uint64_t>(node);
    ALMANAC_CHECK(address < one_taker);
    return address;
  }
  static Node* node_of(std::uint64_t word) { return std::bit_cast<Node*>(word & (one_taker - 1)); }

  mutable std::atomic<std::uint64_t> word_;
};

}  // namespace almanac
