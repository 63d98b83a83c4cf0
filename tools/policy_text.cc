#include <almanac/tools/policy_text.h>

#include <almanac/tools/choices.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {
namespace {

using nlohmann::ordered_json;

ordered_json weights_json(const Names& names, const Policy& policy) {
  ordered_json weights = ordered_json::object();
  for (std::size_t i = 0; i < urgency_part_count; ++i) {
    weights[std::string(name(static_cast<UrgencyPart>(i)))] = policy.weights[i];
  }
  if (policy.kind != QueuePolicy::fair) return weights;
  weights = ordered_json::object();
  for (const auto& [owner, weight] : policy.owners) {
    weights[std::string(names.text(owner))] = weight;
  }
  return weights;
}

class Lines {
 public:
  explicit Lines(std::string begin) : line_(std::move(begin)) {}
  void add(const std::string& part) {
    constexpr std::size_t columns_max = 80;
    line_ += ",";
    if (columns(line_) + columns(part) + 2 > columns_max) {
      text_ += line_ + "\n";
      line_ = " ";
    }
    line_ += " " + part;
  }
  [[nodiscard]] std::string text() const { return text_ + line_ + "\n"; }

 private:
  std::string text_;
  std::string line_;
};

}  // namespace

Result<QueuePolicy> parse_policy(std::string_view text) {
  return choose<QueuePolicy>("policy", text, queue_policy_count);
}

ordered_json policy_json(const Names& names, const Policy& policy) {
  const bool is_urgency = policy.kind == QueuePolicy::urgency;
  ordered_json json{{"policy", name(policy.kind)}};
  if (is_urgency || policy.ageing > Duration(0)) json["ageing_us"] = policy.ageing.count();
  if (is_urgency) {
    json["window_us"] = policy.window.count();
    json["short_work_us"] = policy.short_work.count();
  }
  if (is_urgency || policy.kind == QueuePolicy::fair) json["weights"] = weights_json(names, policy);
  return json;
}

std::string policy_text(std::string begin, const Names& names, const Policy& policy) {
  Lines lines(begin.append(name(policy.kind)));
  const auto add = [&](std::string_view what, Duration duration) {
    if (duration > Duration(0)) lines.add(fmt::format("{} {}", what, format_duration(duration)));
  };
  add("ageing", policy.ageing);
  add("window", policy.window);
  add("short work", policy.short_work);
  if (policy.kind != QueuePolicy::urgency && policy.kind != QueuePolicy::fair) return lines.text();
  const ordered_json weights = weights_json(names, policy);
  for (const auto& [part, weight] : weights.items()) {
    if (weight != 0) lines.add(fmt::format("{} {}", printable(part), weight.get<int>()));
  }
  return lines.text();
}

}  // namespace almanac
