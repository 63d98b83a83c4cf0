#include <almanac/engine/state_health.h>

#include <almanac/engine/limits.h>
#include <almanac/log/printable.h>
#include <almanac/log/time_text.h>

#include <algorithm>
#include <string>
#include <utility>

namespace almanac {
namespace {

// What an engine does late is late by more than it may take to start one.
constexpr Duration late = limits::firing_lateness_max;
constexpr std::uint64_t backup_failures_unhealthy = 3;

class HealthReasons {
 public:
  HealthReasons(const State& state, Time now) : state_(state), now_(now) {}

  std::vector<HealthReason> find() {
    for (const auto& [service, circuit] : state_.circuits.all) look_at(service, circuit);
    for (const auto& [id, job] : state_.backups.jobs) look_at(id, job);
    for (const auto& [id, component] : state_.components.all) {
      if (component.kept) look_at(id, component);
    }
    for (const auto& [id, device] : state_.gpu.devices) look_at(id, device);
    for (const auto& [key, heap] : state_.gpu.heaps) look_at(key, heap);
    for (const auto& [id, advisor] : state_.advisors.all) look_at(id, advisor);
    return std::move(reasons_);
  }

 private:
  void add(Health health, std::string sentence) {
    reasons_.push_back({health, std::move(sentence)});
  }
  [[nodiscard]] std::string quoted(NameId id) const {
    return "'" + printable(state_.names.text(id)) + "'";
  }

  void look_at(NameId service, const Circuit& circuit) {
    const std::string name = "the circuit of " + quoted(service) + " is ";
    switch (circuit.state) {
      case CircuitState::closed:
      case CircuitState::forced_closed: break;
      case CircuitState::open:
        add(Health::degraded, name + "open until " + format_second(circuit.until));
        break;
      case CircuitState::half_open: add(Health::degraded, name + "half open"); break;
      case CircuitState::forced_open:
        add(Health::degraded, name + "kept open until it is reset");
        break;
    }
  }

  void look_at(NameId id, const BackupJob& job) {
    const std::string name = "the backup job " + quoted(id) + " ";
    if (job.failures_in_row > 0) {
      const bool is_bad = job.failures_in_row >= backup_failures_unhealthy;
      add(is_bad ? Health::unhealthy : Health::degraded,
          name + "has failed " + std::to_string(job.failures_in_row) +
              (job.failures_in_row == 1 ? " time in a row" : " times in a row"));
    }
    if (job.is_scheduled() && !job.running && job.next + late < now_) {
      add(Health::degraded, name + "was due at " + format_second(job.next));
    }
  }

  // What an operator wants to be used is no fallback, and what was not looked at yet may be well.
  void look_at(NameId id, const Component& component) {
    const Components& components = state_.components;
    const std::string name = "the component " + quoted(id) + " ";
    const ImplementationHealth* first = components.implementations.find({id, 0});
    bool is_known = true;
    for (auto entry = components.implementations.lower_bound({id, 0});
         entry != components.implementations.end() && entry->key.component == id; ++entry) {
      const ImplementationHealth& health = entry->value;
      is_known = is_known && health.state != ImplementationState::unknown;
      look_at_repair(name, health);
    }
    if (!component.active && is_known) {
      add(Health::unhealthy, name + "has no implementation that can be used");
    }
    const bool is_fallback = component.active && !component.pinned && first != nullptr &&
                             first->name != *component.active &&
                             first->state != ImplementationState::unknown;
    if (is_fallback) {
      add(Health::degraded,
          name + "runs on " + quoted(*component.active) + " in place of " + quoted(first->name));
    }
  }

  void look_at_repair(const std::string& component, const ImplementationHealth& health) {
    const std::string repair =
        component + "has " + quoted(health.name) + " (" + std::string(name(health.issue)) + ") ";
    if (health.state == ImplementationState::given_up) {
      add(Health::degraded, repair + "given up");
    } else if (health.attempts > 0 && health.issue != ComponentIssue::none) {
      add(Health::degraded, repair + "not repaired by " + std::to_string(health.attempts) +
                                (health.attempts == 1 ? " attempt" : " attempts"));
    }
  }

  void look_at(NameId, const GpuDevice& device) {
    const bool is_lost = device.presence == GpuPresence::lost;
    if (!is_lost && device.presence != GpuPresence::driver) return;
    add(Health::degraded, "the GPU " + quoted(device.name) +
                              (is_lost ? " is lost since " : " has no driver that works since ") +
                              format_second(device.changed_at));
  }

  void look_at(const GpuHeapKey& key, const GpuHeap& heap) {
    if (heap.level != GpuLevel::critical) return;
    const GpuMemory& memory = heap.memory;
    add(Health::degraded, "of the memory of the GPU " +
                              quoted(state_.gpu.devices.find(key.device)->name) + " " +
                              percent_text(memory.used(), memory.size) +
                              " is used, critical since " + format_second(heap.alert_at));
  }

  void look_at(NameId id, const AdvisorRecord& advisor) {
    const bool holds_back = advisor.mode == AdvisorMode::holding_back;
    if (!holds_back && advisor.mode != AdvisorMode::fallen_back) return;
    add(holds_back ? Health::unhealthy : Health::degraded,
        "the advisor " + quoted(id) + " does not advise since " +
            format_second(advisor.changed_at) +
            (holds_back ? ", and nothing begins without it" : ""));
  }

  const State& state_;
  const Time now_;
  std::vector<HealthReason> reasons_;
};

}  // namespace

std::vector<HealthReason> health_reasons(const State& state, Time now) {
  auto reasons = HealthReasons(state, now).find();
  std::ranges::stable_sort(reasons, std::ranges::greater(), &HealthReason::health);
  return reasons;
}

}  // namespace almanac
