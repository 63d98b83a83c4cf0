// Changes of what is remembered, and of what is known of users, as requests over HTTP say them;
// both ways.
#pragma once

#include <almanac/engine/context_spec.h>
#include <almanac/engine/memory_spec.h>
#include <almanac/log/error.h>

#include <nlohmann/json_fwd.hpp>

namespace almanac {

// {"store": […], "update": […], "forget": [7], "forget_expected": {"7": 41}, "reason": "…"}; an
// update is an entry's members that change, with its number as `memory`, and `expected`.
[[nodiscard]] nlohmann::ordered_json memory_transaction_json(const MemoryTransaction& transaction);
// Errors of these: invalid (the member is named).
[[nodiscard]] Result<MemoryTransaction> memory_transaction_of(const nlohmann::ordered_json& json,
                                                              Time now);
// One update; the members that an answer has beside are passed over.
[[nodiscard]] Result<MemoryUpdate> memory_update_of(MemoryId id,
                                                    const nlohmann::ordered_json& json);

// {"preferences": {…}, "friendship": 0.5, "fields": {…}, "add_turns": [{"role", "text"}]}: null
// takes a preference or a field away, what is not said stays.
[[nodiscard]] nlohmann::ordered_json context_changes_json(const ContextChanges& changes);
[[nodiscard]] Result<ContextChanges> context_changes_of(const nlohmann::ordered_json& json);

}  // namespace almanac
