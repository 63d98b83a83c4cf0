#include <almanac/engine/model_spec.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/submission.h>

#include <nlohmann/json.hpp>

#include <algorithm>

namespace almanac {
namespace {

using nlohmann::json;

bool has_commands(const ModelCommands& commands) {
  return !commands.load.empty() || !commands.unload.empty() || !commands.check.empty();
}

Result<void> check_way(const ModelSpec& spec) {
  const bool by_command = has_commands(spec.commands);
  const bool by_function = spec.on_load || spec.on_unload;
  const bool is_whole = by_command ? !spec.commands.load.empty() && !spec.commands.unload.empty()
                                   : by_function && spec.on_load && spec.on_unload;
  if (is_whole && by_command != by_function) return {};
  return fail(ErrorCode::invalid,
              "the model '" + spec.name + "' is not loaded and unloaded in one way",
              "say both commands, or both functions");
}

}  // namespace

Result<void> check(const ModelSpec& spec) {
  if (auto checked = check_name("model", spec.name); !checked) return checked;
  const auto of = [&](const std::string& what) {
    return what + " of the model '" + spec.name + "'";
  };
  if (spec.bytes == 0 || spec.bytes > limits::model_bytes_max) {
    return fail(ErrorCode::invalid, of("bytes") + " are not 1 to 2^50",
                "say what it takes of a GPU's memory");
  }
  if (spec.alternative == spec.name) {
    return fail(ErrorCode::invalid, of("alternative") + " is the model itself");
  }
  for (const std::string& other : {spec.alternative, spec.gpu}) {
    if (other.empty()) continue;
    if (auto checked = check_name("model", other); !checked) return checked;
  }
  const bool has_times = spec.residency >= Duration(0) && spec.residency <= limits::duration_max &&
                         spec.timeout >= limits::model_timeout_min &&
                         spec.timeout <= limits::duration_max;
  if (!has_times) {
    return fail(ErrorCode::invalid, of("residency or timeout") + " is out of bounds",
                "a time-out is 10 ms at least");
  }
  if (commands_json(spec.commands).size() > limits::model_commands_bytes_max) {
    return fail(ErrorCode::invalid, of("commands") + " are over 64 KiB");
  }
  return check_way(spec);
}

std::string commands_json(const ModelCommands& commands) {
  if (!has_commands(commands)) return {};
  json text{{"load", commands.load}, {"unload", commands.unload}};
  if (!commands.check.empty()) text["check"] = commands.check;
  return text.dump(-1, ' ', false, json::error_handler_t::replace);
}

ModelCommands commands_in(std::string_view text) {
  ModelCommands commands;
  const json read = json::parse(text, nullptr, false);
  const auto words = [&](const char* key, std::vector<std::string>& to) {
    if (!read.is_object() || !read.contains(key) || !read[key].is_array()) return;
    for (const json& word : read[key]) {
      if (word.is_string()) to.push_back(word.get<std::string>());
    }
  };
  words("load", commands.load);
  words("unload", commands.unload);
  words("check", commands.check);
  return commands;
}

}  // namespace almanac
