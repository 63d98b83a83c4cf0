#include <almanac/tools/context_commands.h>
#include <almanac/tools/context_text.h>
#include <almanac/tools/source.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/engine/user_contexts.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>

namespace almanac {
namespace {

using nlohmann::ordered_json;

ordered_json json_of(const std::map<std::string, ContextValue>& values) {
  ordered_json json = ordered_json::object();
  for (const auto& [name, value] : values) json[name] = value_json(value);
  return json;
}

ordered_json json_of(const std::string& user, const OpenContext& context) {
  ordered_json turns = ordered_json::array();
  for (const ConversationTurn& turn : context.turns) {
    turns.push_back({{"role", name(turn.role)}, {"text", turn.text}, {"at", format_time(turn.at)}});
  }
  return {{"user", user},
          {"version", context.version.value},
          {"changed_at", format_time(context.changed_at)},
          {"friendship", context.friendship ? ordered_json(*context.friendship) : ordered_json()},
          {"preferences", json_of(context.preferences)},
          {"fields", json_of(context.fields)},
          {"turns_added", context.turns_added},
          {"turns", std::move(turns)}};
}

void print(const char* title, const std::map<std::string, ContextValue>& values) {
  if (values.empty()) return;
  fmt::print("{}\n", title);
  for (const auto& [name, value] : values) {
    fmt::print("  {} = {}\n", printable(name), value_text(value));
  }
}

void print(const std::string& user, const OpenContext& context, std::uint64_t turns_max) {
  fmt::print("{}\n", printable(user));
  fmt::print("  version     {}, at {}\n", context.version.value, format_time(context.changed_at));
  if (context.friendship) fmt::print("  friendship  {}\n", *context.friendship);
  fmt::print("  turns       {}\n", context.turns_added);
  print("preferences", context.preferences);
  print("fields", context.fields);
  const auto shown = std::min<std::uint64_t>(turns_max, context.turns.size());
  if (shown > 0) fmt::print("conversation\n");
  for (auto i = context.turns.size() - shown; i < context.turns.size(); ++i) {
    const ConversationTurn& turn = context.turns[i];
    fmt::print("  {}  {:9}  {}\n", format_time(turn.at).substr(0, 19) + "Z", name(turn.role),
               printable(turn.text));
  }
}

}  // namespace

ExitCode context_get(const ContextGetCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const auto keys = UserKeys::open(command.folder);
  if (!keys) return report(keys.error());
  const SharedContext* known = source->state.contexts.find(command.user);
  if (known == nullptr) return report(nobody(command.user));
  const auto context = ContextSnapshot(known->pointer(), **keys).open();
  if (!context) return report(context.error());
  if (command.json) {
    const auto json = json_of(command.user, *context);
    fmt::print("{}\n",
               printable_json(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
  } else {
    print(command.user, *context, command.turns);
  }
  return ExitCode::ok;
}

}  // namespace almanac
