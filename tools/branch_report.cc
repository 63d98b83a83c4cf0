#include <almanac/tools/branch_report.h>

#include <almanac/tools/origin_json.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {

void print(const BranchReport& report) {
  fmt::print("timeline  {}\norigin    {} at position {}\n", to_hex(report.timeline),
             to_hex(report.origin.timeline), report.origin.position.value);
}

nlohmann::ordered_json json_of(const BranchReport& report) {
  return {{"timeline", to_hex(report.timeline)},
          {"origin", origin_json(report.origin)},
          {"last", report.last.value}};
}

}  // namespace almanac
