#include <almanac/snapshots/advisors_codec.h>

#include <almanac/snapshots/state_columns.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace almanac {
namespace {

constexpr std::size_t advisor_plain_columns = 7;
constexpr std::size_t advisor_columns = advisor_plain_columns + advisor_fault_count;

Row<advisor_columns> row_of(NameId advisor, const AdvisorRecord& record) {
  Row<advisor_columns> row{
      advisor.value,        std::uint64_t(record.mode),   record.returned,     record.begun,
      record.changed.value, number_of(record.changed_at), record.trouble.value};
  std::ranges::copy(record.fell_back, row.begin() + advisor_plain_columns);
  return row;
}

AdvisorRecord record_in(const Row<advisor_columns>& row) {
  AdvisorRecord record{.mode = static_cast<AdvisorMode>(row[1]),
                       .returned = row[2],
                       .begun = row[3],
                       .changed = Position(row[4]),
                       .changed_at = time_of(row[5]),
                       .trouble = Position(row[6])};
  std::copy(row.begin() + advisor_plain_columns, row.end(), record.fell_back.begin());
  return record;
}

}  // namespace

void write_advisors(ColumnWriter& writer, const Advisors& advisors) {
  writer.table<advisor_columns>(advisors.all, advisors.all.size(),
                                [](const auto& entry) { return row_of(entry.key, entry.value); });
}

void read_advisors(ColumnReader& reader, State& state) {
  read_sorted<advisor_columns>(reader, state.advisors.all, [&](const Row<advisor_columns>& row) {
    if (!state.names.contains(name_of(row[0])) || row[1] >= advisor_mode_count) reader.fail();
    return std::pair(name_of(row[0]), record_in(row));
  });
}

}  // namespace almanac
