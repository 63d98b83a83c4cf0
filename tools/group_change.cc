#include <almanac/tools/group_commands.h>
#include <almanac/tools/operations.h>
#include <almanac/tools/text.h>
#include <almanac/tools/trial.h>

#include <fmt/core.h>

#include <memory>
#include <variant>

namespace almanac {
namespace {

// What will take this.
Result<std::unique_ptr<Operations>> operations_for(const std::filesystem::path& folder,
                                                   const Command& asked) {
  const bool begins = std::holds_alternative<OpenGroup>(asked);
  auto state = begins ? read_state_or_none(folder) : read_state(folder);
  if (!state) return std::unexpected(state.error());
  if (auto accepted = try_out(*state, asked); !accepted) {
    return std::unexpected(accepted.error());
  }
  return open_operations(folder);
}

ExitCode change_group(const std::filesystem::path& folder, const Command& asked) {
  auto operations = operations_for(folder, asked);
  if (!operations) return report(operations.error());
  const auto done = (*operations)->ask(asked);
  return done ? ExitCode::ok : report(done.error());
}

}  // namespace

ExitCode group_create(const GroupChangeCommand& command) {
  return change_group(command.folder, OpenGroup{command.name});
}

ExitCode group_close(const GroupChangeCommand& command) {
  return change_group(command.folder, CloseGroup{command.name});
}

ExitCode group_cancel(const GroupChangeCommand& command) {
  auto operations = operations_for(command.folder, CloseGroup{command.name});
  if (!operations) return report(operations.error());
  const auto reason = command.reason.empty() ? "cancelled with its group" : command.reason;
  const auto cancelled = (*operations)->cancel_group(command.name, reason);
  if (!cancelled) return report(cancelled.error());
  fmt::print("{} cancelled\n", counted(*cancelled, "task"));
  return ExitCode::ok;
}

}  // namespace almanac
