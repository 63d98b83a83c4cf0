// What a state holds, as programs read it: what lists and `show` print with --json.
#pragma once

#include <almanac/projections/state.h>

#include <nlohmann/json_fwd.hpp>

#include <string_view>

namespace almanac {

// null where it is not set.
[[nodiscard]] nlohmann::ordered_json time_json(Time time);
// What is known of a backup job, a schedule, a circuit or its setting, a pool, or an advisor, by
// name; null where it is not set.
[[nodiscard]] nlohmann::ordered_json job_json(const BackupJob& job);
[[nodiscard]] nlohmann::ordered_json schedule_json(const Schedule& schedule);
[[nodiscard]] nlohmann::ordered_json circuit_json(const Circuit& circuit);
// The same with its name, its setting, and how many tasks wait for it.
[[nodiscard]] nlohmann::ordered_json circuit_json(const State& state, NameId service);
// Ready tasks that ask for a service or a limit. O(lanes).
[[nodiscard]] std::uint64_t tasks_waiting_for(const State& state, NameId limit);
[[nodiscard]] nlohmann::ordered_json circuit_setting_json(const CircuitSetting& setting);
[[nodiscard]] nlohmann::ordered_json pool_json(const PoolRecord& record);
[[nodiscard]] nlohmann::ordered_json advisor_json(const AdvisorRecord& record);
// The same of a component, alone and with its implementations, of one of those, and of what is on
// record of how well things go.
[[nodiscard]] nlohmann::ordered_json component_json(const Names& names, const Component& component);
[[nodiscard]] nlohmann::ordered_json component_json(const State& state, NameId component);
[[nodiscard]] nlohmann::ordered_json health_json(const ImplementationHealth& health);
[[nodiscard]] nlohmann::ordered_json health_json(const HealthRecord& record);
// The same of a GPU, and of one of its heaps.
[[nodiscard]] nlohmann::ordered_json gpu_json(const Names& names, const GpuDevice& device);
[[nodiscard]] nlohmann::ordered_json gpu_heap_json(const GpuHeap& heap);
[[nodiscard]] nlohmann::ordered_json gpu_memory_json(const GpuMemory& memory);
// The same of a principal, and of a request or a refusal that is on record at a position.
[[nodiscard]] nlohmann::ordered_json audit_counts_json(const AuditCounts& counts);
[[nodiscard]] nlohmann::ordered_json audit_entry_json(const Names& names, Position position,
                                                      const AuditEntry& entry, bool is_refusal);
// The same of a model.
[[nodiscard]] nlohmann::ordered_json model_json(const Names& names, const Model& model);
[[nodiscard]] nlohmann::ordered_json model_json(const State& state, std::string_view model_name,
                                                const Model& model);

}  // namespace almanac
