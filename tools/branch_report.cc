#include <almanac/tools/branch_report.h>

#include <almanac/tools/origin_json.h>
#include <almanac/tools/text.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {

Result<RunningTasks> parse_running(std::string_view name) {
  if (name == "cancel") return RunningTasks::cancel;
  if (name == "requeue") return RunningTasks::requeue;
  return fail(ErrorCode::invalid, "--running is cancel or requeue, not '" + printable(name) + "'");
}

void print(const BranchReport& report) {
  fmt::print("timeline  {}\norigin    {} at position {}\n", to_hex(report.timeline),
             to_hex(report.origin.timeline), report.origin.position.value);
  if (report.cancelled > 0) {
    fmt::print("cancelled {} that ran there; --running requeue lets them run again\n",
               counted(report.cancelled, "task"));
  }
  if (report.requeued > 0) {
    fmt::print("requeued  {} that ran there\n", counted(report.requeued, "task"));
  }
}

nlohmann::ordered_json json_of(const BranchReport& report) {
  return {{"timeline", to_hex(report.timeline)},
          {"origin", origin_json(report.origin)},
          {"last", report.last.value},
          {"cancelled", report.cancelled},
          {"requeued", report.requeued}};
}

}  // namespace almanac
