// Memory for what a decision writes into its events: views need something to point at until the
// events are on disk. Grows, never frees before it dies; one thread at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <memory_resource>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

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

  // What events may point at as long as this memory lives.
  void keep(std::shared_ptr<const void> owner) { kept_.push_back(std::move(owner)); }

 private:
  std::pmr::monotonic_buffer_resource memory_;
  std::vector<std::shared_ptr<const void>> kept_;
};

}  // namespace almanac
