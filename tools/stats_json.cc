#include <almanac/tools/stats_json.h>

#include <almanac/tools/units.h>

namespace almanac {
namespace {

using nlohmann::ordered_json;

ordered_json quantiles_json(const std::vector<Duration>& rising) {
  return {{"count", rising.size()},
          {"p50_us", quantile(rising, 0.5).count()},
          {"p95_us", quantile(rising, 0.95).count()},
          {"max_us", quantile(rising, 1).count()}};
}

}  // namespace

double events_per_hour(std::uint64_t count, const GatheredStats& gathered) {
  const double hours =
      std::chrono::duration<double, std::ratio<3600>>(gathered.to - gathered.from).count();
  return hours > 0 ? static_cast<double>(count) / hours : 0;
}

ordered_json stats_json(const TaskStats& stats, const GatheredStats& gathered) {
  ordered_json json;
  for (std::size_t i = 0; i < stats.counts.size(); ++i) {
    json["tasks"][std::string(name(static_cast<TaskState>(i)))] = stats.counts[i];
  }
  json["live"] = stats.live();
  json["overdue"] = stats.overdue;
  json["since"] = format_time(gathered.from);
  json["until"] = format_time(gathered.to);
  json["submitted"] = stats.submitted;
  json["submitted_per_hour"] = events_per_hour(stats.submitted, gathered);
  json["attempts"] = stats.started;
  json["attempts_failed"] = stats.attempts_failed;
  json["succeeded"] = stats.succeeded;
  json["succeeded_per_hour"] = events_per_hour(stats.succeeded, gathered);
  json["failed"] = stats.failed;
  json["cancelled"] = stats.cancelled;
  json["completion"] = stats.completion();
  json["ended_late"] = stats.ended_late;
  json["wait"] = quantiles_json(stats.waits);
  json["run"] = quantiles_json(stats.runs);
  return json;
}

}  // namespace almanac
