#include <almanac/tools/task_tree.h>

#include <almanac/tools/limits.h>
#include <almanac/tools/task_event.h>
#include <almanac/tools/task_json.h>

#include <almanac/projections/state_diff.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

namespace almanac {
namespace {

struct Caused {
  Position at;
  TaskId id;
  CausalLink link = CausalLink::enqueued;
  auto operator<=>(const Caused&) const = default;
};
using Effects = std::map<TaskId, std::set<Caused>>;

bool ends_task(const EventBody& body) {
  return std::holds_alternative<TaskSucceeded>(body) || std::holds_alternative<TaskFailed>(body) ||
         std::holds_alternative<TaskCancelled>(body) || std::holds_alternative<TaskAccepted>(body);
}

// What the end of one task did to those that waited for it.
struct EndEffects {
  std::set<Caused>& effects;
  TaskId ended;
  Position at;

  void operator()(TaskId id, const Task* was, const Task* is) const {
    if (id == ended || was == nullptr || is == nullptr) return;
    if (was->state == TaskState::waiting && is->state != TaskState::waiting) {
      effects.insert({at, id, CausalLink::unblocked});
    }
  }
  void operator()(TaskId id, const TaskId* was, const TaskId* is) const {
    if (was == nullptr && is != nullptr) effects.insert({at, id, CausalLink::doomed});
  }
  template <class Value>
  void operator()(const auto&, const Value*, const Value*) const {}
  void operator()(const auto&, Change) const {}
};

struct Enqueued {
  TaskId id;
  Position cause;
};

// All that tasks did to each other from `first` on, up to the state's position.
Result<Effects> find_effects(const TaskTreeOptions& options, Position first) {
  const Log& log = options.log;
  const Position last = options.state.position;
  Effects effects;
  std::vector<Enqueued> enqueued;
  auto state = options.past.at(Position(first.value - 1));
  if (!state) return std::unexpected(state.error());
  auto read = log.read(first, [&](const RecordedEvent& recorded) -> Result<bool> {
    const Event& event = recorded.event;
    if (recorded.position > last) return false;
    const auto cause = event.causation ? event.causation : event.correlation;
    if (cause >= first && std::holds_alternative<TaskEnqueued>(event.body)) {
      enqueued.push_back({task_of(event.body), cause});
    }
    std::optional<State> before;
    if (ends_task(event.body)) before = *state;
    fold_into(*state, recorded);
    if (before) {
      const TaskId ended = task_of(event.body);
      diff(*before, *state, EndEffects{effects[ended], ended, recorded.position});
    }
    return recorded.position < last;
  });
  if (!read) return std::unexpected(read.error());
  // Another event can be looked up only when no reading is under way.
  for (const Enqueued& one : enqueued) {
    TaskId by;
    auto looked = log.read_one(one.cause, [&](const Event& event) { by = task_of(event.body); });
    if (!looked) return std::unexpected(looked.error());
    if (by && by != one.id) effects[by].insert({one.cause, one.id, CausalLink::enqueued});
  }
  return effects;
}

class Grower {
 public:
  Grower(const TaskTreeOptions& options, const Effects& effects)
      : options_(options), effects_(effects) {}

  // What `id` caused, `depth` below the root; each task's own effects once, so that it ends however
  // the effects lie.
  Result<void> grow(TaskId id, std::size_t depth, std::vector<CausedTask>& caused,
                    std::size_t& left_out) {
    auto found = effects_.find(id);
    if (found == effects_.end()) return {};
    shown_.insert(id);
    for (const Caused& effect : found->second) {
      const Task* task = options_.state.tasks.all.find(effect.id);
      if (task == nullptr) continue;
      if (depth == options_.depth_max || tasks_ == limits::tree_tasks_max) {
        left_out += 1;
        continue;
      }
      tasks_ += 1;
      auto label = task_label(options_.log, *task);
      if (!label) return std::unexpected(label.error());
      CausedTask node{.id = effect.id,
                      .label = std::move(*label),
                      .state = task->state,
                      .link = effect.link,
                      .at = effect.at,
                      .is_repeated = shown_.contains(effect.id) && effects_.contains(effect.id)};
      if (!node.is_repeated) {
        auto grown = grow(effect.id, depth + 1, node.caused, node.left_out);
        if (!grown) return grown;
      }
      caused.push_back(std::move(node));
    }
    return {};
  }

 private:
  const TaskTreeOptions& options_;
  const Effects& effects_;
  std::size_t tasks_ = 0;
  std::set<TaskId> shown_;
};

// From the event that enqueued the task back to the one that nothing caused. A cause lies in front
// of what it caused, whatever an event says.
Result<std::vector<Cause>> find_causes(const Log& log, Position enqueued) {
  std::vector<Cause> causes;
  auto first = log.first();
  if (!first) return std::unexpected(first.error());
  Position next = enqueued;
  Position before;
  const auto look = [&](const Event& event) {
    if (next != enqueued) {
      causes.push_back({next, std::string(type_name(event.body)), task_of(event.body)});
    }
    before = event.causation ? event.causation : event.correlation;
  };
  while (next >= *first && causes.size() < limits::tree_causes_max) {
    if (auto read = log.read_one(next, look); !read) return std::unexpected(read.error());
    if (before >= next) break;
    next = before;
  }
  std::ranges::reverse(causes);
  return causes;
}

}  // namespace

std::string_view name(CausalLink link) {
  switch (link) {
    case CausalLink::enqueued: return "enqueued";
    case CausalLink::unblocked: return "unblocked";
    case CausalLink::doomed: return "doomed";
  }
  return "";
}

Result<TaskTree> grow_tree(const TaskTreeOptions& options) {
  const Task& task = *options.state.tasks.all.find(options.id);
  auto causes = find_causes(options.log, task.enqueued);
  if (!causes) return std::unexpected(causes.error());
  auto effects = find_effects(options, task.enqueued);
  if (!effects) return std::unexpected(effects.error());
  TaskTree tree{.causes = std::move(*causes)};
  Grower grower(options, *effects);
  auto grown = grower.grow(options.id, 0, tree.caused, tree.left_out);
  if (!grown) return std::unexpected(grown.error());
  return tree;
}

}  // namespace almanac
