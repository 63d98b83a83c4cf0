#include <almanac/tools/commands.h>
#include <almanac/tools/source.h>
#include <almanac/tools/task_json.h>
#include <almanac/tools/text.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <cstdio>

namespace almanac {
namespace {

using nlohmann::ordered_json;

std::string plain_text(const ordered_json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  std::string text;
  for (const auto& element : value) text += (text.empty() ? "" : ", ") + plain_text(element);
  return text;
}

// Output is shown as lines, everything else as one escaped line.
void print_plain(const ordered_json& json) {
  for (const auto& [key, value] : json.items()) {
    auto text = plain_text(value);
    if (key != "output") {
      fmt::print("{:<13} {}\n", key, printable(text));
      continue;
    }
    fmt::print("output\n");
    for (std::size_t begin = 0; begin < text.size();) {
      auto end = std::min(text.find('\n', begin), text.size());
      fmt::print("  {}\n", printable(std::string_view(text).substr(begin, end - begin)));
      begin = end + 1;
    }
  }
}

Result<void> write_output(const Source& source, const Task& task) {
  return source.log->read_one(task.changed, [](const Event& event) {
    const AttemptEnd* end = attempt_end_in(event.body);
    if (end != nullptr) std::fwrite(end->output.data(), 1, end->output.size(), stdout);
  });
}

}  // namespace

ExitCode show(const ShowCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  TaskId id(command.id);
  const Task* task = source->state.tasks.all.find(id);
  if (task == nullptr) {
    return report(no_task(source->state, id, command.at));
  }
  if (command.output) {
    auto written = write_output(*source, *task);
    return written ? ExitCode::ok : report(written.error());
  }
  auto json = task_detail_json(*source->log, source->state, id);
  if (!json) return report(json.error());
  if (command.json) {
    fmt::print("{}\n", json->dump(-1, ' ', false, ordered_json::error_handler_t::replace));
  } else {
    print_plain(*json);
  }
  return ExitCode::ok;
}

}  // namespace almanac
