// How an inner node is copied without counting one more owner for each of its children, which after
// a publication would be most of what a change costs: the copy borrows them. It keeps the node it
// was copied from alive, its lender, and with that the children; only those it replaces are its
// own.
//
// `borrowed` has a bit for each child that the node has no ownership of. A borrowed child belongs
// to the lender, or to the lender's lender; it is not to be changed in place, however many owners
// it has, and is not released.
//
// A loan ends in three ways. settle(): the node counts itself as an owner of what it has borrowed,
// before its children move, and when it has replaced most of them, so that a lender is kept for the
// sake of many children and never of few. absorb(): when nobody else has the lender any more, its
// ownership is taken over and it is freed; tried whenever the node is copied or changes a borrowed
// child. And with the node. So what a dropped version leaves behind are at most the lenders of
// nodes that have not been touched since, with up to half of their children.
//
// Threads: `borrowed` is read and written by who has the node alone, and by absorb(), which any
// thread that can reach the node may call: who takes `lender` out is the only one to go on.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace almanac::loan {

inline constexpr std::size_t children_max = 16;  // bits of `borrowed`

// A part of an inner node.
template <class Inner>
struct Loan {
  std::atomic<Inner*> lender = nullptr;
  std::uint16_t borrowed = 0;

  [[nodiscard]] bool borrows(std::size_t child) const { return ((borrowed >> child) & 1U) != 0; }
  // The child has been replaced by one of the node's own.
  void replaced(std::size_t child) {
    borrowed = static_cast<std::uint16_t>(borrowed & ~(1U << child));
  }
  // Few are borrowed, or none.
  [[nodiscard]] bool is_settled_better() const {
    return std::popcount(borrowed) <= static_cast<int>(children_max / 2);
  }
};

// What differs between trees is a Traits: children(inner), a bit for each there is, child(inner,
// i), retain(node), release(node) and drop(inner), which frees a node and nothing it points at.

// Calls act(index) for each bit that is set.
template <class Act>
void for_each_bit(std::uint32_t bits, Act act) {
  for (; bits != 0; bits &= bits - 1) act(static_cast<std::size_t>(std::countr_zero(bits)));
}

// Releases all that a node owns, but its lender.
template <class Traits, class Inner>
void release_owned(Inner& node) noexcept {
  for_each_bit(Traits::children(node) & ~std::uint32_t{node.borrowed},
               [&](std::size_t i) { Traits::release(Traits::child(node, i)); });
}

template <class Traits, class Inner>
void settle(Inner& node) noexcept {
  Inner* lender = node.lender.load(std::memory_order_acquire);
  if (lender == nullptr) return;
  for_each_bit(node.borrowed, [&](std::size_t i) { Traits::retain(Traits::child(node, i)); });
  node.borrowed = 0;
  node.lender.store(nullptr, std::memory_order_relaxed);
  Traits::release(lender);
}

// Takes over what a lender owns that has no other owner, and frees it.
template <class Traits, class Inner>
void take_over(Inner& node, Inner& lender) noexcept {
  const std::uint32_t owned = Traits::children(lender) & ~std::uint32_t{lender.borrowed};
  for_each_bit(owned & ~std::uint32_t{node.borrowed},
               [&](std::size_t i) { Traits::release(Traits::child(lender, i)); });
  node.borrowed = static_cast<std::uint16_t>(node.borrowed & ~owned);
  Traits::drop(lender);
}

template <class Traits, class Inner>
void absorb(Inner& node) noexcept {
  if (node.lender.load(std::memory_order_relaxed) == nullptr) return;
  while (Inner* lender = node.lender.exchange(nullptr, std::memory_order_acq_rel)) {
    if (!lender->has_one_owner()) {
      node.lender.store(lender, std::memory_order_release);
      return;
    }
    Inner* next = lender->lender.load(std::memory_order_acquire);
    take_over<Traits>(node, *lender);
    if (node.borrowed != 0) {
      node.lender.store(next, std::memory_order_release);
    } else if (next != nullptr) {
      Traits::release(next);
    }
  }
}

}  // namespace almanac::loan
