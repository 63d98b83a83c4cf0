// The way into the loop from any thread: a bounded queue that is taken whole. A full one refuses at
// once instead of letting callers wait.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace almanac {

// Any thread may put, one takes. Who takes does so until nothing is left, or leaves the rest; only
// behind that does a put call `wake`, once.
template <class Item>
class Mailbox {
 public:
  Mailbox(std::size_t items_max, std::function<void()> wake)
      : items_max_(items_max), wake_(std::move(wake)) {}

  // False when it is full or closed; the item is then untouched.
  [[nodiscard]] bool put(Item&& item) { return put_within(std::move(item), items_max_); }
  // For what the engine itself has to hear, however full the mailbox is. False when closed.
  bool put_always(Item&& item) { return put_within(std::move(item), SIZE_MAX); }

  // Whoever has got something has to come again, or leave.
  [[nodiscard]] std::vector<Item> take() {
    std::vector<Item> next;
    next.reserve(usual_);
    {
      std::lock_guard guard(mutex_);
      comes_again_ = !items_.empty();
      items_.swap(next);
    }
    usual_ = std::max(usual_ / 2, next.size());
    return next;
  }
  // Calls `wake` at once if something has come meanwhile.
  void leave() {
    {
      std::lock_guard guard(mutex_);
      comes_again_ = false;
      if (items_.empty()) return;
    }
    wake_();
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
      if (items_.size() > 1 || comes_again_) return true;
    }
    wake_();
    return true;
  }

  const std::size_t items_max_;
  std::size_t usual_ = 0;  // so many are taken at once, lately; of who takes
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::vector<Item> items_;   // guarded by mutex_, as are:
  bool comes_again_ = false;  // who takes, without being woken
  bool closed_ = false;
};

}  // namespace almanac
