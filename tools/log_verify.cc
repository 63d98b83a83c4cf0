#include <almanac/tools/commands.h>
#include <almanac/tools/units.h>

#include <almanac/log/verify.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {

ExitCode log_verify(const LogVerifyCommand& command) {
  auto log = Log::open(command.folder, {.access = Access::read});
  if (!log) return report(log.error());
  auto verified = verify(**log);
  if (!verified) return report(verified.error());
  if (command.json) {
    nlohmann::ordered_json json{{"events", verified->last.value},
                                {"frames", verified->frames},
                                {"bytes", verified->bytes},
                                {"digest", to_hex(verified->digest)}};
    fmt::print("{}\n", json.dump());
  } else {
    fmt::print("whole: {} events in {} frames, {}\nlast frame {}\n", verified->last.value,
               verified->frames, format_bytes(verified->bytes), to_hex(verified->digest));
  }
  return ExitCode::ok;
}

}  // namespace almanac
