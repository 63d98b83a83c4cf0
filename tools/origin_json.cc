#include <almanac/tools/origin_json.h>

#include <almanac/tools/units.h>

#include <nlohmann/json.hpp>

namespace almanac {

nlohmann::ordered_json origin_json(const LogOrigin& origin) {
  return {{"timeline", to_hex(origin.timeline)},
          {"position", origin.position.value},
          {"digest", to_hex(origin.chain)},
          {"forked", format_time(origin.forked)}};
}

}  // namespace almanac
