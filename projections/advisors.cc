#include <almanac/projections/advisors.h>

#include <almanac/projections/tasks.h>

#include <vector>

namespace almanac {
namespace {

// The record of an advisor, made when there is none.
AdvisorRecord& change(Advisors& advisors, Names& names, std::string_view advisor) {
  const NameId id = names.intern(advisor);
  if (!advisors.all.contains(id)) advisors.all.set(id, {});
  return *advisors.all.edit(id);
}

// None where it is in that mode already.
AdvisorRecord* enter(Advisors& advisors, Names& names, const EventPlace& place,
                     std::string_view advisor, AdvisorMode mode) {
  const auto id = names.find(advisor);
  const AdvisorRecord* known = id ? advisors.all.find(*id) : nullptr;
  if (known != nullptr && known->mode == mode) return nullptr;
  AdvisorRecord& record = change(advisors, names, advisor);
  record.mode = mode;
  record.changed = place.position;
  record.changed_at = place.at;
  return &record;
}

}  // namespace

std::string_view name(AdvisorMode mode) {
  switch (mode) {
    case AdvisorMode::absent: return "absent";
    case AdvisorMode::advising: return "advising";
    case AdvisorMode::fallen_back: return "fallen_back";
    case AdvisorMode::holding_back: return "holding_back";
  }
  return "unknown";
}

bool fold(Advisors& advisors, Names& names, const EventPlace& place, const AdvisorFellBack& event) {
  const auto mode = event.holds_back ? AdvisorMode::holding_back : AdvisorMode::fallen_back;
  AdvisorRecord* record = enter(advisors, names, place, event.advisor, mode);
  if (record == nullptr) return false;
  ++record->fell_back[static_cast<std::size_t>(event.fault)];
  record->trouble = place.position;
  return true;
}

bool fold(Advisors& advisors, Names& names, const EventPlace& place, const AdvisorReturned& event) {
  AdvisorRecord* record = enter(advisors, names, place, event.advisor, AdvisorMode::advising);
  if (record == nullptr) return false;
  ++record->returned;
  return true;
}

void count_begun(Advisors& advisors, Names& names, std::string_view advisor) {
  ++change(advisors, names, advisor).begun;
}

void forget_advisors(Advisors& advisors) {
  std::vector<NameId> present;
  for (const auto& [id, record] : advisors.all) {
    if (record.mode != AdvisorMode::absent) present.push_back(id);
  }
  for (const NameId id : present) advisors.all.edit(id)->mode = AdvisorMode::absent;
}

std::optional<NameId> held_back_by(const Advisors& advisors) {
  for (const auto& [id, record] : advisors.all) {
    if (record.mode == AdvisorMode::holding_back) return id;
  }
  return std::nullopt;
}

void Advisors::hash_into(StateHasher& hasher) const {
  if (all.empty()) return;
  constexpr std::uint64_t part = 0x61647669736f7273;  // "advisors"
  hasher.number(part);
  hasher.number(all.size());
  for (const auto& [id, record] : all) {
    hasher.numbers(
        std::array{std::uint64_t{id.value}, std::uint64_t(record.mode), record.returned,
                   record.begun, record.changed.value,
                   static_cast<std::uint64_t>(record.changed_at.time_since_epoch().count()),
                   record.trouble.value});
    hasher.numbers(record.fell_back);
  }
}

}  // namespace almanac
