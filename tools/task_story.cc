#include <almanac/tools/task_story.h>

#include <almanac/tools/task_event.h>
#include <almanac/tools/text.h>
#include <almanac/tools/wait_sentence.h>

#include <almanac/projections/state_diff.h>

#include <functional>
#include <utility>

namespace almanac {
namespace {

// Sees each state between the first and the last event of the task, once and in order.
class Teller {
 public:
  explicit Teller(TaskStory& story) : story_(story) {}

  void see(const State& state, const RecordedEvent& recorded) {
    if (task_of(recorded.event.body) == story_.id) {
      close(state);
      add_event(recorded);
    }
    auto reason = wait_reason(state, story_.id, state.time);
    if (!reason) {
      close(state);
    } else if (!open_ || open_->wait->wait != reason->wait || open_->wait->limit != reason->limit) {
      close(state);
      open_ = StoryStep{.wait = reason,
                        .since = state.position,
                        .from = state.time,
                        .sentence = reason->wait == Wait::group
                                        ? group_text(state)
                                        : wait_sentence(state, story_.id, *reason)};
    }
  }
  // A wait that is open goes on. One for a group has the numbers of now, which none that is over
  // has: they change with each end of a member.
  void finish(const State& state) {
    if (!open_) return;
    if (open_->wait->wait == Wait::group) {
      open_->sentence = wait_sentence(state, story_.id, *open_->wait);
    }
    story_.steps.push_back(std::move(*open_));
  }

 private:
  [[nodiscard]] std::string group_text(const State& state) const {
    const Groups& groups = state.tasks.groups;
    const Group& group = *groups.all.find(groups.waits.find(story_.id)->group);
    return "group " + printable(group.name.view()) + " is not over";
  }
  void add_event(const RecordedEvent& recorded) {
    story_.steps.push_back({.since = recorded.position,
                            .from = recorded.event.at,
                            .sentence = task_event_sentence(recorded.event)});
    if (story_.steps.size() > 1) return;
    const TaskEnqueued& request = request_in(recorded.event.body);
    story_.label = request.label;
    story_.causation = recorded.event.causation;
    story_.dependencies.assign(request.dependencies.begin(), request.dependencies.end());
  }
  void close(const State& state) {
    if (!open_) return;
    open_->until = state.position;
    open_->to = state.time;
    story_.steps.push_back(std::move(*open_));
    open_.reset();
  }

  TaskStory& story_;
  std::optional<StoryStep> open_;
};

// What an ended task's end did to those that waited for it.
struct Consequences {
  TaskStory& story;

  void operator()(TaskId id, const Task* was, const Task* is) const {
    if (id == story.id || was == nullptr || is == nullptr) return;
    if (was->state == TaskState::waiting && is->state != TaskState::waiting) {
      story.unblocked.push_back(id);
    }
  }
  void operator()(TaskId id, const TaskId* was, const TaskId* is) const {
    if (was == nullptr && is != nullptr) story.doomed.push_back(id);
  }
  template <class Value>
  void operator()(const auto&, const Value*, const Value*) const {}
  void operator()(const auto&, Change) const {}
};

}  // namespace

Result<TaskStory> tell_story(const StoryOptions& options) {
  const Task& task = *options.state.tasks.all.find(options.id);
  const bool ended = has_ended(task.state);
  const Position last = ended ? task.changed : options.state.position;
  auto state = options.past.at(Position(task.enqueued.value - 1));
  if (!state) return std::unexpected(state.error());
  TaskStory story{.id = options.id, .state = task.state};
  Teller teller(story);
  auto read = options.log.read(task.enqueued, [&](const RecordedEvent& event) -> Result<bool> {
    if (event.position > last) return false;
    const bool is_end = ended && event.position == last;
    std::optional<State> before;
    if (is_end) before = *state;
    fold_into(*state, event);
    teller.see(*state, event);
    if (before) diff(*before, *state, Consequences{story});
    return event.position < last;
  });
  if (!read) return std::unexpected(read.error());
  teller.finish(*state);
  return story;
}

}  // namespace almanac
