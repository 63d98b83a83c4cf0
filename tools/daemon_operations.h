// Operations of a daemon, by requests; and what both kinds of them share.
#pragma once

#include <almanac/engine/trim_report.h>
#include <almanac/tools/operations.h>
#include <almanac/tools/running_daemon.h>

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <memory>

namespace almanac {

[[nodiscard]] std::unique_ptr<Operations> daemon_operations(RunningDaemon daemon,
                                                            std::filesystem::path folder);

// With what keeps the rest of the log, by the state behind the trim.
[[nodiscard]] TrimAnswer trim_answer(const EngineTrimReport& report, const State& state);
// As `almanac log trim --json` prints it, with the position that is needed; and back. Errors:
// unknown_outcome (it makes no sense).
[[nodiscard]] nlohmann::ordered_json trim_json(const TrimAnswer& answer);
[[nodiscard]] Result<TrimAnswer> trim_answer_in(const nlohmann::ordered_json& json);
// {"before": 100, "older_than": time, "keep_bytes": 4096}; both ways. Errors: invalid.
[[nodiscard]] nlohmann::ordered_json trim_options_json(const TrimOptions& options);
[[nodiscard]] Result<TrimOptions> trim_options_of(const nlohmann::ordered_json& json, Time now);

}  // namespace almanac
