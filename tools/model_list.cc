#include <almanac/tools/model_commands.h>
#include <almanac/tools/source.h>
#include <almanac/tools/state_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <string_view>

namespace almanac {
namespace {

using nlohmann::ordered_json;

std::map<std::string, Model> models_of(const State& state) {
  std::map<std::string, Model> models;
  for (const auto& [id, model] : state.models.all) models.emplace(state.names.text(id), model);
  return models;
}

void print_model_json(const State& state, std::string_view name, const Model& model) {
  const ordered_json json = model_json(state, name, model);
  fmt::print("{}\n",
             printable_json(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
}

std::string text_of(const State& state, const std::optional<NameId>& id) {
  return id ? printable(state.names.text(*id)) : "-";
}

std::string second_of(Time time) {
  return time == Time() ? "-" : format_time(time).substr(0, 19) + "Z";
}

std::string gives_way(const ModelSetting& setting) {
  return setting.is_pinned ? "pinned" : std::to_string(setting.priority);
}

void print_model(const State& state, std::string_view name, const Model& model) {
  const ModelSetting& setting = model.setting;
  fmt::print("{}  {} since {}\n", printable(name), almanac::name(model.state),
             second_of(model.changed_at));
  fmt::print("  takes        {} as declared", format_bytes(setting.bytes));
  if (model.learned > 0) fmt::print(", {} as measured", format_bytes(model.learned));
  fmt::print("\n  on           {}", text_of(state, model.gpu));
  if (model.reserved > 0) fmt::print(", {} kept free for it", format_bytes(model.reserved));
  fmt::print("\n  goes to      {}\n", setting.gpu ? text_of(state, setting.gpu) : "any GPU");
  fmt::print("  alternative  {}, used {} for want of room\n", text_of(state, setting.alternative),
             counted(model.degraded, "time"));
  fmt::print("  gives way    {}, after {}\n",
             setting.is_pinned ? "never" : "to models of priority " + gives_way(setting),
             format_compact(setting.residency));
  fmt::print("  used         {}, last {}\n", counted(model.uses, "time"), second_of(model.used_at));
  fmt::print("  loaded       {}, last {} in {}\n", counted(model.loads, "time"),
             second_of(model.loaded_at), format_compact(model.load_time));
  fmt::print("  gave way     {}; its memory came free late {}\n", counted(model.evictions, "time"),
             counted(model.slow_releases, "time"));
  fmt::print("  failed       {}", counted(model.failures, "time"));
  if (model.retry_at != Time()) fmt::print(", not tried before {}", second_of(model.retry_at));
  fmt::print("\n  commands     {}\n", setting.commands.view().empty()
                                          ? "functions of the program"
                                          : printable(setting.commands.view()));
}

}  // namespace

ExitCode model_list(const ModelListCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const State& state = source->state;
  const auto models = models_of(state);
  Table table({"MODEL", "STATE", "GPU", "BYTES", "PRIORITY", "USES", "LAST USED", "LOADS", "LOAD",
               "EVICTED", "ALTERNATIVE"});
  for (const auto& [name, model] : models) {
    if (command.json) {
      print_model_json(state, name, model);
      continue;
    }
    table.add({printable(name), std::string(almanac::name(model.state)),
               text_of(state, model.gpu).substr(0, 8), format_bytes(model.bytes()),
               gives_way(model.setting), std::to_string(model.uses), second_of(model.used_at),
               std::to_string(model.loads),
               model.loads == 0 ? "-" : format_compact(model.load_time),
               std::to_string(model.evictions), text_of(state, model.setting.alternative)});
  }
  if (command.json) return ExitCode::ok;
  fmt::print("{}", models.empty() ? "no models; `almanac model add FILE` registers some\n"
                                  : table.text(terminal_columns()));
  return ExitCode::ok;
}

ExitCode model_show(const ModelShowCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const auto models = models_of(source->state);
  const auto found = models.find(command.model);
  if (found == models.end()) {
    return report({ErrorCode::not_found,
                   "nothing is known of a model '" + printable(command.model) + "'",
                   "`almanac model list` shows those there are"});
  }
  if (command.json) {
    print_model_json(source->state, found->first, found->second);
  } else {
    print_model(source->state, found->first, found->second);
  }
  return ExitCode::ok;
}

}  // namespace almanac
