#include <almanac/tools/past_commands.h>
#include <almanac/tools/source.h>
#include <almanac/tools/task_event.h>
#include <almanac/tools/task_story.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <utility>

namespace almanac {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t columns_max = 80;

ordered_json ids_json(const std::vector<TaskId>& ids) {
  auto list = ordered_json::array();
  for (TaskId id : ids) list.push_back(id.value);
  return list;
}

ordered_json step_json(const StoryStep& step) {
  ordered_json json{{"position", step.since.value}, {"time", format_time(step.from)}};
  if (step.wait) json["wait"] = name(*step.wait);
  if (step.until) json["until"] = step.until->value;
  if (step.to) json["microseconds"] = (*step.to - step.from).count();
  json["sentence"] = step.sentence;
  return json;
}

void print_json(const TaskStory& story) {
  ordered_json json{{"id", story.id.value}, {"label", story.label}, {"state", name(story.state)}};
  if (story.causation) json["causation"] = story.causation.value;
  json["after"] = ids_json(story.dependencies);
  json["steps"] = ordered_json::array();
  for (const StoryStep& step : story.steps) json["steps"].push_back(step_json(step));
  json["unblocked"] = ids_json(story.unblocked);
  json["doomed"] = ids_json(story.doomed);
  fmt::print("{}\n",
             printable_json(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
}

void print_line(const std::string& line) { fmt::print("{}\n", cut(line, columns_max)); }

void print_step(const StoryStep& step) {
  if (!step.wait) {
    print_line(fmt::format("{:>8}  {}  {}", step.since.value, step_time(step.from), step.sentence));
  } else if (step.to) {
    print_line(fmt::format("{:>10}waited {}, to position {}: {}", "",
                           format_compact(*step.to - step.from), step.until->value, step.sentence));
  } else {
    print_line(
        fmt::format("{:>10}waits since position {}: {}", "", step.since.value, step.sentence));
  }
}

void print_effect(std::string_view what, const std::vector<TaskId>& ids) {
  if (ids.empty()) return;
  std::string list;
  for (TaskId id : ids) list += (list.empty() ? "" : ", ") + std::to_string(id.value);
  print_line(fmt::format("{:>10}{} {}", "", what, list));
}

// The dependencies one level deep: how each stands is what a task that waits is about.
Result<void> print_dependencies(const Source& source, const TaskStory& story) {
  for (TaskId id : story.dependencies) {
    const Task* task = source.state.tasks.all.find(id);
    if (task == nullptr) continue;
    auto label = source.label(*task);
    if (!label) return std::unexpected(label.error());
    print_line(
        fmt::format("{:>10}after {} {}: {}", "", id.value, printable(*label), name(task->state)));
  }
  return {};
}

Result<void> print_text(const Source& source, const TaskStory& story) {
  print_line(
      fmt::format("task {} {}: {}", story.id.value, printable(story.label), name(story.state)));
  bool first = true;
  for (const StoryStep& step : story.steps) {
    print_step(step);
    if (!std::exchange(first, false)) continue;
    if (story.causation) {
      print_line(fmt::format("{:>10}caused by the event at {}", "", story.causation.value));
    }
    auto printed = print_dependencies(source, story);
    if (!printed) return printed;
  }
  print_effect("unblocked", story.unblocked);
  print_effect("doomed", story.doomed);
  return {};
}

}  // namespace

ExitCode why(const WhyCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const TaskId id(command.id);
  if (!source->state.tasks.all.contains(id)) return report(no_task(id, command.at));
  auto story =
      tell_story({.log = *source->log, .folder = command.folder, .state = source->state, .id = id});
  if (!story) return report(story.error());
  if (command.json) {
    print_json(*story);
    return ExitCode::ok;
  }
  auto printed = print_text(*source, *story);
  return printed ? ExitCode::ok : report(printed.error());
}

}  // namespace almanac
