#include <almanac/snapshots/tasks_codec.h>

#include <almanac/snapshots/deferred_tasks.h>
#include <almanac/snapshots/marks_codec.h>

#include <algorithm>
#include <future>
#include <iterator>
#include <utility>
#include <vector>

namespace almanac {
namespace {

Row<task_columns> row_of(TaskId id, const Task& task) {
  return {id.value,
          std::uint64_t(task.state),
          std::uint64_t(task.last_status),
          task.attempts_max,
          task.kind.value,
          task.queue.value,
          folded(task.priority),
          folded(task.last_code),
          task.attempts,
          task.failures,
          task.waiting_for,
          number_of(task.enqueued_at),
          number_of(task.run_at),
          number_of(task.started_at),
          number_of(task.ended_at),
          number_of(task.timeout),
          number_of(task.backoff.initial),
          number_of(task.backoff.max),
          task.lease.value,
          task.enqueued.value,
          task.changed.value};
}

// Those that ask for something or have a version come later (write_demands, write_versions).
void write_plain_ready(ColumnWriter& writer, const Tasks& tasks) {
  const auto row_of = [](const ReadyKey& key) {
    return Row<ready_columns>{key.lane.queue.value, key.lane.kind.value, folded(key.place.rank),
                              key.place.id.value};
  };
  const auto is_plain = [](const auto& entry) { return entry.key.is_plain(); };
  if (std::ranges::all_of(tasks.ready.lanes(), is_plain)) {
    return writer.table<ready_columns>(tasks.ready, tasks.ready.size(), row_of);
  }
  std::vector<ReadyKey> plain;
  std::ranges::copy_if(tasks.ready, std::back_inserter(plain),
                       [](const ReadyKey& key) { return key.lane.is_plain(); });
  writer.table<ready_columns>(plain, plain.size(), row_of);
}

void write_orders(ColumnWriter& writer, const Tasks& tasks) {
  write_plain_ready(writer, tasks);
  writer.table<2>(tasks.due, tasks.due.size(),
                  [](const DueKey& key) { return Row<2>{number_of(key.at), key.id.value}; });
  writer.table<2>(tasks.running, tasks.running.size(),
                  [](const RunningKey& key) { return Row<2>{key.queue.value, key.id.value}; });
  writer.table<2>(tasks.tagged, tasks.tagged.size(),
                  [](const TagKey& key) { return Row<2>{key.tag.value, key.id.value}; });
  write_edges(writer, tasks.dependents);
  writer.table<2>(tasks.doomed, tasks.doomed.size(),
                  [](const auto& entry) { return Row<2>{entry.key.value, entry.value.value}; });
}

using TaskCounts = decltype(Tasks::counts);

// Of tasks whose blocks are kept elsewhere, so that they need not be looked at to be counted.
void write_counts(ColumnWriter& writer, const Tasks& tasks) {
  for (const std::uint64_t count : tasks.counts) writer.number(count);
}
TaskCounts read_counts(ColumnReader& reader) {
  TaskCounts counts{};
  for (std::uint64_t& count : counts) count = reader.number();
  return counts;
}

void read_all(ColumnReader& reader, Tasks& tasks) {
  read_sorted<task_columns>(reader, tasks.all, [&](const Row<task_columns>& row) {
    const std::uint64_t state = row[task_state_column];
    if (state >= task_state_count ||
        row[task_status_column] >= std::uint64_t(attempt_status_count)) {
      reader.fail();
    } else {
      ++tasks.counts[state];
    }
    return std::pair(TaskId(row[task_number_column]), task_of(row));
  });
}

void read_ready(ColumnReader& reader, Tasks& tasks) {
  if (reader.keeper()) return read_ready_deferred(reader, tasks);
  read_sorted<ready_columns>(reader, tasks.ready, [](const Row<ready_columns>& row) {
    return ReadyKey{plain_lane(row[0], row[1]), place_of(row)};
  });
}

void read_orders(ColumnReader& reader, Tasks& tasks) {
  read_ready(reader, tasks);
  read_sorted<2>(reader, tasks.due,
                 [](const Row<2>& row) { return DueKey{time_of(row[0]), TaskId(row[1])}; });
  read_sorted<2>(reader, tasks.running,
                 [](const Row<2>& row) { return RunningKey{name_of(row[0]), TaskId(row[1])}; });
  read_sorted<2>(reader, tasks.tagged,
                 [](const Row<2>& row) { return TagKey{name_of(row[0]), TaskId(row[1])}; });
  read_edges(reader, tasks.dependents);
  read_sorted<2>(reader, tasks.doomed,
                 [](const Row<2>& row) { return std::pair(TaskId(row[0]), TaskId(row[1])); });
}

void read_keys(ColumnReader& reader, Tasks& tasks) {
  if (reader.keeper()) return read_keys_deferred(reader, tasks);
  read_texts<key_columns>(reader, [&](const Row<key_columns>& row, std::string_view key) {
    tasks.keys.set(key, keyed_task_of(row));
  });
}

}  // namespace

Task task_of(const Row<task_columns>& row) {
  return {.state = static_cast<TaskState>(row[1]),
          .last_status = static_cast<AttemptStatus>(row[2]),
          .attempts_max = static_cast<std::uint16_t>(row[3]),
          .kind = name_of(row[4]),
          .queue = name_of(row[5]),
          .priority = static_cast<std::int32_t>(unfolded(row[6])),
          .last_code = static_cast<std::int32_t>(unfolded(row[7])),
          .attempts = small(row[8]),
          .failures = small(row[9]),
          .waiting_for = small(row[10]),
          .enqueued_at = time_of(row[11]),
          .run_at = time_of(row[12]),
          .started_at = time_of(row[13]),
          .ended_at = time_of(row[14]),
          .timeout = duration_of(row[15]),
          .backoff = {duration_of(row[16]), duration_of(row[17])},
          .lease = Lease(row[18]),
          .enqueued = Position(row[19]),
          .changed = Position(row[20])};
}

void write_tasks(ColumnWriter& writer, const Tasks& tasks) {
  writer.number(tasks.last.value);
  if (writer.has_sink()) write_counts(writer, tasks);
  writer.table<task_columns>(
      tasks.all, tasks.all.size(), [](const auto& entry) { return row_of(entry.key, entry.value); },
      BlockEnd::number);
  write_orders(writer, tasks);
  write_texts<key_columns>(
      writer, tasks.keys, tasks.keys.size(),
      [](const TaskKeys::Entry& entry) {
        return Row<key_columns>{entry.key.size(), entry.value.id.value, entry.value.content_hash};
      },
      [](const TaskKeys::Entry& entry) { return entry.key; });
}

// The tasks themselves, the larger part, beside all that follows them, where a thread can be had.
void read_tasks(ColumnReader& reader, Tasks& tasks) {
  tasks.last = TaskId(reader.number());
  const TaskCounts counts = reader.has_blocks() ? read_counts(reader) : TaskCounts();
  auto all = std::async([reader, &tasks]() mutable {
    reader.keeper() ? read_all_deferred(reader, tasks) : read_all(reader, tasks);
    return !reader.failed();
  });
  reader.skip_table(task_columns);
  read_orders(reader, tasks);
  read_keys(reader, tasks);
  if (!all.get()) reader.fail();
  if (!reader.has_blocks()) return;
  // None were counted where most tasks have not been looked at.
  if (tasks.counts != TaskCounts() && tasks.counts != counts) reader.fail();
  tasks.counts = counts;
}

}  // namespace almanac
