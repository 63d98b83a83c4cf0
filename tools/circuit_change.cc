#include <almanac/tools/circuit_commands.h>
#include <almanac/tools/operations.h>
#include <almanac/tools/text.h>
#include <almanac/tools/trial.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>

#include <charconv>
#include <cmath>
#include <string_view>

namespace almanac {
namespace {

// "0.5" or "50%", in thousandths.
Result<std::uint16_t> parse_rate(std::string_view text) {
  const bool is_percent = text.ends_with('%');
  const std::string_view digits = text.substr(0, text.size() - (is_percent ? 1 : 0));
  double rate = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), rate);
  const double permille = std::round(rate * (is_percent ? 10 : 1'000));
  const bool is_rate = error == std::errc() && end == digits.data() + digits.size();
  if (is_rate && permille >= 1 && permille <= 1'000) return static_cast<std::uint16_t>(permille);
  return fail(ErrorCode::invalid, fmt::format("'{}' is not a failure rate", printable(text)),
              "write it from 0.001 to 1, or from 0.1% to 100%");
}

Result<void> read_duration(const std::string& text, Duration& value) {
  if (text.empty()) return {};
  auto parsed = parse_duration(text);
  if (!parsed) return std::unexpected(parsed.error());
  value = *parsed;
  return {};
}

Result<CircuitSetting> setting_of(const CircuitSetCommand& command) {
  CircuitSetting setting;
  if (command.lift) {
    setting.probes = 0;
    return setting;
  }
  if (!command.failure_rate.empty()) {
    auto rate = parse_rate(command.failure_rate);
    if (!rate) return std::unexpected(rate.error());
    setting.failure_permille = *rate;
  }
  auto read = read_duration(command.window, setting.window);
  if (read) read = read_duration(command.cooldown, setting.cooldown);
  if (command.cooldown_max.empty()) {
    setting.cooldown_max = std::max(setting.cooldown_max, setting.cooldown);
  }
  if (read) read = read_duration(command.cooldown_max, setting.cooldown_max);
  if (!read) return std::unexpected(read.error());
  if (command.requests_min > 0) {
    setting.requests_min = static_cast<std::uint32_t>(command.requests_min);
  }
  if (command.consecutive != UINT64_MAX) {
    setting.consecutive_failures = static_cast<std::uint32_t>(command.consecutive);
  }
  if (command.probes > 0) setting.probes = static_cast<std::uint16_t>(command.probes);
  return setting;
}

ExitCode ask(const std::filesystem::path& folder, Result<State> state, const Command& asked) {
  if (!state) return report(state.error());
  if (auto accepted = try_out(*state, asked); !accepted) return report(accepted.error());
  const auto done = ask_once(folder, asked);
  return done ? ExitCode::ok : report(done.error());
}

ExitCode force(const CircuitForceCommand& command, CircuitState to) {
  const bool resets = to == CircuitState::closed;
  return ask(command.folder,
             resets ? read_state(command.folder) : read_state_or_none(command.folder),
             ForceCircuit{command.service, to, command.reason});
}

}  // namespace

ExitCode circuit_set(const CircuitSetCommand& command) {
  const auto setting = setting_of(command);
  if (!setting) return report(setting.error());
  return ask(command.folder, read_state_or_none(command.folder),
             ConfigureCircuit{command.service, *setting});
}

ExitCode circuit_open(const CircuitForceCommand& command) {
  return force(command, CircuitState::forced_open);
}
ExitCode circuit_close(const CircuitForceCommand& command) {
  return force(command, CircuitState::forced_closed);
}
ExitCode circuit_reset(const CircuitForceCommand& command) {
  return force(command, CircuitState::closed);
}

}  // namespace almanac
