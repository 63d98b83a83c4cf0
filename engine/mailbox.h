// The way into the loop from any other thread: a bounded queue that is taken whole. A full one
// refuses at once instead of letting callers wait.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace almanac {

// Any thread may put, one takes. `wake` is called after a put into an empty mailbox.
template <class Item>
class Mailbox {
 public:
  Mailbox(std::size_t items_max, std::function<void()> wake)
      : items_max_(items_max), wake_(std::move(wake)) {}

  // False when it is full or closed; the item is then untouched.
  [[nodiscard]] bool put(Item&& item) { return put_within(std::move(item), items_max_); }
  // For what the engine itself has to hear, however full the mailbox is. False when closed.
  bool put_always(Item&& item) { return put_within(std::move(item), SIZE_MAX); }

  [[nodiscard]] std::vector<Item> take() {
    std::vector<Item> next;
    next.reserve(usual_);
    {
      std::lock_guard guard(mutex_);
      items_.swap(next);
    }
    usual_ = std::max(usual_ / 2, next.size());
    return next;
  }
  // Refuses everything from now on and answers what was left.
  [[nodiscard]] std::vector<Item> close() {
    std::lock_guard guard(mutex_);
    closed_ = true;
    return std::exchange(items_, {});
  }
  [[nodiscard]] bool closed() const {
    std::lock_guard guard(mutex_);
    return closed_;
  }

 private:
  bool put_within(Item&& item, std::size_t items_max) {
    {
      std::lock_guard guard(mutex_);
      if (closed_ || items_.size() >= items_max) return false;
      items_.push_back(std::move(item));
      if (items_.size() > 1) return true;
    }
    wake_();
    return true;
  }

  const std::size_t items_max_;
  std::size_t usual_ = 0;  // so many are taken at once, lately; of who takes
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::vector<Item> items_;  // guarded by mutex_
  bool closed_ = false;      // guarded by mutex_
};

}  // namespace almanac
