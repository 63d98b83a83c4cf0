#include <almanac/tools/operations.h>
#include <almanac/tools/policy_text.h>
#include <almanac/tools/queue_commands.h>
#include <almanac/tools/queue_retention.h>
#include <almanac/tools/text.h>
#include <almanac/tools/trial.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <charconv>

namespace almanac {
namespace {

template <class Number>
Result<Number> parse_number(std::string_view what, std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return fail(ErrorCode::invalid,
              fmt::format("{} '{}' is not a whole number", what, printable(text)),
              "write digits alone, such as 4");
}

Result<void> read_weight(const std::string& text, ConfigureQueue& settings) {
  const auto equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) {
    return fail(ErrorCode::invalid, fmt::format("the weight '{}' names no number", text),
                "write it as NAME=NUMBER");
  }
  auto weight = parse_number<std::int32_t>("the weight", text.substr(equals + 1));
  if (!weight) return std::unexpected(weight.error());
  settings.weights[text.substr(0, equals)] = *weight;
  return {};
}

// Fills what the text says, if it says anything.
template <class Value, class Parse>
Result<void> read(const std::string& text, std::optional<Value>& value, Parse parse) {
  if (text.empty()) return {};
  auto parsed = parse(text);
  if (!parsed) return std::unexpected(parsed.error());
  value = *parsed;
  return {};
}

Result<ConfigureQueue> settings_of(const QueueSetCommand& command) {
  ConfigureQueue settings{.queue = command.queue};
  auto done = read(command.slots, settings.slots, [](std::string_view text) {
    return parse_number<std::uint32_t>("the number of slots", text);
  });
  if (done) done = read(command.policy, settings.policy, parse_policy);
  if (done) done = read(command.ageing, settings.ageing, parse_duration);
  if (done) done = read(command.window, settings.window, parse_duration);
  if (done) done = read(command.short_work, settings.short_work, parse_duration);
  if (done) done = read(command.retain_succeeded, settings.retain_succeeded, parse_retained);
  if (done) done = read(command.retain_failed, settings.retain_failed, parse_retained);
  if (done) done = read(command.retain_cancelled, settings.retain_cancelled, parse_retained);
  for (const std::string& weight : command.weights) {
    if (done) done = read_weight(weight, settings);
  }
  if (!done) return std::unexpected(done.error());
  return settings;
}

void print(const QueueSetCommand& command, const State& state) {
  const auto queue = state.names.find(command.queue);
  const std::uint32_t* slots = queue ? state.queues.slots.find(*queue) : nullptr;
  const Policy policy = queue ? state.tasks.ranking.policy(*queue) : Policy();
  const auto retention = queue ? retention_of(state.queues, *queue) : QueueRetention();
  if (command.json) {
    nlohmann::ordered_json json{{"queue", command.queue}, {"slots", slots == nullptr ? 0 : *slots}};
    json.update(policy_json(state.names, policy));
    json.update(retention_json(retention));
    fmt::print("{}\n", printable_json(json.dump()));
    return;
  }
  const std::string limit =
      slots == nullptr || *slots == 0 ? "no slots of its own" : counted(*slots, "slot");
  const auto begin = fmt::format("queue {}: {}, ", printable(command.queue), limit);
  fmt::print("{}{}", policy_text(begin, state.names, policy),
             retention_text(command.queue, retention));
}

}  // namespace

ExitCode queue_set(const QueueSetCommand& command) {
  auto settings = settings_of(command);
  if (!settings) return report(settings.error());
  auto state = read_state_or_none(command.folder);
  if (!state) return report(state.error());
  if (auto answer = try_out(*state, *settings); !answer) return report(answer.error());
  auto operations = open_operations(command.folder);
  if (!operations) return report(operations.error());
  if (auto set = (*operations)->ask(*settings); !set) return report(set.error());
  const auto after = (*operations)->state();
  if (!after) return report(after.error());
  print(command, **after);
  return ExitCode::ok;
}

}  // namespace almanac
