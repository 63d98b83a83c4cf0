#include <almanac/log/events/model.h>

namespace almanac {

std::string_view name(ModelUnloadCause cause) {
  switch (cause) {
    case ModelUnloadCause::asked: return "asked";
    case ModelUnloadCause::room: return "room";
    case ModelUnloadCause::critical: return "critical";
    case ModelUnloadCause::unknown: return "unknown";
  }
  return "unknown";
}

}  // namespace almanac
