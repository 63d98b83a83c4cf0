#include <almanac/tools/component_commands.h>
#include <almanac/tools/source.h>
#include <almanac/tools/state_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace almanac {
namespace {

using nlohmann::ordered_json;

void print_json_line(const ordered_json& json) {
  fmt::print("{}\n",
             printable_json(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
}

std::string named(const State& state, const std::optional<NameId>& name) {
  return name ? printable(state.names.text(*name)) : "-";
}

template <class Visit>
void visit_implementations(const Components& components, NameId component, Visit visit) {
  for (auto entry = components.implementations.lower_bound({component, 0});
       entry != components.implementations.end() && entry->key.component == component; ++entry) {
    visit(entry->value);
  }
}

// What was seen last; nothing where that part of the log has been removed.
std::string evidence(const Log& log, Position diagnosed) {
  std::string text;
  if (!diagnosed) return text;
  (void)log.read_one(diagnosed, [&](const Event& event) {
    if (const auto* seen = std::get_if<ComponentDiagnosed>(&event.body)) text = seen->evidence;
    if (const auto* ended = std::get_if<RepairEnded>(&event.body)) text = ended->message;
  });
  return printable(text);
}

void print(const Source& source, NameId id, const Component& component) {
  const State& state = source.state;
  fmt::print("{}  {}\n", printable(state.names.text(id)), printable(component.folder));
  fmt::print("  used by    {}{}\n", named(state, component.active),
             component.kept ? "" : " (no engine keeps it)");
  if (component.pinned) fmt::print("  wanted     {}\n", named(state, component.pinned));
  visit_implementations(state.components, id, [&](const ImplementationHealth& health) {
    fmt::print("  {}  {}, {}\n", printable(state.names.text(health.name)), name(health.state),
               printable(to_text(health.traits)));
    if (health.issue != ComponentIssue::none) {
      fmt::print("    {}: {}\n", name(health.issue), evidence(*source.log, health.diagnosed));
    }
    fmt::print("    {} of {} went well, {} on average", health.checks - health.failures,
               counted(health.checks, "check"), format_compact(health.took_average));
    if (health.trend != HealthTrend::steady) fmt::print("; {}", name(health.trend));
    fmt::print("\n");
    if (health.repair_at != Time()) {
      fmt::print("    repaired at {}\n", format_time(health.repair_at));
    }
  });
}

}  // namespace

ExitCode component_list(const ComponentListCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const State& state = source->state;
  Table table({"COMPONENT", "IMPLEMENTATION", "KIND", "STATE", "ISSUE", "SCORE", "USED"});
  for (const auto& [id, component] : state.components.all) {
    if (command.json) {
      print_json_line(component_json(state, id));
      continue;
    }
    visit_implementations(
        state.components, id, [&, of = id, &used = component](const ImplementationHealth& health) {
          const auto score = health.score_permille();
          table.add({printable(state.names.text(of)), printable(state.names.text(health.name)),
                     std::string(name(health.traits.kind())), std::string(name(health.state)),
                     std::string(name(health.issue)), fmt::format("{}.{}%", score / 10, score % 10),
                     used.active == health.name ? "yes" : ""});
        });
  }
  if (command.json) return ExitCode::ok;
  fmt::print("{}", state.components.empty() ? "no components\n" : table.text(terminal_columns()));
  return ExitCode::ok;
}

ExitCode component_show(const ComponentShowCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const auto id = source->state.names.find(command.component);
  const Component* component = id ? source->state.components.all.find(*id) : nullptr;
  if (component == nullptr) {
    return report({ErrorCode::not_found,
                   "nothing is known of a component '" + printable(command.component) + "'",
                   "`almanac component list` shows those there are"});
  }
  if (command.json) {
    print_json_line(component_json(source->state, *id));
  } else {
    print(*source, *id, *component);
  }
  return ExitCode::ok;
}

}  // namespace almanac
