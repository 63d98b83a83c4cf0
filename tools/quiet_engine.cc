#include <almanac/tools/quiet_engine.h>

#include <almanac/engine/diagnostics.h>

namespace almanac {

Result<std::unique_ptr<Engine>> open_quietly(const std::filesystem::path& folder,
                                             bool watches_gpus) {
  set_verbosity(Verbosity::quiet);
  EngineOptions options{.folder = folder,
                        .runs_commands = false,
                        .fires_schedules = false,
                        .retention = TaskRetention::keep_all()};
  if (watches_gpus) options.gpu_watch.emplace();
  return Engine::open(std::move(options));
}

}  // namespace almanac
