// What is known of advisors, as JSON.
#include <almanac/tools/state_json.h>

#include <nlohmann/json.hpp>

#include <utility>

namespace almanac {

using nlohmann::ordered_json;

ordered_json advisor_json(const AdvisorRecord& record) {
  ordered_json fell_back;
  for (std::size_t i = 0; i < record.fell_back.size(); ++i) {
    fell_back[name(static_cast<AdvisorFault>(i))] = record.fell_back[i];
  }
  return {{"mode", name(record.mode)},         {"returned", record.returned},
          {"fell_back", std::move(fell_back)}, {"begun", record.begun},
          {"changed", record.changed.value},   {"changed_at", time_json(record.changed_at)},
          {"trouble", record.trouble.value}};
}

}  // namespace almanac
