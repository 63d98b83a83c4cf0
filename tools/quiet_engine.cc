#include <almanac/tools/quiet_engine.h>

#include <almanac/engine/diagnostics.h>

namespace almanac {

Result<std::unique_ptr<Engine>> open_quietly(const std::filesystem::path& folder) {
  set_verbosity(Verbosity::quiet);
  return Engine::open({.folder = folder,
                       .runs_commands = false,
                       .fires_schedules = false,
                       .retention = TaskRetention::keep_all()});
}

}  // namespace almanac
