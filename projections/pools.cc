#include <almanac/projections/pools.h>

#include <almanac/projections/tasks.h>

#include <vector>

namespace almanac {
namespace {

// The record of a pool, made when there is none, with its last event.
PoolRecord& change(Pools& pools, Names& names, const EventPlace& place, std::string_view pool) {
  const NameId id = names.intern(pool);
  if (!pools.all.contains(id)) pools.all.set(id, {});
  PoolRecord& record = *pools.all.edit(id);
  record.changed = place.position;
  record.changed_at = place.at;
  return record;
}

}  // namespace

bool is_trouble(PoolRetirement reason) {
  switch (reason) {
    case PoolRetirement::slow:
    case PoolRetirement::error:
    case PoolRetirement::probe:
    case PoolRetirement::discarded: return true;
    case PoolRetirement::age:
    case PoolRetirement::uses:
    case PoolRetirement::surplus:
    case PoolRetirement::closed: return false;
  }
  return false;
}

bool fold(Pools& pools, Names& names, const EventPlace& place, const InstanceCreated& event) {
  PoolRecord& record = change(pools, names, place, event.pool);
  ++record.alive;
  ++record.created;
  return true;
}

bool fold(Pools& pools, Names& names, const EventPlace& place, const InstanceRetired& event) {
  const auto id = names.find(event.pool);
  const PoolRecord* known = id ? pools.all.find(*id) : nullptr;
  if (known == nullptr || known->alive == 0) return false;
  PoolRecord& record = change(pools, names, place, event.pool);
  --record.alive;
  ++record.retired[static_cast<std::size_t>(event.reason)];
  if (is_trouble(event.reason)) record.trouble = place.position;
  return true;
}

bool fold(Pools& pools, Names& names, const EventPlace& place, const InstanceFailed& event) {
  PoolRecord& record = change(pools, names, place, event.pool);
  ++record.failed;
  record.trouble = place.position;
  return true;
}

bool fold(Pools& pools, Names& names, const EventPlace& place, const PoolExhausted& event) {
  ++change(pools, names, place, event.pool).exhausted;
  return true;
}

void forget_instances(Pools& pools) {
  std::vector<NameId> alive;
  for (const auto& [id, record] : pools.all) {
    if (record.alive > 0) alive.push_back(id);
  }
  for (const NameId id : alive) pools.all.edit(id)->alive = 0;
}

void Pools::hash_into(StateHasher& hasher) const {
  if (all.empty()) return;
  constexpr std::uint64_t part = 0x706f6f6c73;  // "pools"
  hasher.number(part);
  hasher.number(all.size());
  for (const auto& [id, record] : all) {
    hasher.numbers(
        std::array{std::uint64_t{id.value}, record.alive, record.created, record.failed,
                   record.exhausted, record.changed.value,
                   static_cast<std::uint64_t>(record.changed_at.time_since_epoch().count()),
                   record.trouble.value});
    hasher.numbers(record.retired);
  }
}

}  // namespace almanac
