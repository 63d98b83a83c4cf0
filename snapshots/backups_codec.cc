#include <almanac/snapshots/backups_codec.h>

#include <almanac/snapshots/state_columns.h>

#include <string>
#include <vector>

namespace almanac {
namespace {

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

}  // namespace

void write_backups(ColumnWriter& writer, const Backups& backups) {
  writer.table<job_columns>(backups.jobs, backups.jobs.size(),
                            [](const auto& entry) { return row_of(entry.key, entry.value); });
  for (const auto& [id, job] : backups.jobs) {
    writer.bytes(as_bytes(job.schedule));
    writer.bytes(as_bytes(job.repository));
  }
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

}  // namespace almanac
