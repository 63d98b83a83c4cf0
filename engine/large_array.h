// Room for many values at once.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace almanac {

// As `reserve`, with huge pages for an array of megabytes, where the system has them to spare: a
// submission of 100,000 tasks otherwise waits for a page of memory 11,000 times.
template <class T>
void reserve_large(std::vector<T>& values, std::size_t count) {
  if (count <= values.capacity()) return;
  values.reserve(count);
  constexpr std::uintptr_t huge_page = std::uintptr_t{2} << 20;
  const auto begin = reinterpret_cast<std::uintptr_t>(values.data());
  const std::uintptr_t first = (begin + huge_page - 1) / huge_page * huge_page;
  const std::uintptr_t end = (begin + count * sizeof(T)) / huge_page * huge_page;
  if (first >= end) return;
  (void)::madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);  // or not
}

}  // namespace almanac
