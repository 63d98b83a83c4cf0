#include <almanac/tools/folder_health.h>
#include <almanac/tools/health_commands.h>
#include <almanac/tools/source.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/engine/engine.h>

#include <fmt/core.h>

#include <algorithm>

namespace almanac {

ExitCode health(const HealthCommand& command) {
  auto window = parse_duration(command.window);
  if (!window) return report(window.error());
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const bool is_past = !command.at.empty();
  const Time now = is_past ? source->state.time : std::max(system_time(), source->state.time);
  auto found = assess({.log = *source->log,
                       .state = source->state,
                       .folder = command.folder,
                       .now = now,
                       .window = *window,
                       .is_past = is_past});
  if (!found) return report(found.error());
  const Health health = found->health();
  if (command.json) {
    fmt::print("{}\n", printable_json(health_json(*found).dump()));
  } else {
    const HealthRecord& recorded = found->recorded;
    const std::string since = " since " + format_second(recorded.since);
    const bool is_recorded = recorded.changes > 0 && recorded.health == health;
    fmt::print("{}{}\n", name(health), is_recorded ? since : "");
    if (recorded.changes > 0 && !is_recorded) {
      fmt::print("  on record  {}{}\n", name(recorded.health), since);
    }
    for (const HealthReason& reason : found->reasons) {
      fmt::print("  {:<9}  {}\n", name(reason.health), reason.sentence);
    }
  }
  return health == Health::healthy ? ExitCode::ok : ExitCode::work_failed;
}

}  // namespace almanac
