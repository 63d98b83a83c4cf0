// What can be typed behind `almanac health` and `almanac diagnostics`.
#include <almanac/tools/health_commands.h>

#include <almanac/tools/command_line.h>

namespace almanac {

void add_health_command(CommandGroup& root) {
  auto [options, command] = root.add<HealthCommand>(
      {"health", "Tell how well it goes, and why not better",
       "almanac health\n  almanac health --window 5m --json\n"
       "  Ends with 0 when it is healthy, and with 1 when it is degraded or unhealthy."},
      health);
  options.text("--window", command.window, {"TIME", "What ended or died within it counts; 1h"});
  options.text("--at", command.at, at_help);
}

void add_diagnostics_commands(CommandGroup& diagnostics) {
  auto [options, command] = diagnostics.add<DiagnosticsExportCommand>(
      {"export", "Write one JSON file with what helps from afar",
       "almanac diagnostics export problem.json\n"
       "  There is no payload, result, output, argument, environment, label or key in\n"
       "  it; what there is: docs/guides/resilience.md."},
      diagnostics_export);
  options.text("file", command.file, {"", "File to write, - for standard output"});
  options.require("file");
  options.text("--window", command.window, {"TIME", "For rates, percentiles and health; 1d"});
  options.number("--errors", command.errors, {}, {"NUMBER", "Of failed attempts, the last; 100"});
}

}  // namespace almanac
