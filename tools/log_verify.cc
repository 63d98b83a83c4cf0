#include <almanac/tools/log_commands.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/log/verify.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {
namespace {

// Others send people here.
Error with_next_step(Error error) {
  if (error.code == ErrorCode::corrupt) {
    error.next_step = "`almanac log cat` prints what lies before it; take the rest from a backup";
  }
  return error;
}

}  // namespace

ExitCode log_verify(const LogVerifyCommand& command) {
  auto log = Log::open(command.folder, {.access = Access::read});
  if (!log) return report(log.error());
  auto verified = verify(**log);
  if (!verified) return report(with_next_step(verified.error()));
  if (command.json) {
    nlohmann::ordered_json json{{"events", verified->last.value},
                                {"frames", verified->frames},
                                {"bytes", verified->bytes},
                                {"digest", to_hex(verified->digest)}};
    fmt::print("{}\n", json.dump());
  } else {
    fmt::print("whole: {} in {}, {}\nlast frame {}\n", counted(verified->last.value, "event"),
               counted(verified->frames, "frame"), format_bytes(verified->bytes),
               to_hex(verified->digest));
  }
  return ExitCode::ok;
}

}  // namespace almanac
