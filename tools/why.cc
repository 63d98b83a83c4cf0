#include <almanac/tools/past_commands.h>
#include <almanac/tools/source.h>
#include <almanac/tools/story_json.h>
#include <almanac/tools/task_event.h>
#include <almanac/tools/task_story.h>
#include <almanac/tools/task_tree.h>
#include <almanac/tools/terms_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/text_tree.h>
#include <almanac/tools/units.h>

#include <almanac/snapshots/past_states.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <utility>

namespace almanac {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t story_columns = 80;

void print_cut(const std::string& line) { fmt::print("{}\n", cut(line, story_columns)); }

std::string step_text(const StoryStep& step) {
  if (!step.wait) return fmt::format("{}  {}", step_time(step.from), step.sentence);
  if (!step.to) return fmt::format("waits since position {}: {}", step.since.value, step.sentence);
  return fmt::format("waited {}, to position {}: {}", format_compact(*step.to - step.from),
                     step.until->value, step.sentence);
}

void print_step(const StoryStep& step) {
  auto place = step.wait ? "" : std::to_string(step.since.value);
  print_cut(fmt::format("{:>8}  {}", place, step_text(step)));
}

void print_effect(std::string_view what, const std::vector<TaskId>& ids) {
  if (ids.empty()) return;
  std::string list;
  for (TaskId id : ids) list += (list.empty() ? "" : ", ") + std::to_string(id.value);
  print_cut(fmt::format("{:>10}{} {}", "", what, list));
}

// The dependencies one level deep: how each stands is what a task that waits is about.
Result<void> print_dependencies(const Source& source, const TaskStory& story) {
  for (TaskId id : story.dependencies) {
    const Task* task = source.state.tasks.all.find(id);
    if (task == nullptr) continue;
    auto label = source.label(*task);
    if (!label) return std::unexpected(label.error());
    print_cut(
        fmt::format("{:>10}after {} {}: {}", "", id.value, printable(*label), name(task->state)));
  }
  return {};
}

Result<void> print_text(const Source& source, const TaskStory& story) {
  print_cut(
      fmt::format("task {} {}: {}", story.id.value, printable(story.label), name(story.state)));
  ordered_json terms = ordered_json::object();
  add_terms(terms, source.state, story.id);
  for (const auto& [name, value] : terms.items()) {
    const auto text = value.is_string() ? value.get<std::string>() : value.dump();
    print_cut(fmt::format("{:>10}{} {}", "", name, printable(text)));
  }
  bool first = true;
  for (const StoryStep& step : story.steps) {
    print_step(step);
    if (!std::exchange(first, false)) continue;
    if (story.causation) {
      print_cut(fmt::format("{:>10}caused by the event at {}", "", story.causation.value));
    }
    auto printed = print_dependencies(source, story);
    if (!printed) return printed;
  }
  print_effect("unblocked", story.unblocked);
  print_effect("doomed", story.doomed);
  return {};
}

std::string left_out_text(std::size_t count) { return fmt::format("… and {} more", count); }

TextTree branch_of(const CausedTask& task) {
  TextTree tree{.line = fmt::format("{} task {} {}: {}{}", name(task.link), task.id.value,
                                    printable(task.label), name(task.state),
                                    task.is_repeated ? ", as above" : ""),
                .below = {}};
  for (const CausedTask& caused : task.caused) tree.below.push_back(branch_of(caused));
  if (task.left_out > 0) tree.below.push_back({left_out_text(task.left_out), {}});
  return tree;
}

// The task, below it each step, and below that what it caused.
TextTree root_of(const TaskStory& story, const TaskTree& tree) {
  TextTree root{.line = fmt::format("task {} {}: {}", story.id.value, printable(story.label),
                                    name(story.state)),
                .below = {}};
  for (const StoryStep& step : story.steps) {
    TextTree branch{step_text(step), {}};
    if (!step.wait) {
      branch.line = fmt::format("{}  {}", step.since.value, branch.line);
      for (const CausedTask& caused : tree.caused) {
        if (caused.at == step.since) branch.below.push_back(branch_of(caused));
      }
    }
    root.below.push_back(std::move(branch));
  }
  if (tree.left_out > 0) root.below.push_back({left_out_text(tree.left_out), {}});
  for (auto cause = tree.causes.rbegin(); cause != tree.causes.rend(); ++cause) {
    auto line = fmt::format("{}  {}", cause->position.value, cause->type);
    if (cause->task) line += fmt::format(" of task {}", cause->task.value);
    root = TextTree{.line = std::move(line), .below = {std::exchange(root, {})}};
  }
  return root;
}

}  // namespace

ExitCode why(const WhyCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const TaskId id(command.id);
  if (!source->state.tasks.all.contains(id)) return report(no_task(source->state, id, command.at));
  const PastStates past(*source->log, command.folder, {.refused = tell_refused});
  auto story = tell_story({.log = *source->log, .past = past, .state = source->state, .id = id});
  if (!story) return report(story.error());
  std::optional<TaskTree> tree;
  if (command.tree) {
    auto grown = grow_tree({.log = *source->log,
                            .past = past,
                            .state = source->state,
                            .id = id,
                            .depth_max = command.depth});
    if (!grown) return report(grown.error());
    tree = std::move(*grown);
  }
  if (command.json) {
    const auto json = story_json(source->state, *story, tree);
    fmt::print("{}\n",
               printable_json(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
    return ExitCode::ok;
  }
  if (tree) {
    fmt::print("{}", draw(root_of(*story, *tree), story_columns));
    return ExitCode::ok;
  }
  auto printed = print_text(*source, *story);
  return printed ? ExitCode::ok : report(printed.error());
}

}  // namespace almanac
