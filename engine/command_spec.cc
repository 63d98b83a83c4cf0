#include <almanac/engine/command_spec.h>

#include <nlohmann/json.hpp>

#include <utility>

namespace almanac {
namespace {

using nlohmann::json;

bool has_zero_byte(const std::string& text) { return text.find('\0') != std::string::npos; }

Result<void> check(const CommandSpec& spec) {
  if (spec.arguments.empty() || spec.arguments.front().empty()) {
    return fail(ErrorCode::invalid, "a command needs a program to run",
                "write the program's name first, its arguments behind it");
  }
  bool zero = has_zero_byte(spec.working_folder);
  for (const auto& argument : spec.arguments) zero = zero || has_zero_byte(argument);
  for (const auto& [name, value] : spec.environment) {
    zero = zero || has_zero_byte(name) || has_zero_byte(value);
    if (name.empty() || name.find('=') != std::string::npos) {
      return fail(ErrorCode::invalid, "'" + name + "' cannot name an environment variable");
    }
  }
  if (zero) return fail(ErrorCode::invalid, "a command cannot have a zero byte in it");
  return {};
}

}  // namespace

std::vector<std::string> environment_allow_default() {
  return {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SHELL"};
}

Result<std::string> encode(const CommandSpec& spec) {
  if (auto checked = check(spec); !checked) return std::unexpected(checked.error());
  json payload{{"argv", spec.arguments}};
  if (!spec.working_folder.empty()) payload["cwd"] = spec.working_folder;
  if (!spec.environment.empty()) payload["env"] = spec.environment;
  try {
    return payload.dump();
  } catch (const json::exception&) {
    return fail(ErrorCode::invalid, "a command must be UTF-8 text",
                "write what is not into a file and give the command its name");
  }
}

Result<CommandSpec> decode_command(Bytes payload) {
  try {
    auto parsed = json::parse(as_text(payload));
    CommandSpec spec{.arguments = parsed.at("argv").get<std::vector<std::string>>(),
                     .working_folder = parsed.value("cwd", ""),
                     .environment = parsed.value("env", std::map<std::string, std::string>{})};
    if (auto checked = check(spec); !checked) return std::unexpected(checked.error());
    return spec;
  } catch (const json::exception& error) {
    return fail(ErrorCode::invalid, std::string("the payload is not a command: ") + error.what());
  }
}

}  // namespace almanac
