#include <almanac/tools/group_commands.h>
#include <almanac/tools/quiet_engine.h>
#include <almanac/tools/text.h>
#include <almanac/tools/trial.h>

#include <fmt/core.h>

#include <memory>

namespace almanac {
namespace {

// An engine that will take this.
Result<std::unique_ptr<Engine>> engine_for(const std::filesystem::path& folder,
                                           const Command& asked) {
  auto state = read_state_or_none(folder);
  if (!state) return std::unexpected(state.error());
  if (auto accepted = try_out(*state, asked); !accepted) {
    return std::unexpected(accepted.error());
  }
  return open_quietly(folder);
}

}  // namespace

ExitCode group_create(const GroupChangeCommand& command) {
  auto engine = engine_for(command.folder, OpenGroup{command.name});
  if (!engine) return report(engine.error());
  const auto opened = (*engine)->open_group(command.name);
  return opened ? ExitCode::ok : report(opened.error());
}

ExitCode group_close(const GroupChangeCommand& command) {
  auto engine = engine_for(command.folder, CloseGroup{command.name});
  if (!engine) return report(engine.error());
  const auto closed = (*engine)->close_group(command.name);
  return closed ? ExitCode::ok : report(closed.error());
}

ExitCode group_cancel(const GroupChangeCommand& command) {
  auto engine = engine_for(command.folder, CloseGroup{command.name});
  if (!engine) return report(engine.error());
  const auto reason = command.reason.empty() ? "cancelled with its group" : command.reason;
  const auto cancelled = (*engine)->cancel_group(command.name, reason);
  if (!cancelled) return report(cancelled.error());
  fmt::print("{} cancelled\n", counted(*cancelled, "task"));
  return ExitCode::ok;
}

}  // namespace almanac
