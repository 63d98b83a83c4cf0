#include <almanac/snapshots/state_codec.h>

#include <almanac/snapshots/columns.h>

#include <array>
#include <future>
#include <string_view>
#include <utility>

namespace almanac {
namespace {

template <std::size_t width>
using Row = std::array<std::uint64_t, width>;

std::uint64_t number_of(Time time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}
std::uint64_t number_of(Duration duration) { return static_cast<std::uint64_t>(duration.count()); }
Duration duration_of(std::uint64_t number) { return Duration(static_cast<std::int64_t>(number)); }
Time time_of(std::uint64_t number) { return Time(duration_of(number)); }
// Signs go to the last bit, so that small numbers around zero stay small.
std::uint64_t folded(std::int64_t number) {
  return static_cast<std::uint64_t>(number) << 1 ^ static_cast<std::uint64_t>(number >> 63);
}
std::int64_t unfolded(std::uint64_t number) {
  return static_cast<std::int64_t>(number >> 1) ^ -static_cast<std::int64_t>(number & 1);
}
NameId name_of(std::uint64_t number) { return NameId{static_cast<std::uint32_t>(number)}; }
std::uint32_t small(std::uint64_t number) { return static_cast<std::uint32_t>(number); }

constexpr std::size_t task_columns = 21;

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

// The texts of a table: their lengths, then all their bytes.
template <std::size_t width, class Range, class RowOf, class TextOf>
void write_texts(ColumnWriter& writer, const Range& from, std::size_t count, RowOf row,
                 TextOf text) {
  writer.table<width>(from, count, row);
  for (const auto& element : from) writer.bytes(as_bytes(text(element)));
}

void write_names(ColumnWriter& writer, const Names& names) {
  std::vector<std::string_view> texts;
  for (std::uint32_t id = 0; id < names.size(); ++id) texts.push_back(names.text({id}));
  write_texts<1>(
      writer, texts, texts.size(), [](std::string_view text) { return Row<1>{text.size()}; },
      [](std::string_view text) { return text; });
}

void write_edges(ColumnWriter& writer, const PersistentSet<DependencyKey>& edges) {
  writer.table<2>(edges, edges.size(), [](const DependencyKey& key) {
    return Row<2>{key.dependency.value, key.dependent.value};
  });
}

void write_orders(ColumnWriter& writer, const Tasks& tasks) {
  writer.table<4>(tasks.ready, tasks.ready.size(), [](const ReadyKey& key) {
    return Row<4>{key.lane.queue.value, key.lane.kind.value, folded(key.place.rank),
                  key.place.id.value};
  });
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

void write_tasks(ColumnWriter& writer, const Tasks& tasks) {
  writer.number(tasks.last.value);
  writer.table<task_columns>(tasks.all, tasks.all.size(),
                             [](const auto& entry) { return row_of(entry.key, entry.value); });
  write_orders(writer, tasks);
  write_texts<3>(
      writer, tasks.keys, tasks.keys.size(),
      [](const TaskKeys::Entry& entry) {
        return Row<3>{entry.key.size(), entry.value.id.value, entry.value.content_hash};
      },
      [](const TaskKeys::Entry& entry) { return entry.key; });
}

void write_held(ColumnWriter& writer, const Tasks& tasks) {
  writer.table<5>(tasks.held, tasks.held.size(), [](const auto& entry) {
    const Hold& hold = entry.value;
    return Row<5>{entry.key.value, std::uint64_t(hold.reason), std::uint64_t(hold.outcome),
                  hold.started.value, hold.ended.value};
  });
}

void write_terms(ColumnWriter& writer, const Tasks& tasks) {
  writer.table<7>(tasks.terms, tasks.terms.size(), [](const auto& entry) {
    const TaskTerms& terms = entry.value;
    return Row<7>{
        entry.key.value,           terms.owner.value,           number_of(terms.deadline),
        number_of(terms.estimate), number_of(terms.expires_at), std::uint64_t(terms.retry_policy),
        terms.crashes_max};
  });
  writer.table<2>(tasks.expiring, tasks.expiring.size(),
                  [](const DueKey& key) { return Row<2>{number_of(key.at), key.id.value}; });
}

void write_conditions(ColumnWriter& writer, const Tasks& tasks) {
  writer.table<3>(tasks.conditions, tasks.conditions.size(), [](const auto& entry) {
    return Row<3>{entry.key.dependency.value, entry.key.dependent.value,
                  std::uint64_t(entry.value)};
  });
}

// What the attempts of tasks have left beside them.
void write_marks(ColumnWriter& writer, const Tasks& tasks) {
  writer.table<2>(tasks.crashes, tasks.crashes.size(),
                  [](const auto& entry) { return Row<2>{entry.key.value, entry.value}; });
  writer.table<4>(tasks.progress, tasks.progress.size(), [](const auto& entry) {
    return Row<4>{entry.key.value, entry.value.permille, number_of(entry.value.at),
                  entry.value.told.value};
  });
}

void write_pauses(ColumnWriter& writer, const Pauses& pauses) {
  writer.table<2>(pauses.all, pauses.all.size(), [](const PausedWork& work) {
    return Row<2>{std::uint64_t(work.scope), work.name.value};
  });
}

void write_engine(ColumnWriter& writer, const EngineInfo& engine) {
  for (const std::uint64_t number :
       {std::uint64_t(engine.running), engine.starts, engine.process_id,
        std::uint64_t{engine.slots}, engine.seed, number_of(engine.started_at),
        std::uint64_t(engine.version.size())}) {
    writer.number(number);
  }
  writer.bytes(as_bytes(engine.version));
}

constexpr std::size_t job_columns = 16;

Row<job_columns> row_of(NameId id, const BackupJob& job) {
  return {id.value,
          job.schedule.size(),
          job.repository.size(),
          std::uint64_t(job.action),
          number_of(job.next),
          std::uint64_t(job.running),
          number_of(job.due),
          number_of(job.started_at),
          number_of(job.ended_at),
          job.ended.value,
          job.succeeded.value,
          number_of(job.succeeded_at),
          job.runs,
          job.failures,
          job.failures_in_row,
          job.missed};
}

void write_backups(ColumnWriter& writer, const Backups& backups) {
  writer.table<job_columns>(backups.jobs, backups.jobs.size(),
                            [](const auto& entry) { return row_of(entry.key, entry.value); });
  for (const auto& [id, job] : backups.jobs) {
    writer.bytes(as_bytes(job.schedule));
    writer.bytes(as_bytes(job.repository));
  }
}

// What came later stands behind all else, each behind its number and only when there is something
// of it: a state that has none of it is written as it always was.
enum class LaterPart : std::uint64_t {
  held = 1,
  backups = 2,
  terms = 3,
  conditions = 4,
  marks = 5,
  pauses = 6,
  needed_by = 7,
};

void write_later_parts(ColumnWriter& writer, const State& state) {
  if (!state.tasks.held.empty()) {
    writer.number(std::uint64_t(LaterPart::held));
    write_held(writer, state.tasks);
  }
  if (!state.backups.jobs.empty()) {
    writer.number(std::uint64_t(LaterPart::backups));
    write_backups(writer, state.backups);
  }
  if (!state.tasks.terms.empty()) {
    writer.number(std::uint64_t(LaterPart::terms));
    write_terms(writer, state.tasks);
  }
  if (!state.tasks.conditions.empty()) {
    writer.number(std::uint64_t(LaterPart::conditions));
    write_conditions(writer, state.tasks);
  }
  if (!state.tasks.crashes.empty() || !state.tasks.progress.empty()) {
    writer.number(std::uint64_t(LaterPart::marks));
    write_marks(writer, state.tasks);
  }
  if (!state.pauses.all.empty()) {
    writer.number(std::uint64_t(LaterPart::pauses));
    write_pauses(writer, state.pauses);
  }
  if (!state.tasks.needed_by.empty()) {
    writer.number(std::uint64_t(LaterPart::needed_by));
    write_edges(writer, state.tasks.needed_by);
  }
}

// A container of what `make` makes of each row.
template <std::size_t width, class Container, class Make>
void read_sorted(ColumnReader& reader, Container& to, Make make) {
  auto read = Container::from_sorted(TableRows<width, Make>(reader, make));
  if (!read) return reader.fail();
  to = std::move(*read);
}

// The rows of a table of texts, whose first column is the length, and the text of each.
template <std::size_t width, class Take>
void read_texts(ColumnReader& reader, Take take) {
  std::vector<Row<width>> rows;
  auto same = [](const Row<width>& row) { return row; };
  for (const auto& row : TableRows<width, decltype(same)>(reader, same)) rows.push_back(row);
  for (const auto& row : rows) {
    const Bytes text = reader.bytes(row[0]);
    if (reader.failed()) return;
    take(row, as_text(text));
  }
}

void read_all(ColumnReader& reader, Tasks& tasks) {
  read_sorted<task_columns>(reader, tasks.all, [&](const Row<task_columns>& row) {
    if (row[1] >= task_state_count || row[2] >= std::uint64_t(attempt_status_count)) {
      reader.fail();
    } else {
      ++tasks.counts[row[1]];
    }
    return std::pair(TaskId(row[0]), task_of(row));
  });
}

void read_edges(ColumnReader& reader, PersistentSet<DependencyKey>& edges) {
  read_sorted<2>(reader, edges,
                 [](const Row<2>& row) { return DependencyKey{TaskId(row[0]), TaskId(row[1])}; });
}

void read_orders(ColumnReader& reader, Tasks& tasks) {
  read_sorted<4>(reader, tasks.ready, [](const Row<4>& row) {
    return ReadyKey{{name_of(row[0]), name_of(row[1])}, {unfolded(row[2]), TaskId(row[3])}};
  });
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

// The tasks themselves, the larger part, beside all that follows them, where a thread can be had.
void read_tasks(ColumnReader& reader, Tasks& tasks) {
  tasks.last = TaskId(reader.number());
  auto all = std::async([reader, &tasks]() mutable {
    read_all(reader, tasks);
    return !reader.failed();
  });
  reader.skip_table(task_columns);
  read_orders(reader, tasks);
  read_texts<3>(reader, [&](const Row<3>& row, std::string_view key) {
    tasks.keys.set(key, {TaskId(row[1]), row[2]});
  });
  if (!all.get()) reader.fail();
}

void read_engine(ColumnReader& reader, EngineInfo& engine) {
  engine.running = reader.number() != 0;
  engine.starts = reader.number();
  engine.process_id = reader.number();
  engine.slots = small(reader.number());
  engine.seed = reader.number();
  engine.started_at = time_of(reader.number());
  engine.version = as_text(reader.bytes(reader.number()));
}

void read_held(ColumnReader& reader, Tasks& tasks) {
  read_sorted<5>(reader, tasks.held, [&](const Row<5>& row) {
    if (row[1] >= std::uint64_t(hold_reason_count) || row[2] >= std::uint64_t(task_outcome_count)) {
      reader.fail();
    }
    return std::pair(TaskId(row[0]), Hold{.reason = static_cast<HoldReason>(row[1]),
                                          .outcome = static_cast<TaskOutcome>(row[2]),
                                          .started = Position(row[3]),
                                          .ended = Position(row[4])});
  });
}

void read_terms(ColumnReader& reader, Tasks& tasks) {
  read_sorted<7>(reader, tasks.terms, [&](const Row<7>& row) {
    if (row[5] >= std::uint64_t(retry_policy_count)) reader.fail();
    return std::pair(TaskId(row[0]), TaskTerms{.owner = name_of(row[1]),
                                               .deadline = time_of(row[2]),
                                               .estimate = duration_of(row[3]),
                                               .expires_at = time_of(row[4]),
                                               .retry_policy = static_cast<RetryPolicy>(row[5]),
                                               .crashes_max = static_cast<std::uint16_t>(row[6])});
  });
  read_sorted<2>(reader, tasks.expiring,
                 [](const Row<2>& row) { return DueKey{time_of(row[0]), TaskId(row[1])}; });
}

void read_conditions(ColumnReader& reader, Tasks& tasks) {
  read_sorted<3>(reader, tasks.conditions, [&](const Row<3>& row) {
    if (row[2] >= std::uint64_t(dependency_condition_count)) reader.fail();
    return std::pair(DependencyKey{TaskId(row[0]), TaskId(row[1])},
                     static_cast<DependencyCondition>(row[2]));
  });
}

void read_marks(ColumnReader& reader, Tasks& tasks) {
  read_sorted<2>(reader, tasks.crashes,
                 [](const Row<2>& row) { return std::pair(TaskId(row[0]), small(row[1])); });
  read_sorted<4>(reader, tasks.progress, [](const Row<4>& row) {
    return std::pair(TaskId(row[0]), TaskProgress{.permille = static_cast<std::uint16_t>(row[1]),
                                                  .at = time_of(row[2]),
                                                  .told = Position(row[3])});
  });
}

void read_pauses(ColumnReader& reader, Pauses& pauses) {
  read_sorted<2>(reader, pauses.all, [&](const Row<2>& row) {
    if (row[0] >= std::uint64_t(pause_scope_count)) reader.fail();
    return PausedWork{static_cast<PauseScope>(row[0]), name_of(row[1])};
  });
}

void read_backups(ColumnReader& reader, Backups& backups) {
  std::vector<Row<job_columns>> rows;
  auto same = [](const Row<job_columns>& row) { return row; };
  for (const auto& row : TableRows<job_columns, decltype(same)>(reader, same)) rows.push_back(row);
  for (const auto& row : rows) {
    if (row[3] >= std::uint64_t(backup_action_count)) reader.fail();
    const std::string_view schedule = as_text(reader.bytes(row[1]));
    const std::string_view repository = as_text(reader.bytes(row[2]));
    if (reader.failed()) return;
    backups.jobs.set(name_of(row[0]), {.action = static_cast<BackupAction>(row[3]),
                                       .schedule = std::string(schedule),
                                       .repository = std::string(repository),
                                       .next = time_of(row[4]),
                                       .running = row[5] != 0,
                                       .due = time_of(row[6]),
                                       .started_at = time_of(row[7]),
                                       .ended_at = time_of(row[8]),
                                       .ended = Position(row[9]),
                                       .succeeded = Position(row[10]),
                                       .succeeded_at = time_of(row[11]),
                                       .runs = row[12],
                                       .failures = row[13],
                                       .failures_in_row = row[14],
                                       .missed = row[15]});
  }
}

void read_later_part(ColumnReader& reader, State& state) {
  switch (static_cast<LaterPart>(reader.number())) {
    case LaterPart::held: return read_held(reader, state.tasks);
    case LaterPart::backups: return read_backups(reader, state.backups);
    case LaterPart::terms: return read_terms(reader, state.tasks);
    case LaterPart::conditions: return read_conditions(reader, state.tasks);
    case LaterPart::marks: return read_marks(reader, state.tasks);
    case LaterPart::pauses: return read_pauses(reader, state.pauses);
    case LaterPart::needed_by: return read_edges(reader, state.tasks.needed_by);
  }
  reader.fail();
}

}  // namespace

std::vector<std::byte> encode(const State& state, ColumnWriter writer) {
  writer.number(state.position.value);
  writer.number(number_of(state.time));
  writer.number(state.ignored);
  write_names(writer, state.names);
  write_tasks(writer, state.tasks);
  writer.table<2>(state.queues.slots, state.queues.slots.size(),
                  [](const auto& entry) { return Row<2>{entry.key.value, entry.value}; });
  write_engine(writer, state.engine);
  write_later_parts(writer, state);
  return writer.take();
}

Result<State> decode_state(Bytes bytes) {
  ColumnReader reader(bytes);
  State state;
  state.position = Position(reader.number());
  state.time = time_of(reader.number());
  state.ignored = reader.number();
  read_texts<1>(reader, [&](const Row<1>&, std::string_view name) { state.names.intern(name); });
  read_tasks(reader, state.tasks);
  read_sorted<2>(reader, state.queues.slots,
                 [](const Row<2>& row) { return std::pair(name_of(row[0]), small(row[1])); });
  read_engine(reader, state.engine);
  while (!reader.failed() && !reader.at_end()) read_later_part(reader, state);
  const bool knows_held = state.tasks.held.size() == state.tasks.count(TaskState::held);
  if (reader.failed() || !knows_held) {
    return fail(ErrorCode::corrupt, "the state in it makes no sense");
  }
  return state;
}

}  // namespace almanac
