#include <almanac/snapshots/pools_codec.h>

#include <almanac/snapshots/state_columns.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace almanac {
namespace {

constexpr std::size_t pool_plain_columns = 8;
constexpr std::size_t pool_columns = pool_plain_columns + pool_retirement_count;

Row<pool_columns> row_of(NameId pool, const PoolRecord& record) {
  Row<pool_columns> row{pool.value,
                        record.alive,
                        record.created,
                        record.failed,
                        record.exhausted,
                        record.changed.value,
                        number_of(record.changed_at),
                        record.trouble.value};
  std::ranges::copy(record.retired, row.begin() + pool_plain_columns);
  return row;
}

PoolRecord record_in(const Row<pool_columns>& row) {
  PoolRecord record{.alive = row[1],
                    .created = row[2],
                    .failed = row[3],
                    .exhausted = row[4],
                    .changed = Position(row[5]),
                    .changed_at = time_of(row[6]),
                    .trouble = Position(row[7])};
  std::copy(row.begin() + pool_plain_columns, row.end(), record.retired.begin());
  return record;
}

}  // namespace

void write_pools(ColumnWriter& writer, const Pools& pools) {
  writer.table<pool_columns>(pools.all, pools.all.size(),
                             [](const auto& entry) { return row_of(entry.key, entry.value); });
}

void read_pools(ColumnReader& reader, State& state) {
  read_sorted<pool_columns>(reader, state.pools.all, [&](const Row<pool_columns>& row) {
    if (!state.names.contains(name_of(row[0]))) reader.fail();
    return std::pair(name_of(row[0]), record_in(row));
  });
}

}  // namespace almanac
