#include <almanac/tools/workload.h>

#include <almanac/tools/limits.h>
#include <almanac/tools/workload_file.h>
#include <almanac/tools/workload_head.h>
#include <almanac/tools/workload_order.h>
#include <almanac/tools/workload_task.h>

#include <fmt/core.h>

#include <unordered_map>
#include <utility>

namespace almanac {
namespace {

using workload::After;
using workload::Checked;
using workload::fault;
using workload::File;
using workload::Format;
using workload::Head;
using workload::ScheduleDraft;
using workload::TaskDraft;
using workload::Value;

// Takes what a reader finds and makes tasks of it.
class Assembly {
 public:
  Assembly(const File& file, Time now) : file_(file), now_(now) { head_.name = file.stem; }

  Checked<void> take_head(const Value::Table& table) {
    auto head = workload::read_head(table);
    if (!head) return std::unexpected(std::move(head.error()));
    if (head->name.empty()) head->name = file_.stem;
    head_ = std::move(*head);
    return workload::check_workload_name(head_.name, 1);
  }

  Checked<void> take_task(const Value& value) {
    const auto* table = std::get_if<Value::Table>(&value.content);
    if (table == nullptr) {
      return fault(value.line,
                   fmt::format("a task must be a table of keys, not {}", what_it_is(value)),
                   R"(write {"command": ["echo", "hello"]} or the like)");
    }
    if (tasks_.size() == limits::workload_tasks_max) {
      return fault(value.line,
                   fmt::format("over the limit of {} tasks", limits::workload_tasks_max),
                   "cut it into several workloads");
    }
    TaskDraft draft = head_.defaults;
    if (auto read = read_task(draft, *table, workload::Scope::task); !read) return read;
    if (auto named = name_task(draft, value.line); !named) return named;
    return add(std::move(draft), value.line);
  }

  Checked<Workload> finish() {
    if (tasks_.empty() && head_.schedules.empty()) {
      return fault(1, "the workload has no task",
                   file_.format == Format::toml
                       ? "write [[task]] and below it a name and a command"
                       : R"(write {"command": ["echo", "hello"]} or the like on each line)");
    }
    auto order = workload::order_tasks(nodes());
    if (!order) return std::unexpected(std::move(order.error()));
    Workload result{.name = head_.name,
                    .tasks = {},
                    .queues = head_.queues,
                    .limits = head_.limits,
                    .schedules = {}};
    for (ScheduleDraft& schedule : head_.schedules) {
      auto spec = schedule_of(std::move(schedule));
      if (!spec) return std::unexpected(std::move(spec.error()));
      result.schedules.push_back(std::move(*spec));
    }
    result.tasks.reserve(tasks_.size());
    for (std::size_t place = 0; place < order->tasks.size(); ++place) {
      auto& task = result.tasks.emplace_back(std::move(tasks_[order->tasks[place]].task));
      for (std::size_t dependency : order->dependencies[place]) {
        task.spec.dependencies.emplace_back(InBatch{dependency});
      }
      task.spec.conditions = std::move(order->conditions[place]);
    }
    return result;
  }

 private:
  struct Entry {
    WorkloadTask task;
    int name_line;
    std::vector<After> after;
  };

  Checked<void> name_task(TaskDraft& draft, int line) {
    if (draft.name.empty()) {
      if (file_.format == Format::toml) {
        return fault(line, "the task has no name", "add a line like name = \"count\"");
      }
      draft.name = fmt::format("line-{}", line);
      draft.name_line = line;
    }
    draft.spec.label = draft.name;
    draft.spec.idempotency_key = fmt::format("{}/{}", head_.name, draft.name);
    if (draft.spec.idempotency_key.size() <= limits::key_bytes_max) return {};
    return fault(draft.name_line,
                 fmt::format("the names of workload and task take over {} bytes together",
                             limits::key_bytes_max),
                 "shorten one of them");
  }

  // `what` it is, for messages: "task 'count'".
  Checked<void> set_payload(TaskDraft& draft, const std::string& what, int line) {
    if (draft.command.arguments.empty()) {
      return fault(line, fmt::format("the {} has nothing to run", what),
                   "give it either 'command', a list of texts, or 'shell', a text");
    }
    draft.command.working_folder = working_folder(draft.command.working_folder);
    auto payload = encode(draft.command);
    if (!payload) return fault(line, payload.error().message, payload.error().next_step);
    if (payload->size() > limits::payload_bytes_max) {
      return fault(line,
                   fmt::format("the command of the {} is over the limit of {} MiB", what,
                               limits::payload_bytes_max / limits::mebibyte),
                   "put long text into a file and give the task its name");
    }
    draft.spec.kind = command_kind;
    draft.spec.payload = std::move(*payload);
    return {};
  }

  Checked<void> add(TaskDraft draft, int line) {
    auto set = set_payload(draft, fmt::format("task '{}'", draft.name), line);
    if (!set) return set;
    if (draft.delay) draft.spec.run_at = now_ + *draft.delay;
    if (draft.expires) draft.spec.expires_at = now_ + *draft.expires;
    tasks_.push_back({{std::move(draft.name), line, std::move(draft.spec)},
                      draft.name_line,
                      std::move(draft.after)});
    return {};
  }

  Checked<ScheduleSpec> schedule_of(ScheduleDraft draft) {
    auto set = set_payload(draft.task, fmt::format("schedule '{}'", draft.name), draft.line);
    if (!set) return std::unexpected(std::move(set.error()));
    return ScheduleSpec{.name = std::move(draft.name),
                        .recurrence = std::move(*draft.recurrence),
                        .task = std::move(draft.task.spec),
                        .missed = draft.missed,
                        .window = draft.window,
                        .overlap = draft.overlap};
  }

  const std::string& working_folder(const std::string& written) {
    auto [entry, is_new] = folders_.try_emplace(written);
    if (is_new) entry->second = workload::tidied(file_.folder / written).string();
    return entry->second;
  }

  std::vector<workload::Node> nodes() const {
    std::vector<workload::Node> nodes;
    nodes.reserve(tasks_.size());
    for (const Entry& entry : tasks_) {
      nodes.push_back({entry.task.name, entry.name_line, entry.after, entry.task.spec.tags});
    }
    return nodes;
  }

  const File& file_;
  Time now_;
  Head head_;
  std::vector<Entry> tasks_;
  std::unordered_map<std::string, std::string> folders_;  // as written → absolute
};

Checked<Workload> assemble(const File& file, Time now) {
  Assembly assembly(file, now);
  const workload::Sink sink{
      .head = [&](const Value::Table& table) { return assembly.take_head(table); },
      .task = [&](const Value& task) { return assembly.take_task(task); }};
  auto read = file.format == Format::toml ? workload::read_toml(file.text, sink)
                                          : workload::read_json_lines(file.text, sink);
  if (!read) return std::unexpected(std::move(read.error()));
  return assembly.finish();
}

}  // namespace

Result<Workload> load_workload(const std::string& path, Time now) {
  auto file = workload::read_workload_file(path);
  if (!file) return std::unexpected(std::move(file.error()));
  auto assembled = assemble(*file, now);
  if (assembled) return std::move(*assembled);
  auto& found = assembled.error();
  return fail(ErrorCode::invalid, workload::located(file->shown, found.line, found.message),
              std::move(found.next_step));
}

}  // namespace almanac
