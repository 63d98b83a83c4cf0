// What was asked of an engine and how long it took, without what the engine made of it: the input
// of engine/what_if.h.
#pragma once

#include <almanac/engine/command.h>
#include <almanac/log/log.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

namespace almanac {

// One that was begun again is one attempt each time; one that was handed back, be it because it
// crashed, is none.
struct RecordedAttempt {
  Duration took{0};
  AttemptStatus status = AttemptStatus::succeeded;
  bool permanent = false;           // the task had failed with it, whatever was left
  std::optional<Duration> snoozed;  // it asked to be made again so much later
};

struct RecordedTask {
  Time arrived;
  // Its dependencies are numbers of tasks of the same work: 1 is the first.
  TaskSpec spec;
  std::vector<RecordedAttempt> attempts;  // the last stands for all that follow
  std::optional<Time> cancelled;          // when somebody asked for that, while it ran or not
  Duration stopping{0};                   // how long it ran on then
};

// All settings of the queue from then on.
struct RecordedSettings {
  Time at;
  ConfigureQueue queue;
};

struct RecordedLimit {
  Time at;
  ConfigureLimit limit;
};

// A retry, a pause or a resume, tokens that a program took, or a group that was opened or closed.
// Tasks have their numbers in the work, groups their numbers for names.
struct RecordedChange {
  Time at;
  std::variant<ChangeTasks, PauseWork, TakeTokens, OpenGroup, CloseGroup> command;
};

// A value.
struct RecordedWork {
  std::vector<RecordedTask> tasks;  // in order of arrival
  std::vector<RecordedSettings> settings;
  std::vector<RecordedLimit> limits;
  std::vector<RecordedChange> changes;
  std::uint32_t slots = 0;  // of the engine; 0 = not known
  std::uint64_t seed = 1;
  std::uint64_t assumed = 0;  // tasks that no attempt is known of

  // Tasks that no attempt is known of take as long as the middle one of their kind, or of all, and
  // succeed. Behind the last task.
  void assume_attempts();
};

// Makes it of the events of a log, in order.
class WorkRecorder {
 public:
  // Takes the tasks that were enqueued from here on, and all settings. Dependencies on others count
  // as met.
  explicit WorkRecorder(Position from = Position(1)) : from_(from) {}

  void see(const RecordedEvent& recorded);
  // What is known behind the last event, with attempts for all tasks. The last call.
  [[nodiscard]] RecordedWork finish();

 private:
  struct Known {
    std::size_t index = 0;
    Time started;  // while it runs
  };
  [[nodiscard]] RecordedTask* find(TaskId id);
  void pause(PauseScope scope, std::string_view name, bool pause);
  void end(TaskId id, RecordedAttempt attempt);
  void change(TaskId id, TaskChange change);
  void take(const TaskEnqueued& event);
  void take(const TaskStarted& event);
  void take(const TaskSucceeded& event) { end(event.id, {}); }
  void take(const TaskAttemptFailed& event) { end(event.id, {.status = event.end.status}); }
  void take(const TaskFailed& event);
  void take(const TaskSnoozed& event);
  void take(const TaskCancelRequested& event);
  void take(const TaskCancelled& event);
  void take(const TaskHandedBack& event);
  void take(const TaskRedriven& event) { change(event.id, TaskChange::retry); }
  void take(const TaskHeld& event);
  void take(const TaskReleased& event) { change(event.id, TaskChange::resume); }
  void take(const WorkPaused& event) { pause(event.scope, event.name, true); }
  void take(const WorkResumed& event) { pause(event.scope, event.name, false); }
  void take(const QueueConfigured& event);
  void take(const LimitConfigured& event);
  void take(const TokensTaken& event);
  void take(const GroupOpened& event);
  void take(const GroupClosed& event);
  void take(const EngineStarted& event);
  void take(const auto&) {}

  const Position from_;
  RecordedWork work_;
  Position position_;
  Time now_;
  std::map<TaskId, Known> known_;
};

// The tasks that were enqueued from one position to another, both included, with what is known of
// them there. One pass over the log. Errors: those of Log::read.
[[nodiscard]] Result<RecordedWork> read_work(const Log& log, Position from, Position to);

}  // namespace almanac
