// The pool of nodes (projections/persistent/node_pool.h) as memory of other things that come and go
// by the thousand, often made on one thread and dropped on another: what is called later, and nodes
// of maps. Of one heap both threads would wait for the same lock.
#pragma once

#include <almanac/projections/persistent/node_pool.h>

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace almanac {

// What is called, in a block of the pool once a std::function holds it.
template <class Call>
struct PooledCall : Pooled<PooledCall<Call>> {
  explicit PooledCall(Call from) : call(std::move(from)) {}
  template <class... Arguments>
  decltype(auto) operator()(Arguments&&... arguments) {
    return call(std::forward<Arguments>(arguments)...);
  }

  Call call;
};

template <class Call>
[[nodiscard]] PooledCall<std::remove_cvref_t<Call>> pooled(Call&& call) {
  return PooledCall<std::remove_cvref_t<Call>>(std::forward<Call>(call));
}

// Of containers whose nodes are small. Any two are alike.
template <class Value>
struct PoolAllocator {
  using value_type = Value;

  PoolAllocator() = default;
  template <class Other>
  PoolAllocator(const PoolAllocator<Other>&) {}
  template <class Other>
  bool operator==(const PoolAllocator<Other>&) const {
    return true;
  }

  [[nodiscard]] Value* allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(Value);
    if (bytes > node_pool::block_bytes_max) {
      return static_cast<Value*>(::operator new(bytes));
    }
    return static_cast<Value*>(node_pool::take(bytes));
  }
  void deallocate(Value* values, std::size_t count) noexcept {
    const std::size_t bytes = count * sizeof(Value);
    if (bytes > node_pool::block_bytes_max) return ::operator delete(values, bytes);
    node_pool::give_back(values, bytes);
  }
};

}  // namespace almanac
