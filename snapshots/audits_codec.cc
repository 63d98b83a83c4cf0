#include <almanac/snapshots/audits_codec.h>

#include <almanac/snapshots/state_columns.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace almanac {
namespace {

constexpr std::size_t audit_counts_columns = 5;
constexpr std::size_t audit_entry_columns = 11;
using AuditEntries = PersistentMap<Position, AuditEntry>;

Row<audit_entry_columns> audit_entry_row(Position position, const AuditEntry& entry) {
  return {position.value,
          number_of(entry.at),
          std::uint64_t(entry.door),
          std::uint64_t(entry.reason),
          entry.status,
          entry.request,
          entry.count,
          entry.principal.value,
          entry.action.size(),
          entry.subject.size(),
          entry.remote.size()};
}

void write_audit_entries(ColumnWriter& writer, const AuditEntries& entries) {
  writer.table<audit_entry_columns>(entries, entries.size(), [](const auto& entry) {
    return audit_entry_row(entry.key, entry.value);
  });
  for (const auto& [position, entry] : entries) {
    writer.bytes(as_bytes(entry.action));
    writer.bytes(as_bytes(entry.subject));
    writer.bytes(as_bytes(entry.remote));
  }
}

void read_audit_entries(ColumnReader& reader, const Names& names, AuditEntries& entries) {
  std::vector<Row<audit_entry_columns>> rows;
  auto same = [](const Row<audit_entry_columns>& row) { return row; };
  for (const auto& row : TableRows<audit_entry_columns, decltype(same)>(reader, same)) {
    rows.push_back(row);
  }
  for (const auto& row : rows) {
    if (row[2] >= audit_door_count || row[3] >= refusal_reason_count ||
        !names.contains(name_of(row[7]))) {
      reader.fail();
    }
    const std::string_view action = as_text(reader.bytes(row[8]));
    const std::string_view subject = as_text(reader.bytes(row[9]));
    const std::string_view remote = as_text(reader.bytes(row[10]));
    if (reader.failed()) return;
    entries.set(Position(row[0]), {.at = time_of(row[1]),
                                   .door = static_cast<AuditDoor>(row[2]),
                                   .reason = static_cast<RefusalReason>(row[3]),
                                   .status = static_cast<std::uint16_t>(row[4]),
                                   .request = row[5],
                                   .count = row[6],
                                   .principal = name_of(row[7]),
                                   .action = std::string(action),
                                   .subject = std::string(subject),
                                   .remote = std::string(remote)});
  }
}

Row<audit_counts_columns> audit_counts_row(NameId principal, const AuditCounts& counts) {
  return {principal.value, counts.requests, counts.refusals, counts.last.value,
          number_of(counts.last_at)};
}

AuditCounts audit_counts_in(const Row<audit_counts_columns>& row) {
  return {
      .requests = row[1], .refusals = row[2], .last = Position(row[3]), .last_at = time_of(row[4])};
}

}  // namespace

void write_audits(ColumnWriter& writer, const Audits& audits) {
  writer.table<audit_counts_columns>(
      audits.principals, audits.principals.size(),
      [](const auto& entry) { return audit_counts_row(entry.key, entry.value); });
  for (const std::uint64_t number : audit_counts_row({}, audits.others)) writer.number(number);
  for (const std::uint64_t number : audits.by_reason) writer.number(number);
  write_audit_entries(writer, audits.requests);
  write_audit_entries(writer, audits.refusals);
}

void read_audits(ColumnReader& reader, State& state) {
  Audits& audits = state.audits;
  read_sorted<audit_counts_columns>(reader, audits.principals,
                                    [&](const Row<audit_counts_columns>& row) {
                                      if (!state.names.contains(name_of(row[0]))) reader.fail();
                                      return std::pair(name_of(row[0]), audit_counts_in(row));
                                    });
  Row<audit_counts_columns> others;
  for (std::uint64_t& number : others) number = reader.number();
  audits.others = audit_counts_in(others);
  for (std::uint64_t& number : audits.by_reason) number = reader.number();
  read_audit_entries(reader, state.names, audits.requests);
  read_audit_entries(reader, state.names, audits.refusals);
  if (audits.empty()) reader.fail();
}

}  // namespace almanac
