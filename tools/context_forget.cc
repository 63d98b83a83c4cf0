#include <almanac/tools/context_commands.h>
#include <almanac/tools/context_text.h>
#include <almanac/tools/operations.h>
#include <almanac/tools/trial.h>

#include <almanac/engine/memory_sealing.h>

namespace almanac {

// A user of whom nothing is known does not make the folder a log.
ExitCode context_forget(const ContextForgetCommand& command) {
  const auto state = read_state(command.folder);
  if (!state) return report(state.error());
  if (!known_key(*state, command.user)) return report(nobody(command.user));
  auto operations = open_operations(command.folder);
  if (!operations) return report(operations.error());
  const auto forgotten = (*operations)->forget_user(command.user);
  return forgotten ? ExitCode::ok : report(forgotten.error());
}

}  // namespace almanac
