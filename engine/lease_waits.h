// Workers elsewhere that wait for tasks, in the order in which they came.
#pragma once

#include <almanac/engine/command.h>
#include <almanac/engine/pool_memory.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac {

struct Submission;

// Owned by the core; used on the loop's thread alone.
class LeaseWaits {
 public:
  using Number = std::uint64_t;  // 1, 2, 3 … as they came

  LeaseWaits();
  ~LeaseWaits();
  LeaseWaits(const LeaseWaits&) = delete;
  LeaseWaits& operator=(const LeaseWaits&) = delete;

  // Its command is LeaseTasks, and none that is refused. O(its kinds * log).
  void add(std::unique_ptr<Submission> lease);
  // Out of those that wait, among which it is.
  [[nodiscard]] std::unique_ptr<Submission> remove(Number number);
  // One whose time is up; none when there is none.
  [[nodiscard]] std::unique_ptr<Submission> remove_late(SteadyTime now);
  [[nodiscard]] std::optional<SteadyTime> next_due() const;
  [[nodiscard]] std::vector<std::unique_ptr<Submission>> remove_all();

  // Those that name a kind, whoever came first in front. Lives until the next change.
  template <class Value>
  using ByNumber =
      std::map<Number, Value, std::less<>, PoolAllocator<std::pair<const Number, Value>>>;
  using OfKind = ByNumber<const LeaseSpec*>;
  [[nodiscard]] const OfKind& of(std::string_view kind) const;
  // The same of those that name none.
  [[nodiscard]] const OfKind& of_any() const { return of_any_; }
  [[nodiscard]] const LeaseSpec& spec(Number number) const;
  [[nodiscard]] bool empty() const { return waiting_.empty(); }

 private:
  using Due = std::pair<SteadyTime, Number>;
  ByNumber<std::unique_ptr<Submission>> waiting_;
  std::map<std::string, OfKind, std::less<>> by_kind_;  // none is empty
  OfKind of_any_;
  std::set<Due, std::less<>, PoolAllocator<Due>> due_;
  Number last_ = 0;
};

}  // namespace almanac
