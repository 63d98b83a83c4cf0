#include <almanac/projections/lane_claims.h>

#include <algorithm>

namespace almanac {
namespace {

void add_claims(const State& state, const LimitDemand& demand, std::vector<LaneClaim>& claims) {
  const LimitSetting setting = setting_of(state.limits, state.names, demand.limit);
  if (setting.per_minute > 0) claims.push_back({ClaimOn::tokens, demand.limit, demand.units});
  if (setting.units > 0) claims.push_back({ClaimOn::units, demand.limit, demand.units});
}

std::uint32_t slots_of(const State& state, NameId queue) {
  const std::uint32_t* slots = state.queues.slots.find(queue);
  return slots == nullptr ? 0 : *slots;
}

ClaimRoom room_of(std::uint64_t most, std::uint64_t used) {
  return {most, most > used ? most - used : 0};
}

}  // namespace

std::vector<LaneClaim> claims_of(const State& state, const Lane& lane) {
  std::vector<LaneClaim> claims;
  if (const NameId* limit = state.limits.kinds.find(lane.kind)) {
    add_claims(state, {*limit, 1}, claims);
  }
  for (const LimitDemand& demand : state.tasks.demand_sets.of(lane.demands)) {
    add_claims(state, demand, claims);
  }
  if (slots_of(state, lane.queue) > 0) claims.push_back({ClaimOn::queue_slots, lane.queue, 1});
  std::ranges::stable_sort(claims, {}, &LaneClaim::on);
  return claims;
}

std::uint64_t units_in_use(const State& state, NameId limit) {
  std::uint64_t units = 0;
  for (auto entry = state.tasks.in_use.lower_bound({limit, TaskId()});
       entry != state.tasks.in_use.end() && (*entry).key.limit == limit; ++entry) {
    units += (*entry).value;
  }
  const auto kind = state.names.find(kind_of_limit(state.names.text(limit)));
  if (!kind || state.names.text(*kind).empty()) return units;
  for (const RunningKey& key : state.tasks.running) {
    if (state.tasks.all.find(key.id)->kind == *kind) ++units;
  }
  return units;
}

ClaimRoom room_for(const State& state, const LaneClaim& claim, Time now) {
  if (claim.on == ClaimOn::queue_slots) {
    return room_of(slots_of(state, claim.limit), state.tasks.running_in(claim.limit));
  }
  const LimitSetting setting = setting_of(state.limits, state.names, claim.limit);
  if (claim.on == ClaimOn::units) return room_of(setting.units, units_in_use(state, claim.limit));
  return {setting.burst, tokens_at(state.limits, claim.limit, setting, now)};
}

}  // namespace almanac
