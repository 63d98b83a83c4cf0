#include <almanac/engine/lease_waits.h>

#include <almanac/engine/core.h>

#include <iterator>

namespace almanac {
namespace {

const LeaseTasks& lease_of(const std::unique_ptr<Submission>& lease) {
  return std::get<LeaseTasks>(lease->command);
}

}  // namespace

LeaseWaits::LeaseWaits() = default;
LeaseWaits::~LeaseWaits() = default;

void LeaseWaits::add(std::unique_ptr<Submission> lease) {
  const LeaseTasks& command = lease_of(lease);
  const Number number = ++last_;
  for (const std::string& kind : command.spec.kinds) by_kind_[kind].emplace(number, &command.spec);
  if (command.spec.kinds.empty()) of_any_.emplace(number, &command.spec);
  due_.emplace(command.until, number);
  waiting_.emplace(number, std::move(lease));
}

std::unique_ptr<Submission> LeaseWaits::remove(Number number) {
  auto lease = std::move(waiting_.extract(number).mapped());
  const LeaseTasks& command = lease_of(lease);
  due_.erase({command.until, number});
  of_any_.erase(number);
  for (const std::string& kind : command.spec.kinds) {
    const auto entry = by_kind_.find(kind);
    if (entry == by_kind_.end()) continue;  // named twice
    entry->second.erase(number);
    if (entry->second.empty()) by_kind_.erase(entry);
  }
  return lease;
}

std::unique_ptr<Submission> LeaseWaits::remove_late(SteadyTime now) {
  if (due_.empty() || due_.begin()->first > now) return nullptr;
  return remove(due_.begin()->second);
}

std::optional<SteadyTime> LeaseWaits::next_due() const {
  return due_.empty() ? std::nullopt : std::optional(due_.begin()->first);
}

std::vector<std::unique_ptr<Submission>> LeaseWaits::remove_all() {
  std::vector<std::unique_ptr<Submission>> all;
  for (auto& [number, lease] : waiting_) all.push_back(std::move(lease));
  waiting_.clear();
  by_kind_.clear();
  of_any_.clear();
  due_.clear();
  return all;
}

const LeaseSpec& LeaseWaits::spec(Number number) const {
  return lease_of(waiting_.find(number)->second).spec;
}

const LeaseWaits::OfKind& LeaseWaits::of(std::string_view kind) const {
  static const OfKind none;
  const auto entry = by_kind_.find(kind);
  return entry == by_kind_.end() ? none : entry->second;
}

}  // namespace almanac
