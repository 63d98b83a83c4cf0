#include <almanac/tools/model_commands.h>
#include <almanac/tools/model_file.h>
#include <almanac/tools/quiet_engine.h>
#include <almanac/tools/text.h>
#include <almanac/tools/trial.h>
#include <almanac/tools/units.h>

#include <almanac/engine/diagnostics.h>

#include <fmt/core.h>

#include <chrono>
#include <functional>
#include <vector>

namespace almanac {
namespace {

// None of them where one would be refused.
ExitCode change_models(const std::filesystem::path& folder, const std::vector<Command>& asked,
                       const std::function<Result<void>(Engine&)>& call) {
  auto state = read_state_or_none(folder);
  if (!state) return report(state.error());
  for (const Command& one : asked) {
    if (auto accepted = try_out(*state, one); !accepted) return report(accepted.error());
  }
  auto engine = open_quietly(folder);
  if (!engine) return report(engine.error());
  const auto done = call(**engine);
  return done ? ExitCode::ok : report(done.error());
}

ExitCode pin(const ModelCommand& command, bool is_pinned) {
  return change_models(
      command.folder, {ChangeModel{command.model, is_pinned}},
      [&](Engine& engine) { return engine.change_model(command.model, is_pinned); });
}

// By an engine that watches GPUs, and does nothing else.
ExitCode with_gpus(const ModelLoadCommand& command,
                   const std::function<Result<void>(Engine&, std::chrono::milliseconds)>& call) {
  const auto timeout = parse_duration(command.timeout);
  if (!timeout) return report(timeout.error());
  const auto state = read_state(command.folder);
  if (!state) return report(state.error());
  set_verbosity(Verbosity::quiet);
  auto engine = Engine::open({.folder = command.folder,
                              .runs_commands = false,
                              .fires_schedules = false,
                              .retention = TaskRetention::keep_all(),
                              .gpu_watch = GpuWatchOptions()});
  if (!engine) return report(engine.error());
  const auto done = call(**engine, std::chrono::duration_cast<std::chrono::milliseconds>(*timeout));
  return done ? ExitCode::ok : report(done.error());
}

}  // namespace

ExitCode model_add(const ModelAddCommand& command) {
  auto models = load_models(command.file);
  if (!models) return report(models.error());
  std::vector<Command> asked;
  for (const ModelSpec& model : *models) asked.push_back(RegisterModel{model});
  return change_models(command.folder, asked, [&](Engine& engine) -> Result<void> {
    for (const ModelSpec& model : *models) {
      if (auto done = engine.register_model(model); !done) return done;
    }
    return {};
  });
}

ExitCode model_remove(const ModelCommand& command) {
  return change_models(command.folder, {RemoveModel{command.model}},
                       [&](Engine& engine) { return engine.remove_model(command.model); });
}

ExitCode model_pin(const ModelCommand& command) { return pin(command, true); }
ExitCode model_unpin(const ModelCommand& command) { return pin(command, false); }

ExitCode model_load(const ModelLoadCommand& command) {
  return with_gpus(command, [&](Engine& engine, std::chrono::milliseconds timeout) -> Result<void> {
    auto lease = engine.use_model(command.model, {.timeout = timeout, .may_degrade = false});
    if (!lease) return std::unexpected(lease.error());
    return {};
  });
}

ExitCode model_unload(const ModelLoadCommand& command) {
  return with_gpus(command, [&](Engine& engine, std::chrono::milliseconds timeout) {
    return engine.unload_model(command.model, timeout);
  });
}

}  // namespace almanac
