#include <almanac/snapshots/health_codec.h>

#include <almanac/snapshots/state_columns.h>

namespace almanac {

void write_health(ColumnWriter& writer, const HealthRecord& record) {
  for (const std::uint64_t number : {std::uint64_t(record.health), record.changed.value,
                                     number_of(record.since), record.changes}) {
    writer.number(number);
  }
}

void read_health(ColumnReader& reader, HealthRecord& record) {
  const std::uint64_t health = reader.number();
  if (health >= std::uint64_t(health_count)) reader.fail();
  record.health = static_cast<Health>(health);
  record.changed = Position(reader.number());
  record.since = time_of(reader.number());
  record.changes = reader.number();
  if (record.changes == 0) reader.fail();
}

}  // namespace almanac
