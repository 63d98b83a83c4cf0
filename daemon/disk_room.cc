#include <almanac/daemon/disk_room.h>

#include <almanac/daemon/limits.h>

#include <filesystem>
#include <system_error>

namespace almanac {

bool has_room(const ApiCall& call) {
  if (call.api.engine().has_room()) return true;
  std::error_code unknown;
  const auto space = std::filesystem::space(call.api.surroundings().folder, unknown);
  return !unknown && space.available >= limits::disk_room_min;
}

}  // namespace almanac
