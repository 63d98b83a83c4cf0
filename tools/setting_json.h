// Settings as requests over HTTP say them: with the members under which answers show them, so that
// what was read can be sent back. Those of answers that are no settings are passed over.
#pragma once

#include <almanac/engine/command.h>
#include <almanac/log/error.h>

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace almanac {

// What is not said is in no object, and stays as it is.
[[nodiscard]] nlohmann::ordered_json queue_setting_json(const ConfigureQueue& setting);
// Errors of these: invalid (the member is named).
[[nodiscard]] Result<ConfigureQueue> queue_setting_of(std::string queue,
                                                      const nlohmann::ordered_json& json);

[[nodiscard]] nlohmann::ordered_json limit_setting_json(const LimitSetting& setting);
// A limit of nothing is refused: it is lifted in another way.
[[nodiscard]] Result<LimitSetting> limit_setting_of(const nlohmann::ordered_json& json);

// The other way is circuit_setting_json() (state_json.h). What is not said is as in
// CircuitSetting.
[[nodiscard]] Result<CircuitSetting> circuit_setting_of(const nlohmann::ordered_json& json);

// A model with its commands, without functions.
[[nodiscard]] nlohmann::ordered_json model_setting_json(const ModelSpec& model);
[[nodiscard]] Result<ModelSpec> model_setting_of(std::string model,
                                                 const nlohmann::ordered_json& json);

// All but the task, which is under `enqueues`: task_request.h reads and writes that.
[[nodiscard]] nlohmann::ordered_json schedule_setting_json(const ScheduleSpec& schedule);
[[nodiscard]] Result<ScheduleSpec> schedule_setting_of(std::string schedule,
                                                       const nlohmann::ordered_json& json);

}  // namespace almanac
