// Memory that begins with a block and has whole ones, as writes past the page cache want it.
#pragma once

#include <almanac/log/limits.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>

namespace almanac {

// Owns its bytes, which begin as anything.
class BlockMemory {
 public:
  // Room for so many bytes, to the end of a block.
  explicit BlockMemory(std::size_t bytes)
      : size_((bytes + limits::journal_block_bytes - 1) / limits::journal_block_bytes *
              limits::journal_block_bytes),
        bytes_(static_cast<std::byte*>(std::aligned_alloc(limits::journal_block_bytes, size_))) {
    if (bytes_ == nullptr) throw std::bad_alloc();
  }

  [[nodiscard]] std::span<std::byte> bytes() const { return {bytes_.get(), size_}; }

 private:
  struct Free {
    void operator()(std::byte* bytes) const { std::free(bytes); }
  };
  std::size_t size_;
  std::unique_ptr<std::byte[], Free> bytes_;
};

}  // namespace almanac
