// A text that never changes and is shared by all its copies: a pointer to its bytes and a count of
// who points there. Copying one neither allocates nor copies text. Any thread may read, copy and
// destroy its own copy. Nothing fails: running out of memory ends the program.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

namespace almanac {

class SharedText {
 public:
  SharedText() noexcept = default;  // the empty text
  explicit SharedText(std::string_view text) noexcept : body_(make(text)) {}
  SharedText(const SharedText& other) noexcept : body_(other.body_) {
    if (body_ != nullptr) body_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  SharedText(SharedText&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
  SharedText& operator=(SharedText other) noexcept {
    std::swap(body_, other.body_);
    return *this;
  }
  ~SharedText() {
    if (body_ == nullptr || body_->owners.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
    std::destroy_at(body_);
    ::operator delete(static_cast<void*>(body_));
  }

  // Lives as long as any copy of this text.
  [[nodiscard]] std::string_view view() const {
    if (body_ == nullptr) return {};
    return {reinterpret_cast<const char*>(body_ + 1), body_->size};
  }
  [[nodiscard]] bool operator==(const SharedText& other) const {
    return body_ == other.body_ || view() == other.view();
  }

 private:
  // The bytes follow behind it.
  struct Body {
    std::atomic<std::uint32_t> owners = 1;
    std::uint32_t size = 0;
  };

  [[nodiscard]] static Body* make(std::string_view text) noexcept {
    if (text.empty()) return nullptr;
    void* memory = ::operator new(sizeof(Body) + text.size());
    auto* body = new (memory) Body{.size = static_cast<std::uint32_t>(text.size())};
    std::memcpy(static_cast<void*>(body + 1), text.data(), text.size());
    return body;
  }

  Body* body_ = nullptr;
};

}  // namespace almanac
