#include <almanac/tools/past.h>
#include <almanac/tools/past_commands.h>
#include <almanac/tools/source.h>
#include <almanac/tools/stats_json.h>
#include <almanac/tools/task_stats.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/engine/engine.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <utility>

namespace almanac {
namespace {

using nlohmann::ordered_json;

std::string compact(const std::vector<Duration>& rising, double share) {
  return rising.empty() ? "-" : format_compact(quantile(rising, share));
}

void add_row(Table& table, std::string name, const TaskStats& stats,
             const GatheredStats& gathered) {
  const auto ended = stats.succeeded + stats.failed + stats.cancelled;
  table.add({std::move(name), std::to_string(stats.live()), std::to_string(stats.overdue),
             std::to_string(stats.submitted),
             fmt::format("{:.1f}", events_per_hour(ended, gathered)),
             ended == 0 ? "-" : fmt::format("{:.0f}%", 100 * stats.completion()),
             std::to_string(stats.ended_late), compact(stats.waits, 0.5),
             compact(stats.waits, 0.95), compact(stats.runs, 0.5), compact(stats.runs, 0.95)});
}

void print_table(const std::string& by, const GatheredStats& gathered) {
  Table table({by == "queue"  ? "QUEUE"
               : by == "kind" ? "KIND"
                              : "OWNER",
               "LIVE", "OVERDUE", "NEW", "ENDED/H", "OK", "LATE", "WAIT50", "WAIT95", "RUN50",
               "RUN95"});
  for (const auto& [name, stats] : gathered.groups) {
    add_row(table, name.empty() ? "-" : printable(name), stats, gathered);
  }
  add_row(table, "all", gathered.total, gathered);
  fmt::print("{}", table.text(terminal_columns()));
}

}  // namespace

ExitCode stats(const StatsCommand& command) {
  auto by = stats_by_from(command.by);
  if (!by) return report(by.error());
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  auto since = find_position(*source->log, command.since, system_time());
  if (!since) return report(since.error());
  auto gathered = gather_stats_since(*source->log, source->state, *since, *by);
  if (!gathered) return report(gathered.error());
  if (!command.json) {
    print_table(command.by, *gathered);
    return ExitCode::ok;
  }
  for (const ordered_json& json : stats_rows_json(*by, *gathered)) {
    fmt::print("{}\n",
               printable_json(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
  }
  return ExitCode::ok;
}

}  // namespace almanac
