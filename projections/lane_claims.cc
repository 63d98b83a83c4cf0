#include <almanac/projections/lane_claims.h>

#include <almanac/projections/gpu_memory.h>

#include <algorithm>
#include <limits>

namespace almanac {
namespace {

constexpr std::uint64_t any_number = std::numeric_limits<std::uint64_t>::max() / 2;

// A circuit that has just closed lets those begin that waited for it at the pace of a recovery.
void add_circuit(const State& state, NameId service, std::vector<LaneClaim>& claims) {
  if (!guards(state.circuits, state.names, service)) return;
  claims.push_back({ClaimOn::circuit, service, 1});
  if (circuit_of(state.circuits, service).paced == 0) return;
  const auto pace = state.names.find(recovery_limit_of_circuit(state.names.text(service)));
  if (pace && setting_of(state.limits, state.names, *pace).per_minute > 0) {
    claims.push_back({ClaimOn::tokens, *pace, 1});
  }
}

void add_claims(const State& state, const LimitDemand& demand, std::vector<LaneClaim>& claims) {
  const LimitSetting setting = setting_of(state.limits, state.names, demand.limit);
  if (setting.per_minute > 0) claims.push_back({ClaimOn::tokens, demand.limit, demand.units});
  if (setting.units > 0) claims.push_back({ClaimOn::units, demand.limit, demand.units});
}

void add_model(const State& state, NameId model, std::vector<LaneClaim>& claims) {
  if (state.models.all.contains(model)) claims.push_back({ClaimOn::model, model, 1});
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
    if (is_gpu_memory(state.names.text(demand.limit))) {
      claims.push_back({ClaimOn::gpu_memory, demand.limit, demand.units});
      continue;
    }
    add_circuit(state, demand.limit, claims);
    add_model(state, demand.limit, claims);
    add_claims(state, demand, claims);
  }
  if (slots_of(state, lane.queue) > 0) claims.push_back({ClaimOn::queue_slots, lane.queue, 1});
  std::ranges::stable_sort(claims, {}, &LaneClaim::on);
  return claims;
}

bool is_usable(const State& state, const Model& model) {
  if (!model.is_loaded()) return false;
  const GpuDevice* device = state.gpu.devices.find(*model.gpu);
  return device != nullptr && device->presence == GpuPresence::present;
}

std::uint64_t tasks_with(const State& state, NameId model) {
  std::uint64_t tasks = 0;
  for (auto entry = state.tasks.in_use.lower_bound({model, TaskId()});
       entry != state.tasks.in_use.end() && (*entry).key.limit == model; ++entry) {
    ++tasks;
  }
  return tasks;
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

namespace {

// The most of any GPU it can be of, in MiB.
std::uint64_t most_to_give(const State& state, NameId demand, Time now) {
  const GpuAsked asked = gpu_asked(state, demand);
  std::uint64_t most = 0;
  for (const auto& [id, device] : state.gpu.devices) {
    if (!asked.is_known || (asked.gpu && *asked.gpu != id)) continue;
    most = std::max(most, memory_to_give(state, id, now) / bytes_of_mebibyte);
  }
  return most;
}

}  // namespace

ClaimRoom room_for(const State& state, const LaneClaim& claim, Time now) {
  if (claim.on == ClaimOn::queue_slots) {
    return room_of(slots_of(state, claim.limit), state.tasks.running_in(claim.limit));
  }
  if (claim.on == ClaimOn::circuit) {
    const std::uint64_t free = admits(state.circuits, claim.limit);
    const std::uint64_t most = circuit_of(state.circuits, claim.limit).probes;
    return {std::max({most, free, std::uint64_t{1}}), free};
  }
  if (claim.on == ClaimOn::model) {
    const Model* model = state.models.all.find(claim.limit);
    return {any_number, model != nullptr && is_usable(state, *model) ? any_number : 0};
  }
  if (claim.on == ClaimOn::gpu_memory) {
    return {any_number, most_to_give(state, claim.limit, now)};
  }
  const LimitSetting setting = setting_of(state.limits, state.names, claim.limit);
  if (claim.on == ClaimOn::units) return room_of(setting.units, units_in_use(state, claim.limit));
  return {setting.burst, tokens_at(state.limits, claim.limit, setting, now)};
}

}  // namespace almanac
