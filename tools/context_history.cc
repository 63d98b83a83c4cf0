#include <almanac/tools/context_commands.h>
#include <almanac/tools/context_events.h>
#include <almanac/tools/context_text.h>
#include <almanac/tools/source.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {
namespace {

using nlohmann::ordered_json;

void print(const ContextEvent& event, bool json) {
  if (!json) {
    fmt::print("{:>8}  {}  {}\n", event.position.value, format_time(event.at), event.text);
    return;
  }
  fmt::print("{}\n", printable_json(
                         event.json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
}

}  // namespace

ExitCode context_history(const ContextHistoryCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const auto keys = UserKeys::open(command.folder);
  if (!keys) return report(keys.error());
  std::uint64_t found = 0;
  const auto read = read_context_events({.log = *source->log,
                                         .keys = **keys,
                                         .user = command.user,
                                         .through = source->state.position},
                                        [&](const ContextEvent& event) {
                                          print(event, command.json);
                                          ++found;
                                          return true;
                                        });
  if (!read) return report(read.error());
  return found > 0 ? ExitCode::ok : report(nobody(command.user));
}

}  // namespace almanac
