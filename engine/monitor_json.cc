#include <almanac/engine/monitor.h>

#include <nlohmann/json.hpp>

namespace almanac {
namespace {

using nlohmann::ordered_json;

ordered_json json_of(const SlowOperation& slow) {
  return {{"ended_us", slow.ended.time_since_epoch().count()},
          {"took_ns", slow.took.count()},
          {"succeeded", slow.succeeded},
          {"retries", slow.retries}};
}

ordered_json json_of(const std::vector<HealthReason>& reasons) {
  ordered_json all = ordered_json::array();
  for (const HealthReason& reason : reasons) {
    all.push_back({{"health", name(reason.health)}, {"reason", reason.sentence}});
  }
  return all;
}

ordered_json json_of(const OperationReport& report) {
  ordered_json json{{"operation", report.operation},
                    {"health", name(report.health())},
                    {"alert", report.is_alerting},
                    {"reasons", json_of(report.reasons)},
                    {"succeeded", report.succeeded},
                    {"failed", report.failed},
                    {"success_rate", report.success_rate()},
                    {"retries", report.retries},
                    {"average_ns", report.average.count()},
                    {"p50_ns", report.p50.count()},
                    {"p90_ns", report.p90.count()},
                    {"p95_ns", report.p95.count()},
                    {"p99_ns", report.p99.count()},
                    {"longest_ns", report.longest.count()},
                    {"window",
                     {{"ended", report.ended_in_window},
                      {"failed", report.failed_in_window},
                      {"slow", report.slow_in_window}}}};
  json["errors"] = ordered_json::object();
  for (const ErrorCount& error : report.errors) {
    json["errors"][error.rule] = {{"total", error.total}, {"window", error.in_window}};
  }
  json["slow"] = ordered_json::array();
  for (const SlowOperation& slow : report.slow) json["slow"].push_back(json_of(slow));
  return json;
}

}  // namespace

std::string to_json(const MonitorReport& report) {
  ordered_json json{{"health", name(report.health())}, {"reasons", json_of(report.reasons())}};
  json["operations"] = ordered_json::array();
  for (const auto& operation : report.operations) json["operations"].push_back(json_of(operation));
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace almanac
