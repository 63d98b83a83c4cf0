#include <almanac/tools/commands.h>
#include <almanac/tools/event_json.h>
include <almanac/tools/event_text.h>

#include <almanac/log/log.h>

#include <cstdio>

namespace almanac {

ExitCode log_cat(const LogCatCommand& command) {
  if (command.to != 0 && command.to < command.from) {
    return report({ErrorCode::invalid, "--to lies before --from", "swap them"});
  }
  auto log = Log::open(command.folder, {.access = Access::read});
  if (!log) return report(log.error());
  auto read = (*log)->read(Position(command.from), [&](const RecordedEvent& event) -> Result<bool> {
    if (command.to != 0 && event.position.value > command.to) return false;
    auto line = command.json ? event_json(event) : event_line(event);
    return std::puts(line.c_str()) >= 0;
  });
  return read ? ExitCode::ok : report(read.error());
}

}  // namespace almanac
