#include <almanac/engine/log_line.h>

#include <almanac/log/printable.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <type_traits>

namespace almanac {
namespace {

using nlohmann::ordered_json;

std::string dump(const ordered_json& json) {
  return printable_json(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

// As much of a text as a line may have.
std::string_view shown(std::string_view text) { return text.substr(0, limits::log_text_bytes_max); }

ordered_json field_json(const LogField& field) {
  return std::visit(
      [](const auto& value) -> ordered_json {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string_view>) {
          return shown(value);
        } else {
          return value;
        }
      },
      field.value);
}

// Those of the context that the line does not say itself, then its own.
ordered_json all_fields(const LogLineView& line) {
  ordered_json fields = ordered_json::object();
  for (const auto& [name, value] : line.context.fields) fields[name] = shown(value);
  for (const LogField& field : line.fields) fields[std::string(field.name)] = field_json(field);
  return fields;
}

std::string about(const LogContext& context) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? " (" : ", ") + part; };
  if (context.task != TaskId()) add("task " + std::to_string(context.task.value));
  if (context.attempt != 0) add("attempt " + std::to_string(context.attempt));
  if (!context.operation.empty()) add(printable(context.operation));
  return text.empty() ? text : text + ")";
}

// Words as they are, other values as in JSON, so that one can tell where they end.
std::string value_text(const ordered_json& value) {
  constexpr std::string_view special = " \"=()\\";
  if (!value.is_string()) return dump(value);
  const auto& text = value.get_ref<const std::string&>();
  const bool is_word =
      !text.empty() && text.find_first_of(special) == std::string::npos && printable(text) == text;
  return is_word ? text : dump(value);
}

}  // namespace

std::string human_text(const LogLineView& line) {
  std::string text = printable(shown(line.text)) + about(line.context);
  const ordered_json fields = all_fields(line);
  for (const auto& [name, value] : fields.items()) {
    text += " " + printable(name) + "=" + value_text(value);
  }
  return text;
}

std::string json_members(const LogLineView& line) {
  ordered_json json{{"message", shown(line.text)}};
  if (line.context.task != TaskId()) json["task"] = line.context.task.value;
  if (line.context.attempt != 0) json["attempt"] = line.context.attempt;
  if (!line.context.operation.empty()) json["operation"] = line.context.operation;
  if (auto fields = all_fields(line); !fields.empty()) json["fields"] = std::move(fields);
  const std::string object = dump(json);
  return object.substr(1, object.size() - 2);
}

}  // namespace almanac
