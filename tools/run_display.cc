#include <almanac/tools/run_display.h>

#include <almanac/tools/text.h>
#include <almanac/tools/units.h>
#include <almanac/tools/wait_sentence.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace almanac {
namespace {

// Up to this many tasks each end is a line and each task a row; beyond, what went wrong is.
constexpr std::size_t tasks_shown_max = 60;
constexpr std::size_t troubles_shown_max = 30;
constexpr std::size_t milestones = 20;
constexpr auto redraw_interval = std::chrono::milliseconds(100);

std::string_view word(const AttemptNote& note) {
  return note.state == TaskState::delayed ? "retrying" : name(note.state);
}

// Why a task ended as it did, from the event that ended it.
std::string reason_of(const EventBody& body) {
  if (const auto* event = std::get_if<TaskAttemptFailed>(&body)) {
    return std::string(event->end.message);
  }
  if (const auto* event = std::get_if<TaskFailed>(&body)) return std::string(event->end.message);
  if (const auto* event = std::get_if<TaskCancelled>(&body)) return std::string(event->reason);
  return {};
}

}  // namespace

RunDisplay::RunDisplay(DisplayOptions options, std::vector<RunTask> tasks)
    : options_(std::move(options)),
      tasks_(std::move(tasks)),
      terminal_columns_(options_.json ? 0 : terminal_columns()),
      every_end_(options_.all || tasks_.size() <= tasks_shown_max),
      milestone_next_(tasks_.size() / milestones) {
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    by_id_[tasks_[i].id] = i;
    tasks_[i].last = tasks_[i].before;
    count(tasks_[i].before);
  }
  ended_before_ = ended_;
}

void RunDisplay::count(TaskState state) {
  if (has_ended(state)) ++ended_;
  if (state == TaskState::failed) ++failed_;
}

std::string RunDisplay::label(TaskId id) const {
  auto found = by_id_.find(id);
  auto number = "task " + std::to_string(id.value);
  if (found == by_id_.end() || tasks_[found->second].label.empty()) return number;
  return tasks_[found->second].label;
}

void RunDisplay::show(std::span<const AttemptNote> notes, const State& state) {
  for (const AttemptNote& note : notes) {
    if (auto found = by_id_.find(note.id); found != by_id_.end()) {
      count(note.state);
      tasks_[found->second].last = note.state;
    }
    if (options_.json) {
      json(note);
    } else if (terminal_columns_ == 0 && (every_end_ || note.state != TaskState::succeeded)) {
      line(note);
    }
  }
  if (options_.json) {
    if (!notes.empty()) std::fflush(stdout);
    return;
  }
  if (terminal_columns_ > 0) return redraw(state);
  milestone();
  tell_delay(state);
}

void RunDisplay::line(const AttemptNote& note) {
  fmt::print("{:<9}  {}", word(note), label(note.id));
  if (note.attempt > 0) fmt::print("  (attempt {}, {})", note.attempt, format_compact(note.took));
  if (!note.message.empty()) fmt::print("  {}", printable(note.message));
  fmt::print("\n");
  std::fflush(stdout);
}

void RunDisplay::json(const AttemptNote& note) {
  nlohmann::ordered_json json{{"task", note.id.value},
                              {"label", label(note.id)},
                              {"state", word(note)},
                              {"attempt", note.attempt},
                              {"position", note.position.value},
                              {"time", format_time(note.at)},
                              {"took_us", note.took.count()}};
  if (!note.message.empty()) json["message"] = printable(note.message);
  fmt::print("{}\n", json.dump());
}

void RunDisplay::redraw(const State& state) {
  auto now = std::chrono::steady_clock::now();
  if (now - drawn_ < redraw_interval) return;
  drawn_ = now;
  auto seconds = std::chrono::duration<double>(now - options_.began).count();
  auto ended_here = static_cast<double>(ended_ - ended_before_);
  auto text = fmt::format("{}/{} ended, {} running, {} failed, {:.0f}/s", ended_, options_.tasks,
                          state.tasks.count(TaskState::running), failed_,
                          seconds > 0 ? ended_here / seconds : 0.0);
  text += waiting(state);
  fmt::print("\r\033[K{}", cut(text, terminal_columns_ - 1));
  std::fflush(stdout);
}

struct RunDisplay::FirstLeft {
  TaskId id;
  WaitReason reason;
};

// While nothing runs, the first task that has not ended, where it waits for something.
std::optional<RunDisplay::FirstLeft> RunDisplay::first_left(const State& state) {
  if (!state.tasks.running.empty()) return std::nullopt;
  while (first_left_ < tasks_.size() && has_ended(state_of(state, tasks_[first_left_]))) {
    ++first_left_;
  }
  if (first_left_ == tasks_.size()) return std::nullopt;
  const TaskId id = tasks_[first_left_].id;
  const auto reason = wait_reason(state, id, state.time);
  if (!reason || reason->wait == Wait::next) return std::nullopt;
  return FirstLeft{id, *reason};
}

// For who sees a line that does not move.
std::string RunDisplay::waiting(const State& state) {
  const auto first = first_left(state);
  if (!first) return {};
  return "; " + label(first->id) + ": " + wait_sentence(state, first->id, first->reason);
}

// Once, for who sees no line at all.
void RunDisplay::tell_delay(const State& state) {
  const auto first = first_left(state);
  if (!first || first->reason.wait != Wait::delay || delay_told_ == first->id) return;
  delay_told_ = first->id;
  fmt::print("{:<9}  {}  {}\n", "waiting", label(first->id),
             wait_sentence(state, first->id, first->reason));
  std::fflush(stdout);
}

