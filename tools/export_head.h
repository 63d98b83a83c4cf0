// The first line of an exported log: whose events follow, and how the log ends, so that a file that
// was cut short or changed is told from a whole one.
#pragma once

#include <almanac/log/types.h>
#include <almanac/tools/event_json.h>

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace almanac {

struct ExportHead {
  Timeline timeline{};
  Position last;                 // none when the log is empty
  std::optional<Digest> digest;  // of the last frame; whoever changes a file takes it out
  bool partial = false;          // only some of the events follow: for reading, not for importing
};

// One line of JSON without its end.
[[nodiscard]] std::string export_head_json(const ExportHead& head);
[[nodiscard]] std::expected<ExportHead, LineFault> parse_export_head(std::string_view line);

}  // namespace almanac
