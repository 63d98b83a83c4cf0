#include <almanac/tools/review_json.h>

#include <nlohmann/json.hpp>

namespace almanac {

using nlohmann::ordered_json;

ordered_json review_json(TaskId id, const Hold& hold, std::string_view label) {
  ordered_json json{{"id", id.value},
                    {"label", label},
                    {"reason", name(hold.reason)},
                    {"outcome", name(hold.outcome)}};
  if (hold.started) json["started"] = hold.started.value;
  if (hold.ended) json["ended"] = hold.ended.value;
  return json;
}

}  // namespace almanac
