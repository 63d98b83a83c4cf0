#include <almanac/tools/log_commands.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/log/compact.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {

ExitCode log_compact(const LogCompactCommand& command) {
  auto report = compact(command.folder);
  if (!report) return almanac::report(report.error());
  if (command.json) {
    nlohmann::ordered_json json{{"events", report->last.value},
                                {"frames", report->frames},
                                {"bytes_before", report->bytes_before},
                                {"bytes_after", report->bytes_after}};
    fmt::print("{}\n", json.dump());
  } else if (report->bytes_after == report->bytes_before) {
    fmt::print("nothing to gain: {} in {}\n", counted(report->last.value, "event"),
               format_bytes(report->bytes_before));
  } else {
    fmt::print("{} in {}, {} before\n", counted(report->last.value, "event"),
               format_bytes(report->bytes_after), format_bytes(report->bytes_before));
  }
  return ExitCode::ok;
}

}  // namespace almanac
