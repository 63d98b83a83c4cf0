#include <almanac/tests/simulation/fair_record.h>

#include <algorithm>

namespace almanac::test {

void FairRecord::enter(TaskId id, const Turn& turn) {
  Waiting& waiting = waiting_[id];
  waiting = {turn, time_};
  if (turn.is_paid) return;
  Account& account = accounts_[turn.owner];
  waiting.tag = std::max(time_, account.asked);
  account.asked = waiting.tag + turn.cost;
}

void FairRecord::start(TaskId id) {
  const auto& [turn, tag] = waiting_.at(id);
  time_ = std::max(time_, tag);
  Account& account = accounts_[turn.owner];
  if (!turn.is_paid) account.begun = std::max(account.begun, tag + turn.cost);
  leave(id);
}

void FairRecord::leave(TaskId id) {
  const std::string owner = waiting_.at(id).turn.owner;
  waiting_.erase(id);
  settle(owner);
}

// Who waits for nothing owes what was begun, and nothing that lies behind the others.
void FairRecord::settle(const std::string& owner) {
  const bool waits = std::ranges::any_of(
      waiting_, [&](const auto& one) { return one.second.turn.owner == owner; });
  if (waits) return;
  Account& account = accounts_[owner];
  account.asked = account.begun;
  if (account.asked <= time_) accounts_.erase(owner);
}

}  // namespace almanac::test
