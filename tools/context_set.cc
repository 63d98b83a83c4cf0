#include <almanac/tools/context_commands.h>
#include <almanac/tools/context_text.h>
#include <almanac/tools/operations.h>
#include <almanac/tools/text.h>

#include <fmt/core.h>

#include <charconv>
#include <string>

namespace almanac {
namespace {

using Values = std::map<std::string, std::optional<ContextValue>>;

Result<void> read_values(const std::vector<std::string>& texts, Values& values) {
  for (const std::string& text : texts) {
    const auto equals = text.find('=');
    if (equals == text.npos) {
      return fail(ErrorCode::invalid, fmt::format("'{}' gives nothing a value", printable(text)),
                  "write NAME=VALUE, or NAME= to take it away");
    }
    const std::string_view value = std::string_view(text).substr(equals + 1);
    values[text.substr(0, equals)] =
        value.empty() ? std::nullopt : std::optional(parse_value(value));
  }
  return {};
}

Result<std::optional<double>> read_friendship(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const ContextValue value = parse_value(text);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  return fail(ErrorCode::invalid, fmt::format("'{}' is no friendship", printable(text)),
              "write a number, such as 0.6");
}

Result<void> read_turns(const std::vector<std::string>& texts, ContextChanges& changes) {
  for (const std::string& text : texts) {
    const auto colon = std::min(text.find(':'), text.size());
    const auto role = parse_role(std::string_view(text).substr(0, colon));
    if (!role) return std::unexpected(role.error());
    changes.turns.push_back({*role, text.substr(std::min(colon + 1, text.size())), {}});
  }
  return {};
}

Result<ContextChanges> changes_of(const ContextSetCommand& command) {
  ContextChanges changes;
  auto read = read_values(command.preferences, changes.preferences);
  if (read) read = read_values(command.fields, changes.fields);
  if (read) read = read_turns(command.turns, changes);
  if (!read) return std::unexpected(read.error());
  const auto friendship = read_friendship(command.friendship);
  if (!friendship) return std::unexpected(friendship.error());
  changes.friendship = *friendship;
  if (changes.parts() > 0) return changes;
  return fail(ErrorCode::invalid, "there is nothing to change",
              "say --preference, --field, --friendship or --turn");
}

}  // namespace

// What is refused is refused before the folder becomes a log.
ExitCode context_set(const ContextSetCommand& command) {
  const auto changes = changes_of(command);
  if (!changes) return report(changes.error());
  auto checked = check_user(command.user);
  if (checked) checked = check_changes(*changes, {});
  if (!checked) return report(checked.error());
  auto operations = open_operations(command.folder);
  if (!operations) return report(operations.error());
  ContextRequest request{command.user, *changes};
  if (command.version != UINT64_MAX) request.expected = Position(command.version);
  const auto changed = (*operations)->change_context(request);
  return changed ? ExitCode::ok : report(changed.error());
}

}  // namespace almanac
