// What a fair queue owes to whom, kept beside the engine: the method of the guide (start-time fair
// queuing), written down once more from what the tasks say.
#pragma once

#include <almanac/log/events/task.h>
#include <almanac/log/types.h>

#include <cstdint>
#include <map>
#include <string>

namespace almanac::test {

// Of one queue.
class FairRecord {
 public:
  struct Turn {
    std::string owner;
    std::int64_t cost = 0;  // estimate by weight
    bool is_paid = false;   // it was started before
  };

  // Becomes ready, or is so no more because it starts or for another reason.
  void enter(TaskId id, const Turn& turn);
  void start(TaskId id);
  void leave(TaskId id);
  [[nodiscard]] bool holds(TaskId id) const { return waiting_.contains(id); }
  // Who has the smallest runs next.
  [[nodiscard]] std::int64_t tag(TaskId id) const { return waiting_.at(id).tag; }
  void clear() { *this = {}; }

 private:
  struct Waiting {
    Turn turn;
    std::int64_t tag = 0;
  };
  // Up to where what an owner asked for reaches, and what of it was begun.
  struct Account {
    std::int64_t asked = 0;
    std::int64_t begun = 0;
  };
  void settle(const std::string& owner);

  std::int64_t time_ = 0;  // the tag of what was started last
  std::map<TaskId, Waiting> waiting_;
  std::map<std::string, Account> accounts_;
};

}  // namespace almanac::test
