#include <almanac/tools/event_json.h>
#include <almanac/tools/past_commands.h>
#include <almanac/tools/source.h>
#include <almanac/tools/task_event.h>
#include <almanac/tools/task_history.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>

namespace almanac {
namespace {

// Prints an event of the task and remembers when it was.
class Printer {
 public:
  Printer(Table& table, bool json) : table_(table), json_(json) {}

  void print(const RecordedEvent& recorded) {
    if (json_) {
      fmt::print("{}\n", event_json(recorded));
      return;
    }
    const Time at = recorded.event.at;
    table_.add({std::to_string(recorded.position.value), step_time(at),
                last_ == Time() ? "" : "+" + format_compact(at - last_),
                task_event_sentence(recorded.event)});
    last_ = at;
  }

 private:
  Table& table_;
  bool json_;
  Time last_;
};

}  // namespace

ExitCode history(const HistoryCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const TaskId id(command.id);
  const Task* task = source->state.tasks.all.find(id);
  if (task == nullptr) return report(no_task(source->state, id, command.at));
  Table table({"POSITION", "TIME", "AFTER", "EVENT"});
  Printer printer(table, command.json);
  auto read = read_task_history({.log = *source->log, .id = id, .task = *task},
                                [&](const RecordedEvent& event) -> Result<bool> {
                                  printer.print(event);
                                  return true;
                                });
  if (!read) return report(read.error());
  if (!command.json) fmt::print("{}", table.text(terminal_columns()));
  return ExitCode::ok;
}

}  // namespace almanac
