#include <almanac/tools/queue_retention.h>

#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <array>
#include <utility>

namespace almanac {
namespace {

constexpr std::string_view for_ever = "forever";

std::array<std::pair<std::string_view, Duration>, 3> by_outcome(const QueueRetention& retention) {
  return {{{"succeeded", retention.succeeded},
           {"failed", retention.failed},
           {"cancelled", retention.cancelled}}};
}

}  // namespace

Result<Duration> parse_retained(std::string_view text) {
  if (text == for_ever) return retained_for_ever;
  return parse_duration(text);
}

nlohmann::ordered_json retention_json(const QueueRetention& retention) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [outcome, kept] : by_outcome(retention)) {
    if (kept == Duration(0)) continue;
    auto& value = json[fmt::format("retain_{}_us", outcome)];
    if (kept == retained_for_ever) {
      value = for_ever;
    } else {
      value = kept.count();
    }
  }
  return json;
}

std::string retention_text(std::string_view queue, const QueueRetention& retention) {
  std::string kept_for;
  for (const auto& [outcome, kept] : by_outcome(retention)) {
    if (kept == Duration(0)) continue;
    const auto time = kept == retained_for_ever ? std::string(for_ever) : format_duration(kept);
    kept_for += kept_for.empty() ? fmt::format(" {} tasks {}", outcome, time)
                                 : fmt::format(", {} ones {}", outcome, time);
  }
  return kept_for.empty() ? "" : fmt::format("queue {} keeps{}\n", printable(queue), kept_for);
}

}  // namespace almanac
