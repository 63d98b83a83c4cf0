#include <almanac/projections/components.h>

namespace almanac {
namespace {

std::uint64_t number(Duration duration) { return static_cast<std::uint64_t>(duration.count()); }
std::uint64_t number(Time time) { return number(time.time_since_epoch()); }
std::uint64_t number(const std::optional<NameId>& name) {
  return name ? std::uint64_t{name->value} + 1 : 0;
}

void hash_implementations(
    StateHasher& hasher,
    const PersistentMap<ComponentPlace, ImplementationHealth>& implementations) {
  for (const auto& [place, health] : implementations) {
    hasher.numbers(std::array{
        std::uint64_t{place.component.value}, std::uint64_t{place.place},
        std::uint64_t{health.name.value}, std::uint64_t{health.traits.number()},
        std::uint64_t(health.state), std::uint64_t(health.issue), std::uint64_t(health.trend),
        health.diagnosed.value, number(health.next_check), number(health.took_average),
        number(health.repair_at), std::uint64_t{health.attempts},
        std::uint64_t{health.attempts_total}, std::uint64_t{health.tried},
        std::uint64_t{health.requested}, health.checks, health.failures});
    for (const Time at : health.failed_at) hasher.number(number(at));
  }
}

}  // namespace

// Where there are none nothing is hashed, as before there was such a thing.
void Components::hash_into(StateHasher& hasher) const {
  if (empty()) return;
  constexpr std::uint64_t part = 0x636f6d706f6e656e;  // "componen"
  hasher.numbers(std::array{part, std::uint64_t{all.size()}, std::uint64_t{implementations.size()},
                            std::uint64_t{repairs.size()}, std::uint64_t{strategies.size()}});
  for (const auto& [id, component] : all) {
    const ComponentSetting& setting = component.setting;
    hasher.text(component.folder);
    hasher.numbers(std::array{
        std::uint64_t{id.value}, std::uint64_t{setting.attempts_max}, number(setting.backoff),
        number(setting.backoff_max), number(setting.build_timeout), number(setting.check_interval),
        std::uint64_t{component.kept}, number(component.active), number(component.pinned),
        component.switched.value, component.switches});
  }
  hash_implementations(hasher, implementations);
  for (const auto& [started, repair] : repairs) {
    hasher.numbers(std::array{started.value, std::uint64_t{repair.component.value},
                              std::uint64_t{repair.implementation.value},
                              std::uint64_t(repair.issue), std::uint64_t(repair.left),
                              std::uint64_t(repair.strategy), std::uint64_t(repair.outcome),
                              std::uint64_t{repair.attempt}, number(repair.started_at),
                              number(repair.deadline), repair.ended.value, number(repair.took)});
  }
  for (const auto& [key, record] : strategies) {
    hasher.numbers(std::array{std::uint64_t(key.issue), std::uint64_t(key.strategy), record.helped,
                              record.failed});
  }
}

}  // namespace almanac
