#include <almanac/snapshots/schedule_codec.h>

#include <almanac/log/codec.h>
#include <almanac/snapshots/state_columns.h>

#include <cstring>
#include <utility>
#include <variant>

namespace almanac {
namespace {

constexpr std::size_t schedule_columns = 11;

// Nothing when these bytes are none. A frame is read where it is aligned.
std::shared_ptr<const ScheduleDefined> decode(Bytes bytes) {
  std::vector<std::uint64_t> aligned(bytes.size() / sizeof(std::uint64_t));
  if (aligned.empty()) return nullptr;
  std::memcpy(aligned.data(), bytes.data(), aligned.size() * sizeof(std::uint64_t));
  const auto frame = FrameReader::open(std::as_bytes(std::span(aligned)), FrameTrust::verified);
  if (!frame || frame->header().count != 1) return nullptr;
  const auto event = frame->event(0);
  const auto* definition = event ? std::get_if<ScheduleDefined>(&event->body) : nullptr;
  return definition == nullptr ? nullptr : own(*definition);
}

Schedule schedule_of(const Row<schedule_columns>& row) {
  return {.definition = nullptr,
          .defined = Position(row[2]),
          .paused = row[3] != 0,
          .next = time_of(row[4]),
          .queued = {},
          .task = TaskId(row[5]),
          .fired = time_of(row[6]),
          .firings = row[7],
          .skipped = row[8],
          .changed = Position(row[9])};
}

}  // namespace

std::vector<std::byte> encode(const ScheduleDefined& definition) {
  EventBatch batch{{{.at = {}, .body = definition}}, nullptr};
  const EventBatch* batches[] = {&batch};
  FrameEncoder encoder;
  const Bytes frame = encoder.encode({.first = Position(1)}, batches).value;
  return {frame.begin(), frame.end()};
}

void write_schedules(ColumnWriter& writer, const Schedules& schedules) {
  std::vector<std::vector<std::byte>> frames;
  for (const auto& [id, schedule] : schedules.all) frames.push_back(encode(*schedule.definition));
  std::size_t next = 0;
  writer.table<schedule_columns>(schedules.all, schedules.all.size(), [&](const auto& entry) {
    const Schedule& schedule = entry.value;
    return Row<schedule_columns>{entry.key.value,           frames[next++].size(),
                                 schedule.defined.value,    std::uint64_t(schedule.paused),
                                 number_of(schedule.next),  schedule.task.value,
                                 number_of(schedule.fired), schedule.firings,
                                 schedule.skipped,          schedule.changed.value,
                                 schedule.queued.size()};
  });
  next = 0;
  for (const auto& [id, schedule] : schedules.all) {
    writer.bytes(frames[next++]);
    for (const Time instant : schedule.queued) writer.number(number_of(instant));
  }
}

void read_schedules(ColumnReader& reader, Schedules& schedules) {
  std::vector<Row<schedule_columns>> rows;
  auto same = [](const Row<schedule_columns>& row) { return row; };
  for (const auto& row : TableRows<schedule_columns, decltype(same)>(reader, same))
    rows.push_back(row);
  for (const auto& row : rows) {
    const NameId id = name_of(row[0]);
    Schedule schedule = schedule_of(row);
    schedule.definition = decode(reader.bytes(row[1]));
    if (!schedule.definition) reader.fail();
    for (std::uint64_t left = row[10]; left > 0 && !reader.failed(); --left) {
      schedule.queued.push_back(time_of(reader.number()));
    }
    if (reader.failed()) return;
    if (!schedule.paused) schedules.due.insert({schedule.next, id});
    if (!schedule.paused && !schedule.queued.empty()) schedules.with_queue.insert(id);
    schedules.all.set(id, std::move(schedule));
  }
}

}  // namespace almanac
