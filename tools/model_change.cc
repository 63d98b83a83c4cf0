#include <almanac/tools/model_commands.h>
#include <almanac/tools/model_file.h>
#include <almanac/tools/operations.h>
#include <almanac/tools/text.h>
#include <almanac/tools/trial.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>

#include <chrono>
#include <functional>
#include <vector>

namespace almanac {
namespace {

// None of them where one would be refused.
ExitCode change_models(const std::filesystem::path& folder, const Result<State>& read,
                       const std::vector<Command>& asked) {
  if (!read) return report(read.error());
  State state = *read;
  for (const Command& one : asked) {
    if (auto accepted = try_out(state, one); !accepted) return report(accepted.error());
  }
  auto operations = open_operations(folder);
  if (!operations) return report(operations.error());
  for (const Command& one : asked) {
    if (const auto done = (*operations)->ask(one); !done) return report(done.error());
  }
  return ExitCode::ok;
}

ExitCode pin(const ModelCommand& command, bool is_pinned) {
  return change_models(command.folder, read_state(command.folder),
                       {ChangeModel{command.model, is_pinned}});
}

// By an engine that watches GPUs, and does nothing else, or by the daemon.
ExitCode with_gpus(
    const ModelLoadCommand& command,
    const std::function<Result<void>(Operations&, std::chrono::milliseconds)>& call) {
  const auto timeout = parse_duration(command.timeout);
  if (!timeout) return report(timeout.error());
  const auto state = read_state(command.folder);
  if (!state) return report(state.error());
  auto operations = open_operations(command.folder, {.watches_gpus = true});
  if (!operations) return report(operations.error());
  const auto done =
      call(**operations, std::chrono::duration_cast<std::chrono::milliseconds>(*timeout));
  return done ? ExitCode::ok : report(done.error());
}

}  // namespace

ExitCode model_add(const ModelAddCommand& command) {
  auto models = load_models(command.file);
  if (!models) return report(models.error());
  std::vector<Command> asked;
  for (const ModelSpec& model : *models) asked.push_back(RegisterModel{model});
  return change_models(command.folder, read_state_or_none(command.folder), asked);
}

ExitCode model_remove(const ModelCommand& command) {
  return change_models(command.folder, read_state(command.folder), {RemoveModel{command.model}});
}

ExitCode model_pin(const ModelCommand& command) { return pin(command, true); }
ExitCode model_unpin(const ModelCommand& command) { return pin(command, false); }

ExitCode model_load(const ModelLoadCommand& command) {
  return with_gpus(command, [&](Operations& operations, std::chrono::milliseconds timeout) {
    return operations.load_model(command.model, timeout);
  });
}

ExitCode model_unload(const ModelLoadCommand& command) {
  return with_gpus(command, [&](Operations& operations, std::chrono::milliseconds timeout) {
    return operations.unload_model(command.model, timeout);
  });
}

}  // namespace almanac
