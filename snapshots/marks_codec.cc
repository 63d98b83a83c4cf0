#include <almanac/snapshots/marks_codec.h>

#include <almanac/snapshots/state_columns.h>

#include <utility>
#include <vector>

namespace almanac {

void write_edges(ColumnWriter& writer, const PersistentSet<DependencyKey>& edges) {
  writer.table<2>(edges, edges.size(), [](const DependencyKey& key) {
    return Row<2>{key.dependency.value, key.dependent.value};
  });
}

void write_conditions(ColumnWriter& writer, const Tasks& tasks) {
  writer.table<3>(tasks.conditions, tasks.conditions.size(), [](const auto& entry) {
    return Row<3>{entry.key.dependency.value, entry.key.dependent.value,
                  std::uint64_t(entry.value)};
  });
}

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

void write_queue_retention(ColumnWriter& writer, const Queues& queues) {
  writer.table<4>(queues.retention, queues.retention.size(), [](const auto& entry) {
    const auto& [succeeded, failed, cancelled] = entry.value;
    return Row<4>{entry.key.value, number_of(succeeded), number_of(failed), number_of(cancelled)};
  });
}

void write_retries(ColumnWriter& writer, const Tasks& tasks) {
  std::vector<Row<3>> rows;
  for (const auto& [id, terms] : tasks.terms) {
    if (!terms.has_retries()) continue;
    rows.push_back({id.value, std::uint64_t(terms.retry_policy), terms.crashes_max});
  }
  writer.table<3>(rows, rows.size(), [](const Row<3>& row) { return row; });
}

void write_implementations(ColumnWriter& writer, const State& state) {
  const auto& all = state.implementations.all;
  writer.table<6>(all, all.size(), [](const auto& entry) {
    return Row<6>{entry.key.kind.value, entry.key.place,        entry.value.name.value,
                  entry.value.attempts, entry.value.left.value, number_of(entry.value.left_at)};
  });
  writer.table<2>(state.tasks.run_by, state.tasks.run_by.size(),
                  [](const auto& entry) { return Row<2>{entry.key.value, entry.value.value}; });
}

void write_unique(ColumnWriter& writer, const UniqueTasks& unique) {
  writer.table<5>(unique.all, unique.all.size(), [](const auto& entry) {
    const auto& [identity, until, within] = entry.value;
    return Row<5>{entry.key.value, identity.high, identity.low, std::uint64_t(until),
                  number_of(within)};
  });
  writer.table<3>(unique.known, unique.known.size(), [](const IdentityKey& key) {
    return Row<3>{key.identity.high, key.identity.low, key.id.value};
  });
}

void write_remote(ColumnWriter& writer, const Tasks& tasks) {
  write_texts<3>(
      writer, tasks.remote, tasks.remote.size(),
      [](const auto& entry) {
        return Row<3>{entry.value.worker.view().size(), entry.key.value,
                      number_of(entry.value.time)};
      },
      [](const auto& entry) { return entry.value.worker.view(); });
}

void read_edges(ColumnReader& reader, PersistentSet<DependencyKey>& edges) {
  read_sorted<2>(reader, edges,
                 [](const Row<2>& row) { return DependencyKey{TaskId(row[0]), TaskId(row[1])}; });
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

void read_queue_retention(ColumnReader& reader, Queues& queues) {
  read_sorted<4>(reader, queues.retention, [](const Row<4>& row) {
    return std::pair(name_of(row[0]), QueueRetention{.succeeded = duration_of(row[1]),
                                                     .failed = duration_of(row[2]),
                                                     .cancelled = duration_of(row[3])});
  });
}

void read_implementations(ColumnReader& reader, State& state) {
  read_sorted<6>(reader, state.implementations.all, [](const Row<6>& row) {
    return std::pair(ImplementationPlace{name_of(row[0]), small(row[1])},
                     ImplementationStatus{.name = name_of(row[2]),
                                          .attempts = small(row[3]),
                                          .left = Position(row[4]),
                                          .left_at = time_of(row[5])});
  });
  read_sorted<2>(reader, state.tasks.run_by,
                 [](const Row<2>& row) { return std::pair(TaskId(row[0]), name_of(row[1])); });
}

void read_unique(ColumnReader& reader, UniqueTasks& unique) {
  read_sorted<5>(reader, unique.all, [&](const Row<5>& row) {
    if (row[3] >= std::uint64_t(unique_until_count)) reader.fail();
    return std::pair(TaskId(row[0]), Uniqueness{.identity = {row[1], row[2]},
                                                .until = static_cast<UniqueUntil>(row[3]),
                                                .within = duration_of(row[4])});
  });
  read_sorted<3>(reader, unique.known,
                 [](const Row<3>& row) { return IdentityKey{{row[0], row[1]}, TaskId(row[2])}; });
}

void read_remote(ColumnReader& reader, Tasks& tasks) {
  read_texts<3>(reader, [&](const Row<3>& row, std::string_view worker) {
    tasks.remote.set(TaskId(row[1]), {SharedText(worker), duration_of(row[2])});
  });
}

void read_retries(ColumnReader& reader, Tasks& tasks) {
  const auto same = [](const Row<3>& row) { return row; };
  for (const auto& [id, policy, crashes_max] : TableRows<3, decltype(same)>(reader, same)) {
    TaskTerms* terms = tasks.terms.edit(TaskId(id));
    if (terms == nullptr || policy >= std::uint64_t(retry_policy_count)) return reader.fail();
    terms->retry_policy = static_cast<RetryPolicy>(policy);
    terms->crashes_max = static_cast<std::uint16_t>(crashes_max);
  }
}

}  // namespace almanac
