#include <almanac/tools/story_json.h>

#include <almanac/tools/terms_json.h>
#include <almanac/tools/units.h>

#include <nlohmann/json.hpp>

#include <utility>

namespace almanac {
namespace {

using nlohmann::ordered_json;

ordered_json step_json(const StoryStep& step) {
  ordered_json json{{"position", step.since.value}, {"time", format_time(step.from)}};
  if (step.wait) json["wait"] = name(step.wait->wait);
  if (step.wait && step.wait->next != Time()) json["next"] = format_time(step.wait->next);
  if (step.until) json["until"] = step.until->value;
  if (step.to) json["microseconds"] = (*step.to - step.from).count();
  json["sentence"] = step.sentence;
  return json;
}

ordered_json caused_json(const std::vector<CausedTask>& caused) {
  auto list = ordered_json::array();
  for (const CausedTask& task : caused) {
    ordered_json json{{"id", task.id.value},       {"label", task.label},
                      {"state", name(task.state)}, {"link", name(task.link)},
                      {"position", task.at.value}, {"caused", caused_json(task.caused)}};
    if (task.is_repeated) json["repeated"] = true;
    if (task.left_out > 0) json["left_out"] = task.left_out;
    list.push_back(std::move(json));
  }
  return list;
}

void add_tree(ordered_json& json, const TaskTree& tree) {
  json["causes"] = ordered_json::array();
  for (const Cause& cause : tree.causes) {
    ordered_json event{{"position", cause.position.value}, {"type", cause.type}};
    if (cause.task) event["task"] = cause.task.value;
    json["causes"].push_back(std::move(event));
  }
  json["caused"] = caused_json(tree.caused);
  if (tree.left_out > 0) json["left_out"] = tree.left_out;
}

}  // namespace

ordered_json story_json(const State& state, const TaskStory& story,
                        const std::optional<TaskTree>& tree) {
  ordered_json json{{"id", story.id.value}, {"label", story.label}, {"state", name(story.state)}};
  add_terms(json, state, story.id);
  if (story.causation) json["causation"] = story.causation.value;
  json["after"] = ids_json(story.dependencies);
  json["steps"] = ordered_json::array();
  for (const StoryStep& step : story.steps) json["steps"].push_back(step_json(step));
  json["unblocked"] = ids_json(story.unblocked);
  json["doomed"] = ids_json(story.doomed);
  if (tree) add_tree(json, *tree);
  return json;
}

}  // namespace almanac
