#include <almanac/tools/wait_sentence.h>

#include <almanac/engine/model_turns.h>
#include <almanac/projections/dependencies.h>
#include <almanac/projections/gpu_memory.h>
#include <almanac/projections/group_ends.h>
#include <almanac/tools/task_event.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>
#include <almanac/tools/version_range.h>

#include <fmt/core.h>

#include <algorithm>

namespace almanac {
namespace {

constexpr std::size_t named_max = 4;

// "task 3", "tasks 3, 4", "tasks 3, 4, 5, 6 and 12 more".
template <class Next>
std::string tasks_text(std::size_t count, Next next) {
  std::string text = count == 1 ? "task" : "tasks";
  for (std::size_t i = 0; i < std::min(count, named_max); ++i) {
    text += fmt::format("{}{}", i == 0 ? " " : ", ", next().value);
  }
  return count > named_max ? text + fmt::format(" and {} more", count - named_max) : text;
}

std::string running_in(const State& state, NameId queue, std::size_t count) {
  auto entry = state.tasks.running.lower_bound({queue, TaskId()});
  return tasks_text(count, [&] { return (*entry++).id; });
}

std::string limit_sentence(const State& state, const WaitReason& reason) {
  return fmt::format("limit {} has {} of {} in use, and it asks for {}",
                     printable(state.names.text(*reason.limit)), reason.used, reason.most,
                     reason.asked);
}

std::string tokens_sentence(const State& state, const WaitReason& reason) {
  return fmt::format("limit {} has {} of the {} it asks for, not before {}",
                     printable(state.names.text(*reason.limit)), reason.used,
                     counted(reason.asked, "token"), format_time(reason.next));
}

std::string circuit_sentence(const State& state, const WaitReason& reason) {
  const std::string service = printable(state.names.text(*reason.limit));
  const Circuit circuit = circuit_of(state.circuits, *reason.limit);
  switch (circuit.state) {
    case CircuitState::half_open:
      return fmt::format("the circuit of {} is half open: {} of {} out or over", service,
                         reason.used, counted(reason.most, "probe"));
    case CircuitState::forced_open:
      return fmt::format("the circuit of {} is forced open: `almanac circuit reset` ends that",
                         service);
    default: break;
  }
  return fmt::format("the circuit of {} is open, not before {}", service, format_time(reason.next));
}

std::string model_sentence(const State& state, const WaitReason& reason) {
  using Kind = ModelWait::Kind;
  const auto named = [&](NameId id) { return "model " + printable(state.names.text(id)); };
  const std::string model = named(*reason.limit);
  const ModelWait wait = model_wait(state, *reason.limit, state.time);
  switch (wait.kind) {
    case Kind::usable: return model + " is loaded: it is the next to start";
    case Kind::short_of_memory: break;
    case Kind::next: return model + " is not loaded; there is room, and it is the next to be";
    case Kind::makes_room: return fmt::format("{} is unloaded for {}", named(*wait.other), model);
    case Kind::loading:
      return fmt::format("{} is being loaded since {}", model, format_time(wait.since));
    case Kind::unloading:
      return fmt::format("{} is being unloaded since {}", model, format_time(wait.since));
    case Kind::has_failed:
      return fmt::format("the load of {} has failed; not again before {}", model,
                         format_time(wait.since));
    case Kind::gives_way:
      return fmt::format("{} gives way to {}, which has been waited for since {}", model,
                         printable(state.names.text(*wait.other)), format_time(wait.since));
    case Kind::unknown: return fmt::format("nobody can say whether {} is loaded", model);
  }
  const std::string text = model + " " + wait.numbers;
  const bool is_to_come = reason.next > state.time;
  return is_to_come
             ? fmt::format("{}; others give way to it from {} on", text, format_time(reason.next))
             : text;
}

// Of a task that names several models.
std::string models_sentence(const State& state, TaskId id, const WaitReason& reason) {
  const auto models = models_of(state, lane_of(state.tasks, id, *state.tasks.all.find(id)));
  if (models.size() < 2 || fit_together(state, models)) return model_sentence(state, reason);
  std::string text = "no GPUs have room at once for the models ";
  for (const NameId model : models) {
    text += (model == models.front() ? "" : ", ") + printable(state.names.text(model));
  }
  return text;
}

std::string memory_sentence(const State& state, const WaitReason& reason) {
  using Kind = ModelWait::Kind;
  const MemoryWish wish{*reason.limit, static_cast<std::uint32_t>(reason.asked)};
  const ModelWait wait = memory_wait(state, wish, state.time);
  const auto gib = static_cast<double>(wish.bytes()) / static_cast<double>(std::uint64_t{1} << 30U);
  switch (wait.kind) {
    case Kind::makes_room:
      return fmt::format("model {} is unloaded for the {:.1f} GiB of GPU memory that it needs",
                         printable(state.names.text(*wait.other)), gib);
    case Kind::gives_way:
      return fmt::format(
          "{:.1f} GiB of GPU memory are kept for {}, which has been waited for since {}", gib,
          printable(state.names.text(*wait.other)), format_time(wait.since));
    case Kind::short_of_memory: break;
    default: return "the GPU memory that it needs is there: it is the next to start";
  }
  return reason.next > state.time ? fmt::format("{}; others give way to it from {} on",
                                                wait.numbers, format_time(reason.next))
                                  : wait.numbers;
}

// The GPU came behind the task, or a better one went.
std::string vain_sentence(const State& state, const WaitReason& reason) {
  const auto gib = static_cast<double>(std::uint64_t{1} << 30U);
  const MemoryWish wish{*reason.limit, static_cast<std::uint32_t>(reason.asked)};
  const auto most = most_memory(state, gpu_of_demand(state.names.text(wish.demand)));
  return fmt::format(
      "it asks for {:.1f} GiB of a GPU, of which {:.1f} can be had at most: cancel it",
      static_cast<double>(wish.bytes()) / gib, static_cast<double>(most.value_or(0)) / gib);
}

std::string queue_sentence(const State& state, const WaitReason& reason) {
  return fmt::format("queue {} runs {} of {}: {}", printable(state.names.text(*reason.limit)),
                     reason.used, reason.most, running_in(state, *reason.limit, reason.used));
}

std::string slots_sentence(const State& state, const WaitReason& reason) {
  auto entry = state.tasks.running.begin();
  return fmt::format("{} of {} taken: {}", reason.used, counted(reason.most, "slot"),
                     tasks_text(reason.used, [&] { return (*entry++).id; }));
}

std::string behind_sentence(const State& state, TaskId id, const WaitReason& reason) {
  const Tasks& tasks = state.tasks;
  const auto rank = [&](TaskId of) { return ready_key(tasks, of, *tasks.all.find(of)).place.rank; };
  const QueuePolicy policy = tasks.ranking.policy(tasks.all.find(id)->queue).kind;
  const std::string why = rank(reason.other) == rank(id) ? "enqueued earlier"
                          : policy == QueuePolicy::priority
                              ? "of a higher priority"
                              : "by the policy " + std::string(name(policy));
  return fmt::format("task {} stands before it, {}", reason.other.value, why);
}

std::string turn_sentence(const State& state, const WaitReason& reason) {
  if (!reason.limit) return "the queue's free slots are kept for tasks in front of it";
  return fmt::format("what is left of limit {} is kept for a task in front of it",
                     printable(state.names.text(*reason.limit)));
}

std::string doomed_sentence(const State& state, const WaitReason& reason) {
  const Task* culprit = state.tasks.all.find(reason.other);
  const bool succeeded = culprit != nullptr && culprit->state == TaskState::succeeded;
  return fmt::format("task {} ended with{} success", reason.other.value, succeeded ? "" : "out");
}

std::string paused_sentence(const State& state, const Task& task) {
  if (task.state == TaskState::held) return "paused: `almanac resume` lets it run";
  const bool is_queue = state.pauses.all.contains(PausedWork{PauseScope::queue, task.queue});
  const auto of = state.names.text(is_queue ? task.queue : task.kind);
  return fmt::format("{} {} is paused", is_queue ? "queue" : "kind", printable(of));
}

std::string version_sentence(const State& state, NameId kind, const WaitReason& reason) {
  return fmt::format("version {} of {}; this engine runs {}", reason.asked,
                     printable(state.names.text(kind)),
                     versions_text(state.implementations.versions_of(kind)));
}

std::string retry_sentence(const State& state, TaskId id) {
  const auto failed = to_be_retried(state.tasks, id);
  auto next = failed.begin();
  return fmt::format("{} failed: `almanac retry` runs {} again",
                     tasks_text(failed.size(), [&] { return *next++; }),
                     failed.size() == 1 ? "it" : "them");
}

std::string group_sentence(const State& state, TaskId id) {
  const Groups& groups = state.tasks.groups;
  const GroupId of = groups.waits.find(id)->group;
  const Group& group = *groups.all.find(of);
  const std::string name = printable(group.name.view());
  const GroupCounts counts = counts_of(state.tasks, of);
  if (group.outcome) {
    return fmt::format("group {} is over, {} failed: `almanac retry` runs {} again", name,
                       counted(counts.failed, "task"), counts.failed == 1 ? "it" : "them");
  }
  return fmt::format("group {}{} {} of {} ended", name, group.is_open() ? " is open," : ":",
                     counts.ended(), counted(counts.members, "task"));
}

}  // namespace

std::string wait_sentence(const State& state, TaskId id, const WaitReason& reason) {
  const Task& task = *state.tasks.all.find(id);
  switch (reason.wait) {
    case Wait::dependency:
      return fmt::format("{} it depends on {} not {}", counted(reason.used, "task"),
                         reason.used == 1 ? "has" : "have",
                         state.tasks.conditions.empty() ? "succeeded" : "ended as must be");
    case Wait::doomed: return doomed_sentence(state, reason);
    case Wait::delay: return "not before " + format_time(reason.next);
    case Wait::engine: return "no engine runs";
    case Wait::handler:
      return fmt::format(
          "nothing in this engine runs tasks of kind {}, and no worker asks for them",
          printable(state.names.text(task.kind)));
    case Wait::worker:
      return fmt::format("{} of kind {} {} at work elsewhere, and no worker asks for another",
                         counted(reason.used, "task"), printable(state.names.text(task.kind)),
                         reason.used == 1 ? "is" : "are");
    case Wait::unavailable:
      return fmt::format("no implementation of kind {} can be used",
                         printable(state.names.text(task.kind)));
    case Wait::too_large:
      if (is_gpu_memory(state.names.text(*reason.limit))) return vain_sentence(state, reason);
      return fmt::format("it asks for {} of limit {}, which has {} by now: raise it", reason.asked,
                         printable(state.names.text(*reason.limit)), reason.most);
    case Wait::tokens: return tokens_sentence(state, reason);
    case Wait::circuit: return circuit_sentence(state, reason);
    case Wait::queue_limit: return queue_sentence(state, reason);
    case Wait::limit: return limit_sentence(state, reason);
    case Wait::slots: return slots_sentence(state, reason);
    case Wait::turn: return turn_sentence(state, reason);
    case Wait::behind: return behind_sentence(state, id, reason);
    case Wait::next: return "it is the next to start";
    case Wait::review: return "under review: " + known_text(*state.tasks.held.find(id));
    case Wait::paused: return paused_sentence(state, task);
    case Wait::retry: return retry_sentence(state, id);
    case Wait::group: return group_sentence(state, id);
    case Wait::advice:
      return fmt::format("advisor {} does not advise, and nothing begins without it for now",
                         printable(state.names.text(*reason.limit)));
    case Wait::model: return models_sentence(state, id, reason);
    case Wait::gpu_memory: return memory_sentence(state, reason);
    case Wait::version: return version_sentence(state, task.kind, reason);
  }
  return {};
}

}  // namespace almanac
