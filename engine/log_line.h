// One line of the log as text: all of it but its time and level.
#pragma once

#include <almanac/engine/diagnostics.h>
#include <almanac/engine/log_context.h>

#include <span>
#include <string>
#include <string_view>

namespace almanac {

// Borrowed; dies with what it was made of.
struct LogLineView {
  std::string_view text;
  const LogContext& context;
  std::span<const LogField> fields;
};

// For people: the text, what it is about, then the fields, all of it printable.
[[nodiscard]] std::string human_text(const LogLineView& line);
// The members of a JSON object that stand behind its time and level, without its braces. A field of
// the line takes the place of one of the context that has its name.
[[nodiscard]] std::string json_members(const LogLineView& line);

}  // namespace almanac
