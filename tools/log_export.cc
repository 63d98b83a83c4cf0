#include <almanac/tools/event_json.h>
#include <almanac/tools/event_scan.h>
#include <almanac/tools/export_head.h>
#include <almanac/tools/log_commands.h>
#include <almanac/tools/output_file.h>
#include <almanac/tools/text.h>

#include <almanac/engine/engine.h>
#include <almanac/log/log.h>

#include <fmt/core.h>

namespace almanac {
namespace {

// All of it, with the frames: what import makes the same log of. Ends where the log ended when the
// first line was written, whoever appends meanwhile.
Result<void> export_all(const Log& log, const LogTail& tail, OutputFile& out) {
  if (!tail.last) return {};
  auto removed = log.read_removed([&](const IndexRecord& record) -> Result<bool> {
    return out.write_line(removed_json(record));
  });
  // The events there are make the copy whole; its index lacks what only this one knew.
  if (!removed && removed.error().code == ErrorCode::corrupt) {
    fmt::print(stderr, "the export lacks versions and keys of the removed events: {}\n",
               removed.error().message);
  } else if (!removed) {
    return removed;
  }
  return log.read_frames(Position(1), [&](const FrameReader& frame) -> Result<bool> {
    const FrameHeader& header = frame.header();
    std::optional<FrameMark> mark = FrameMark{.time = header.time};
    for (std::uint32_t i = 0; i < header.count; ++i) {
      auto event = frame.event(i);
      if (!event) return std::unexpected(event.error());
      if (!out.write_line(event_json({Position(header.first.value + i), *event}, mark))) {
        return false;
      }
      mark.reset();
    }
    return header.last() < tail.last;
  });
}

Result<void> export_log(const LogExportCommand& command, const EventFilter& filter) {
  auto log = Log::open(command.folder, {.access = Access::read});
  if (!log) return std::unexpected(log.error());
  auto tail = (*log)->tail();
  if (!tail) return std::unexpected(tail.error());
  auto out = OutputFile::open(command.output);
  if (!out) return std::unexpected(out.error());
  auto base = (*log)->base();
  auto checkpoint = (*log)->checkpoint();
  if (!base || !checkpoint) return std::unexpected(base ? checkpoint.error() : base.error());
  if (base->last) {
    fmt::print(stderr, "the log begins at position {}: the {} in front were removed\n",
               base->last.value + 1, counted(base->last.value, "event"));
  }
  auto origin = (*log)->origin();
  if (!origin) return std::unexpected(origin.error());
  bool partial = !filter.is_open() || command.limit != 0 || command.reverse;
  ExportHead head{.timeline = (*log)->timeline(),
                  .base = *base,
                  .checkpoint = *checkpoint,
                  .origin = *origin,
                  .last = tail->last,
                  .digest = tail->digest,
                  .partial = partial};
  if (!out->write_line(export_head_json(head))) return out->finish();
  auto there = filter;
  if (!there.to || there.to > tail->last) there.to = tail->last;
  auto written =
      !partial ? export_all(**log, *tail, *out)
               : scan_events(**log, there, {.limit = command.limit, .reverse = command.reverse},
                             [&](const RecordedEvent& event) -> Result<bool> {
                               return out->write_line(event_json(event));
                             });
  return written ? out->finish() : written;
}

}  // namespace

ExitCode log_export(const LogExportCommand& command) {
  auto filter = make_filter(command.filter, system_time());
  if (!filter) return report(filter.error());
  auto exported = export_log(command, *filter);
  return exported ? ExitCode::ok : report(exported.error());
}

}  // namespace almanac
