#include <almanac/tools/stats_json.h>

#include <almanac/tools/units.h>

#include <fmt/core.h>

#include <algorithm>

namespace almanac {
namespace {

using nlohmann::ordered_json;

ordered_json quantiles_json(const std::vector<Duration>& rising) {
  return {{"count", rising.size()},
          {"p50_us", quantile(rising, 0.5).count()},
          {"p95_us", quantile(rising, 0.95).count()},
          {"max_us", quantile(rising, 1).count()}};
}

std::string_view group_word(StatsBy by) {
  switch (by) {
    case StatsBy::queue: return "queue";
    case StatsBy::kind: return "kind";
    case StatsBy::owner: return "owner";
  }
  return "queue";
}

}  // namespace

Result<StatsBy> stats_by_from(std::string_view text) {
  for (const StatsBy by : {StatsBy::queue, StatsBy::kind, StatsBy::owner}) {
    if (text == group_word(by)) return by;
  }
  return fail(ErrorCode::invalid, fmt::format("tasks are not grouped by '{}'", text),
              "use queue, kind or owner");
}

Result<GatheredStats> gather_stats_since(const Log& log, const State& state,
                                         std::optional<Position> since, StatsBy by) {
  const Position from = since.value_or(Position());
  Time from_time;
  auto first = log.first();
  if (!first) return std::unexpected(first.error());
  auto read =
      log.read_one(std::max(from, *first), [&](const Event& event) { from_time = event.at; });
  if (!read) return std::unexpected(read.error());
  return gather_stats({.log = log, .state = state, .from = from, .from_time = from_time, .by = by});
}

std::vector<ordered_json> stats_rows_json(StatsBy by, const GatheredStats& gathered) {
  std::vector<ordered_json> rows;
  const auto add = [&](ordered_json group, const TaskStats& stats) {
    ordered_json json{{std::string(group_word(by)), std::move(group)}};
    json.update(stats_json(stats, gathered));
    rows.push_back(std::move(json));
  };
  for (const auto& [group, stats] : gathered.groups) add(group, stats);
  add(nullptr, gathered.total);
  return rows;
}

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
