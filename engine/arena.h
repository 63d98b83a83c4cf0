// Memory for what a decision writes into its events: views need something to point at until the
// events are on disk. Grows, never frees before it dies; one thread at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory_resource>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>

namespace almanac {

class Arena {
 public:
  template <class T>
    requires std::is_trivially_destructible_v<T>
  [[nodiscard]] std::span<T> array(std::size_t size) {
    if (size == 0) return {};
    T* items = static_cast<T*>(memory_.allocate(size * sizeof(T), alignof(T)));
    for (std::size_t i = 0; i < size; ++i) ::new (items + i) T();
    return {items, size};
  }

  [[nodiscard]] std::string_view text(std::string_view text) {
    auto copy = array<char>(text.size());
    std::ranges::copy(text, copy.begin());
    return {copy.data(), copy.size()};
  }

 private:
  std::pmr::monotonic_buffer_resource memory_;
};

}  // namespace almanac
