#include <almanac/tools/context_commands.h>
#include <almanac/tools/context_text.h>
#include <almanac/tools/quiet_engine.h>
#include <almanac/tools/trial.h>

#include <almanac/engine/memory_sealing.h>

namespace almanac {

// A user of whom nothing is known does not make the folder a log.
ExitCode context_forget(const ContextForgetCommand& command) {
  const auto state = read_state(command.folder);
  if (!state) return report(state.error());
  if (!known_key(*state, command.user)) return report(nobody(command.user));
  auto engine = open_quietly(command.folder);
  if (!engine) return report(engine.error());
  const auto forgotten = (*engine)->contexts().forget(command.user);
  return forgotten ? ExitCode::ok : report(forgotten.error());
}

}  // namespace almanac
