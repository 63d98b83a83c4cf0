// The first line of an exported log: whose events follow, and how the log ends, so that a file that
// was cut short or changed is told from a whole one. Of a log whose front was removed it says where
// that ended, and lines follow of what the index knows of it.
#pragma once

#include <almanac/log/store.h>
#include <almanac/log/types.h>
#include <almanac/log/writer.h>
#include <almanac/tools/event_json.h>

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace almanac {

struct ExportHead {
  Timeline timeline{};
  LogTail base;                     // what was removed from the front of the log
  Position checkpoint;              // see Log::set_checkpoint; may be none
  std::optional<LogOrigin> origin;  // where it branched off from another log
  Position last;                    // none when the log is empty
  std::optional<Digest> digest;     // of the last frame; whoever changes a file takes it out
  bool partial = false;  // only some of the events follow: for reading, not for importing
};

// One line of JSON without its end.
[[nodiscard]] std::string export_head_json(const ExportHead& head);
[[nodiscard]] std::expected<ExportHead, LineFault> parse_export_head(std::string_view line);

// A line of what Log::read_removed gives.
[[nodiscard]] std::string removed_json(const IndexRecord& record);
[[nodiscard]] bool is_removed_line(std::string_view line);
[[nodiscard]] std::expected<IndexRecord, LineFault> parse_removed(std::string_view line);

}  // namespace almanac
