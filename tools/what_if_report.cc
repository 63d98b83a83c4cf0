#include <almanac/tools/what_if_report.h>

#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace almanac {
namespace {

constexpr std::size_t plot_columns = 76;
constexpr std::size_t wait_plot_lines = 3;

double slot_hours(const WhatIfReport& report) {
  return report.slots * std::chrono::duration<double, std::ratio<3600>>(report.make_span).count();
}

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::string order_of(const WhatIfCase& tried) {
  return std::string(name(tried.settings.models.order));
}

std::string named(const WhatIfCase& tried) {
  std::string text = tried.policy.empty() ? "recorded" : tried.policy;
  if (tried.settings.models.is_set()) text += ", " + order_of(tried);
  return text;
}

// The most that waited at once in each part of the time.
std::vector<std::uint64_t> most_in_each(const WhatIfReport& report, Duration span) {
  std::vector<std::uint64_t> most(plot_columns, 0);
  if (span <= Duration(0)) return most;
  auto column = [&](Time at) {
    const auto share =
        static_cast<double>((at - report.began).count()) / static_cast<double>(span.count());
    return std::min(static_cast<std::size_t>(share * plot_columns), plot_columns - 1);
  };
  for (std::size_t i = 0; i < report.backlog.size(); ++i) {
    const bool last = i + 1 == report.backlog.size();
    const auto until = last ? column(report.backlog[i].at) : column(report.backlog[i + 1].at);
    for (auto at = column(report.backlog[i].at); at <= until; ++at) {
      most[at] = std::max(most[at], report.backlog[i].ready);
    }
  }
  return most;
}

}  // namespace

std::string table_of(const std::vector<WhatIfResult>& results, const WhatIfPrices& prices) {
  const bool has_price = prices.slot_hour > 0;
  Table table({"SLOTS", "POLICY", "WAIT P50", "P95", "P99", "MAX", "SPAN", "LATE", "USED",
               has_price ? "COST" : "SLOT-H"});
  for (const auto& [tried, report] : results) {
    const double cost = slot_hours(report) * (has_price ? prices.slot_hour : 1);
    table.add({std::to_string(report.slots), named(tried), format_compact(report.waits.p50),
               format_compact(report.waits.p95), format_compact(report.waits.p99),
               format_compact(report.waits.max), format_compact(report.make_span),
               report.missed ? std::to_string(*report.missed) : "-",
               fmt::format("{:.0f}%", 100 * report.utilisation),
               fmt::format(fmt::runtime(has_price ? "{:.2f}" : "{:.1f}"), cost)});
  }
  constexpr std::size_t columns_max = 80;
  return table.text(columns_max);
}

std::string models_of(const std::vector<WhatIfResult>& results) {
  Table table(
      {"SLOTS", "MODELS", "LOADS", "EVICTED", "LOADING", "LONGEST WAIT", "BOUND", "BEYOND"});
  bool is_empty = true;
  for (const auto& [tried, report] : results) {
    if (!report.models) continue;
    const WhatIfModels& models = *report.models;
    const bool is_bound = tried.settings.models.order == ModelOrder::batched;
    is_empty = false;
    table.add({std::to_string(report.slots), order_of(tried), std::to_string(models.loads),
               std::to_string(models.evictions), format_compact(models.loading),
               format_compact(models.longest_wait), is_bound ? format_compact(models.bound) : "-",
               is_bound ? std::to_string(models.beyond) : "-"});
  }
  constexpr std::size_t columns_max = 80;
  return is_empty ? std::string() : "\n" + table.text(columns_max);
}

std::string plots_of(const std::vector<WhatIfResult>& results, Glyphs glyphs) {
  Duration span{0};
  for (const auto& [tried, report] : results) span = std::max(span, report.make_span);
  std::string text;
  bool waits = false;  // somewhere, and a line of time below it says when
  for (const auto& [tried, report] : results) {
    const auto most = most_in_each(report, span);
    text += fmt::format("{}, {}: at most {} wait for one", counted(report.slots, "slot"),
                        named(tried), std::ranges::max(most));
    if (report.refused > 0) text += fmt::format(", {} refused", counted(report.refused, "task"));
    text += "\n";
    if (std::ranges::max(most) == 0) continue;
    waits = true;
    for (std::string line : bar_plot(most, wait_plot_lines, glyphs)) {
      line.erase(line.find_last_not_of(' ') + 1);
      text += "  " + line + "\n";
    }
  }
  if (!waits) return text;
  const auto began = format_time(results.front().report.began).substr(0, 16);
  return text + fmt::format("  {:<{}}{}\n", began, plot_columns - 8, "+" + format_compact(span));
}

std::string json_of(const WhatIfResult& result, const WhatIfPrices& prices) {
  const auto& [tried, report] = result;
  nlohmann::ordered_json json{{"slots", report.slots},
                              {"policy", tried.policy},
                              {"succeeded", report.succeeded},
                              {"failed", report.failed},
                              {"cancelled", report.cancelled},
                              {"refused", report.refused},
                              {"unfinished", report.unfinished},
                              {"wait_seconds",
                               {{"mean", seconds(report.waits.mean)},
                                {"p50", seconds(report.waits.p50)},
                                {"p95", seconds(report.waits.p95)},
                                {"p99", seconds(report.waits.p99)},
                                {"max", seconds(report.waits.max)}}},
                              {"make_span_seconds", seconds(report.make_span)},
                              {"busy_seconds", seconds(report.busy)},
                              {"utilisation", report.utilisation},
                              {"slot_hours", slot_hours(report)}};
  if (report.models) {
    json["models"] = {{"order", order_of(tried)},
                      {"loads", report.models->loads},
                      {"evictions", report.models->evictions},
                      {"loading_seconds", seconds(report.models->loading)},
                      {"longest_wait_seconds", seconds(report.models->longest_wait)},
                      {"bound_seconds", seconds(report.models->bound)},
                      {"beyond_bound", report.models->beyond}};
  }
  if (report.missed) json["missed"] = *report.missed;
  if (prices.slot_hour > 0) json["cost"] = slot_hours(report) * prices.slot_hour;
  return json.dump(-1, ' ', false, decltype(json)::error_handler_t::replace);
}

}  // namespace almanac