void RunDisplay::milestone() {
  if (every_end_ || ended_ < milestone_next_) return;
  milestone_next_ = ended_ + tasks_.size() / milestones;
  fmt::print("{}/{} ended, {} failed\n", ended_, options_.tasks, failed_);
  std::fflush(stdout);
}

void RunDisplay::stopping(const State& state) {
  auto running = state.tasks.count(TaskState::running) + state.tasks.count(TaskState::cancelling);
  if (std::exchange(stopping_, true) || options_.json || running == 0) return;
  clear_line();
  fmt::print("stopping: {} may go on for {}; a second Ctrl-C ends that at once\n",
             counted(running, "task"), options_.grace);
  std::fflush(stdout);
}

void RunDisplay::clear_line() const {
  if (drawn_ != std::chrono::steady_clock::time_point()) fmt::print("\r\033[K");
}

TaskState RunDisplay::state_of(const State& state, const RunTask& task) {
  const Task* found = state.tasks.all.find(task.id);
  return found == nullptr ? task.last : found->state;
}

bool RunDisplay::all_succeeded(const State& state) const {
  return std::ranges::all_of(
      tasks_, [&](const RunTask& task) { return state_of(state, task) == TaskState::succeeded; });
}

RunDisplay::Sums RunDisplay::sums(const State& state) const {
  Sums sums{.unfinished = options_.tasks - tasks_.size()};
  for (const RunTask& task : tasks_) {
    switch (state_of(state, task)) {
      case TaskState::succeeded: ++sums.succeeded; break;
      case TaskState::failed: ++sums.failed; break;
      case TaskState::cancelled: ++sums.cancelled; break;
      default: ++sums.unfinished; break;
    }
  }
  return sums;
}

// How it ended or what became of its last attempt; or what it waits for, but for this engine.
std::string RunDisplay::why(const State& state, TaskId id, const Log& log) const {
  const Task& task = *state.tasks.all.find(id);
  if (task.state == TaskState::succeeded) return {};
  std::string reason;
  auto read =
      log.read_one(task.changed, [&](const Event& event) { reason = reason_of(event.body); });
  if (!read) return printable(read.error().message);
  const auto wait = wait_reason(state, id, state.time);
  if (!reason.empty() || !wait || wait->wait == Wait::engine) return printable(reason);
  return wait_sentence(state, id, *wait);
}

void RunDisplay::closing_object(const State& state, const Sums& sums) const {
  nlohmann::ordered_json json{{"tasks", options_.tasks},        {"succeeded", sums.succeeded},
                              {"failed", sums.failed},          {"cancelled", sums.cancelled},
                              {"unfinished", sums.unfinished},  {"position", state.position.value},
                              {"digest", to_hex(digest(state))}};
  fmt::print("{}\n", json.dump());
}

void RunDisplay::table(const State& state, const Log& log) const {
  Table table({"ID", "TASK", "STATE", "ATTEMPTS", "TIME", "WHY"});
  std::size_t rows = 0;
  std::size_t hidden = 0;
  for (const RunTask& entry : tasks_) {
    const Task* found = state.tasks.all.find(entry.id);
    if (found == nullptr) continue;
    const Task& task = *found;
    if (!every_end_ && task.state == TaskState::succeeded) continue;
    if (!every_end_ && rows == troubles_shown_max) {
      ++hidden;
      continue;
    }
    ++rows;
    bool timed = has_ended(task.state) && task.attempts > 0;
    table.add({std::to_string(entry.id.value), label(entry.id), std::string(name(task.state)),
               std::to_string(task.attempts),
               timed ? format_compact(task.ended_at - task.started_at) : "-",
               why(state, entry.id, log)});
  }
  if (rows > 0) fmt::print("\n{}", table.text(terminal_columns_));
  if (hidden > 0) fmt::print("and {} more; --all shows them\n", hidden);
}

void RunDisplay::close(const State& state, const Log& log) {
  auto sums = this->sums(state);
  clear_line();
  if (options_.json) {
    closing_object(state, sums);
  } else if (options_.tasks == 0) {
    if (!options_.forever) fmt::print("nothing to run: every task of this folder has ended\n");
  } else {
    table(state, log);
    auto took = std::chrono::steady_clock::now() - options_.began;
    fmt::print("\n{}: {} succeeded, {} failed, {} cancelled", counted(options_.tasks, "task"),
               sums.succeeded, sums.failed, sums.cancelled);
    if (sums.unfinished > 0) fmt::print(", {} not finished", sums.unfinished);
    fmt::print(" in {}\n", format_compact(std::chrono::duration_cast<Duration>(took)));
    const auto paused =
        static_cast<std::size_t>(std::ranges::count_if(state.tasks.held, [](const auto& entry) {
          return entry.value.reason == HoldReason::paused;
        }));
    const auto held = state.tasks.held.size() - paused;
    if (held > 0) fmt::print("{} under review: see `almanac review list`\n", counted(held, "task"));
    if (paused > 0) fmt::print("{} paused: see `almanac resume`\n", counted(paused, "task"));
    if (sums.unfinished > 0) fmt::print("run it again to go on\n");
    if (sums.failed > 0) fmt::print("{}\n", options_.hint);
  }
  std::fflush(stdout);
}

}  // namespace almanac
