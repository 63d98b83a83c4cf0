#include <almanac/tools/command_line.h>
#include <almanac/tools/past.h>
#include <almanac/tools/source.h>
#include <almanac/tools/text.h>
#include <almanac/tools/top_commands.h>
#include <almanac/tools/top_screen.h>

#include <almanac/engine/engine.h>

#include <fmt/core.h>

namespace almanac {
namespace {

using nlohmann::ordered_json;

// What is drawn again and again starts at what it was drawn from before.
constexpr std::size_t top_states_kept = 64;
constexpr std::size_t plain_columns = 80;

ExitCode print_page(const OverviewSource& source, const TopCommand& command,
                    std::optional<Position> at) {
  auto overview = overview_of(source, at);
  if (!overview) return report(overview.error());
  if (command.json) {
    fmt::print("{}\n", printable_json(
                           overview->dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
    return ExitCode::ok;
  }
  const std::size_t columns = terminal_columns();
  for (const TopLine& line : top_page(*overview, {.columns = columns == 0 ? plain_columns : columns,
                                                  .mode = at ? "past" : "now"})) {
    fmt::print("{}\n", line.text);
  }
  return ExitCode::ok;
}

}  // namespace

ExitCode top(const TopCommand& command) {
  auto log = Log::open(command.folder, {.access = Access::read});
  if (!log) return report(log.error());
  auto at = find_position(**log, command.at, system_time());
  if (!at) return report(at.error());
  const PastStates past(**log, command.folder,
                        {.states_max = top_states_kept, .refused = tell_refused});
  QueueTally tally;
  const OverviewSource source{.log = **log, .past = past, .tally = tally};
  if (command.once || command.json) return print_page(source, command, *at);
  Interrupt interrupt;
  Result<void> shown;
  {
    const auto screen = TerminalScreen::open(interrupt);
    if (!screen) return print_page(source, command, *at);
    shown = TopScreen(source, *at).run(*screen);
  }
  return shown ? ExitCode::ok : report(shown.error());
}

void add_top_command(CommandGroup& root) {
  auto [options, command] = root.add<TopCommand>(
      {"top", "Watch how things stand, on a terminal",
       "almanac top --dir work\n  almanac top --once --json --at \"2 hours ago\"\n"
       "  ? shows what the keys do. Where there is no terminal, one page."},
      top);
  options.text("--at", command.at, at_help);
  options.flag("--once", command.once, "Print one page and end");
}

}  // namespace almanac
