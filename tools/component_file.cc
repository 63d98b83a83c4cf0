#include <almanac/tools/component_file.h>

#include <almanac/engine/limits.h>
#include <almanac/tools/units.h>
#include <almanac/tools/workload_field.h>
#include <almanac/tools/workload_file.h>

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <utility>

namespace almanac {
namespace {

using namespace workload;

constexpr std::array<std::string_view, 7> component_keys = {
    "folder",        "attempts",       "backoff",       "backoff_max",
    "build_timeout", "check_interval", "implementation"};
constexpr std::array<std::string_view, 12> implementation_keys = {"name",
                                                                  "kind",
                                                                  "artifact",
                                                                  "sources",
                                                                  "probe",
                                                                  "version",
                                                                  "build",
                                                                  "clean",
                                                                  "allow",
                                                                  "install_dependencies",
                                                                  "install_toolchain",
                                                                  "toolchain"};

template <class Choice>
Result<Choice> chosen(std::string_view text, int count, const char* what) {
  std::string all;
  for (int number = 0; number < count; ++number) {
    const auto choice = static_cast<Choice>(number);
    if (text == name(choice)) return choice;
    all += (number == 0 ? "" : ", ") + std::string(name(choice));
  }
  return fail(ErrorCode::invalid, fmt::format("'{}' is no {}", text, what), "say one of " + all);
}

Checked<void> read_list(const Field& field, std::vector<std::string>& list) {
  auto words = read_words(field);
  if (!words) return std::unexpected(std::move(words.error()));
  for (Word& word : *words) list.push_back(std::move(word.text));
  return {};
}

Checked<void> read_sources(const Field& field, std::vector<std::filesystem::path>& sources) {
  std::vector<std::string> texts;
  auto read = read_list(field, texts);
  sources.assign(texts.begin(), texts.end());
  return read;
}

Checked<void> read_allowed(const Field& field, StrategySet& allowed) {
  auto words = read_words(field);
  if (!words) return std::unexpected(std::move(words.error()));
  for (const Word& word : *words) {
    auto strategy = chosen<RepairStrategy>(word.text, repair_strategy_count, "strategy");
    if (!strategy) {
      return fault(word.line, std::move(strategy.error().message),
                   std::move(strategy.error().next_step));
    }
    allowed.insert(*strategy);
  }
  return {};
}

Checked<void> read_member(ComponentImplementation& one, const Member& member) {
  const Field field{member.key, member.value};
  const auto kind_of = [](std::string_view text) {
    return chosen<ComponentKind>(text, component_kind_count, "kind");
  };
  if (member.key == "name") return put(read_text(field), one.name);
  if (member.key == "kind") return put_choice(field, kind_of, one.kind);
  if (member.key == "artifact") return put(read_text(field), one.artifact);
  if (member.key == "sources") return read_sources(field, one.sources);
  if (member.key == "probe") return read_list(field, one.probe);
  if (member.key == "version") return put(read_text(field), one.version);
  if (member.key == "build") return read_list(field, one.build);
  if (member.key == "clean") return read_list(field, one.clean);
  if (member.key == "install_dependencies") return read_list(field, one.install_dependencies);
  if (member.key == "install_toolchain") return read_list(field, one.install_toolchain);
  if (member.key == "toolchain") return read_list(field, one.toolchain);
  if (member.key == "allow") return read_allowed(field, one.allowed);
  return unknown_key(member, implementation_keys);
}

Checked<void> read_implementations(const Field& field, ComponentSpec& component) {
  const auto* list = std::get_if<Value::List>(&field.value.content);
  if (list == nullptr) {
    return fault(field.value.line, "'implementation' must be a list of tables",
                 fmt::format("write [[{}.implementation]], with two brackets", component.name));
  }
  for (const Value& value : *list) {
    auto table = read_table({field.key, value});
    if (!table) return std::unexpected(std::move(table.error()));
    ComponentImplementation& one = component.implementations.emplace_back();
    for (const Member& member : **table) {
      if (auto read = read_member(one, member); !read) return read;
    }
  }
  return {};
}

Checked<void> read_member(ComponentSpec& component, const Member& member) {
  const Field field{member.key, member.value};
  ComponentSetting& setting = component.setting;
  if (member.key == "folder") return put(read_text(field), component.folder);
  if (member.key == "attempts") {
    return put(read_integer(field, {0, limits::attempts_max}), setting.attempts_max);
  }
  if (member.key == "backoff") return put(read_duration(field), setting.backoff);
  if (member.key == "backoff_max") return put(read_duration(field), setting.backoff_max);
  if (member.key == "build_timeout") return put(read_duration(field), setting.build_timeout);
  if (member.key == "check_interval") return put(read_duration(field), setting.check_interval);
  if (member.key == "implementation") return read_implementations(field, component);
  return unknown_key(member, component_keys);
}

Checked<std::vector<ComponentSpec>> read_components(const Value::Table& head) {
  std::vector<ComponentSpec> components;
  for (const Member& member : head) {
    auto table = read_table({member.key, member.value});
    if (!table) return std::unexpected(std::move(table.error()));
    ComponentSpec& component = components.emplace_back();
    component.name = member.key;
    for (const Member& field : **table) {
      if (auto read = read_member(component, field); !read) {
        return std::unexpected(std::move(read.error()));
      }
    }
  }
  return components;
}

// "300" is seconds, as in every variable of its kind; "5m" is what it is elsewhere.
Result<Duration> duration_in(std::string_view text) {
  const bool is_number = text.find_first_not_of("0123456789") == std::string_view::npos;
  return parse_duration(std::string(text) + (is_number ? "s" : ""));
}

Result<void> read_environment(ComponentSetting& setting) {
  const std::array<std::pair<const char*, Duration*>, 2> durations = {
      std::pair{"ALMANAC_HEAL_CHECK_INTERVAL", &setting.check_interval},
      std::pair{"ALMANAC_HEAL_BUILD_TIMEOUT", &setting.build_timeout}};
  for (const auto& [variable, value] : durations) {
    const char* text = std::getenv(variable);
    if (text == nullptr) continue;
    auto parsed = duration_in(text);
    if (!parsed) {
      return fail(parsed.error().code, std::string(variable) + ": " + parsed.error().message,
                  parsed.error().next_step);
    }
    *value = *parsed;
  }
  const char* retries = std::getenv("ALMANAC_HEAL_MAX_RETRIES");
  if (retries == nullptr) return {};
  const std::string_view text = retries;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), setting.attempts_max);
  if (error == std::errc() && end == text.data() + text.size()) return {};
  return fail(ErrorCode::invalid,
              fmt::format("ALMANAC_HEAL_MAX_RETRIES: '{}' is no number of attempts", text),
              fmt::format("say 0 to {}", limits::attempts_max));
}

}  // namespace

Result<std::vector<ComponentSpec>> load_components(const std::string& path) {
  auto file = read_workload_file(path, "file of components");
  if (!file) return std::unexpected(file.error());
  std::vector<ComponentSpec> components;
  const Sink sink{.head = [&](const Value::Table& head) -> Checked<void> {
                    auto read = read_components(head);
                    if (!read) return std::unexpected(std::move(read.error()));
                    components = std::move(*read);
                    return {};
                  },
                  .task = [](const Value& task) -> Checked<void> {
                    return fault(task.line, "a file of components has no tasks",
                                 "put them into a workload");
                  }};
  if (auto read = read_toml(file->text, sink); !read) {
    return fail(ErrorCode::invalid, located(file->shown, read.error().line, read.error().message),
                read.error().next_step);
  }
  for (ComponentSpec& component : components) {
    if (!component.folder.empty()) component.folder = tidied(file->folder / component.folder);
    if (auto read = read_environment(component.setting); !read) {
      return std::unexpected(read.error());
    }
  }
  if (auto checked = check(components); !checked) {
    return fail(ErrorCode::invalid, file->shown + ": " + checked.error().message,
                checked.error().next_step);
  }
  return components;
}

}  // namespace almanac
