// Jobs that come again and again: [[cron]] of the configuration, kept as schedules of the engine.
//
//   [[cron]]
//   schedule = "*/5 * * * *"
//     [cron.job]
//     type = "Report"
//     args = ["daily"]
#pragma once

#include <almanac/engine/engine.h>
#include <almanac/log/error.h>
#include <almanac/tools/workload_value.h>

#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// What the names of these schedules begin with. Others are let be.
inline constexpr std::string_view wire_cron_prefix = "faktory-cron-";

// A value. It has been checked when it was read.
struct WireCron {
  std::string schedule;  // five or six fields, or whatever else Recurrence::parse() takes
  std::string job;       // as JSON, without a jid: each time has one of its own
  bool operator==(const WireCron&) const = default;
};

// One of them as a configuration has it. Faults name the line.
[[nodiscard]] workload::Checked<WireCron> read_wire_cron(const workload::Value& value);

// From now on there are these and no others; those that are as they were go on. All of it in one
// append, or nothing. Waits for a disk. Errors: those of Engine::set_schedules.
[[nodiscard]] Result<void> set_wire_crons(Engine& engine, const std::vector<WireCron>& crons);

}  // namespace almanac
