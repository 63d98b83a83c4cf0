// The idempotency keys of tasks and what each stands for. Looked up by text; walked in the order in
// which the keys first appeared, which is the order to enter them in again.
#pragma once

#include <almanac/log/types.h>
#include <almanac/projections/persistent/diff.h>
#include <almanac/projections/persistent/vector.h>
#include <almanac/projections/state_hasher.h>
#include <almanac/projections/text_table.h>

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac {

// What an idempotency key stands for.
struct KeyedTask {
  TaskId id;
  std::uint64_t content_hash = 0;
  bool operator==(const KeyedTask&) const = default;
};

// A value; O(1) copy.
class TaskKeys {
 public:
  struct Entry {
    std::string_view key;
    const KeyedTask& value;
  };
  // Lives, as what it shows, until the keys are changed.
  class Iterator {
   public:
    using Place = PersistentVectorIterator<TextNumber, KeyedTask>;
    using value_type = Entry;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    Iterator(const TaskKeys* keys, const Place& place) : keys_(keys), place_(place) {}
    [[nodiscard]] Entry operator*() const {
      return {keys_->texts_.text(place_->key), place_->value};
    }
    Iterator& operator++() {
      ++place_;
      return *this;
    }
    Iterator operator++(int) { return {keys_, place_++}; }
    bool operator==(const Iterator& other) const { return place_ == other.place_; }

   private:
    const TaskKeys* keys_ = nullptr;
    Place place_;
  };

  TaskKeys() = default;
  // From keys and what each stands for, which have the same numbers.
  TaskKeys(TextTable texts, PersistentVector<TextNumber, KeyedTask> tasks)
      : texts_(std::move(texts)), tasks_(std::move(tasks)) {}

  // Enters a key, or changes what it stands for. O(log n).
  void set(std::string_view key, KeyedTask value) { tasks_.set(texts_.intern(key), value); }
  // O(log n); allocates nothing. Lives until the keys are changed.
  [[nodiscard]] const KeyedTask* find(std::string_view key) const {
    const auto number = texts_.find(key);
    return number ? tasks_.find(*number) : nullptr;
  }
  [[nodiscard]] bool contains(std::string_view key) const { return find(key) != nullptr; }
  // Forgets the keys that stand for what `gone` says. O(n), and O(log n) for each that goes.
  template <class Gone>
  void erase_if(Gone gone) {
    std::vector<TextNumber> numbers;
    for (const auto& [number, keyed] : tasks_) {
      if (gone(keyed)) numbers.push_back(number);
    }
    for (TextNumber number : numbers) {
      texts_.erase(number);
      tasks_.erase(number);
    }
  }
  [[nodiscard]] std::size_t size() const { return tasks_.size(); }
  [[nodiscard]] bool empty() const { return size() == 0; }

  [[nodiscard]] Iterator begin() const { return {this, tasks_.begin()}; }
  [[nodiscard]] Iterator end() const { return {this, tasks_.end()}; }

  void hash_into(StateHasher& hasher) const;

 private:
  template <class Visit>
  friend void diff(const TaskKeys& before, const TaskKeys& after, Visit visit);

  TextTable texts_;
  PersistentVector<TextNumber, KeyedTask> tasks_;
};

// visit(key, const KeyedTask* before, const KeyedTask* after), nullptr where there is no such key.
// In the order of first appearance. Keys are compared by their places, and where those differ (keys
// that were forgotten leave gaps, which a checkpoint does not keep) by their texts.
template <class Visit>
void diff(const TaskKeys& before, const TaskKeys& after, Visit visit) {
  diff(before.tasks_, after.tasks_,
       [&](TextNumber number, const KeyedTask* was, const KeyedTask* is) {
         constexpr const KeyedTask* none = nullptr;
         if (was != nullptr) {
           const auto key = before.texts_.text(number);
           const KeyedTask* now = after.find(key);
           if (now == nullptr || *now != *was) visit(key, was, now);
         }
         if (is != nullptr) {
           const auto key = after.texts_.text(number);
           if (!before.contains(key)) visit(key, none, is);
         }
       });
}

}  // namespace almanac
