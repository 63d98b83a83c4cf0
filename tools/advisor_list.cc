#include <almanac/tools/advisor_commands.h>
#include <almanac/tools/source.h>
#include <almanac/tools/state_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <map>
#include <numeric>
#include <string>
#include <string_view>

namespace almanac {
namespace {

using nlohmann::ordered_json;

std::map<std::string, AdvisorRecord> advisors_of(const State& state) {
  std::map<std::string, AdvisorRecord> advisors;
  for (const auto& [id, record] : state.advisors.all) {
    advisors.emplace(state.names.text(id), record);
  }
  return advisors;
}

void print_json(std::string_view name, const AdvisorRecord& record) {
  ordered_json json{{"advisor", name}};
  json.update(advisor_json(record));
  fmt::print("{}\n",
             printable_json(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
}

// What was last wrong with it; nothing where that part of the log has been removed.
std::string trouble_in(const Log& log, Position position) {
  std::string text;
  (void)log.read_one(position, [&](const Event& event) {
    if (const auto* fell = std::get_if<AdvisorFellBack>(&event.body)) {
      text = fmt::format("{} at {}, in {}: {}", name(fell->fault), format_time(event.at),
                         counted(fell->attempts, "attempt"), printable(fell->evidence));
    }
  });
  return text;
}

void print(const Source& source, std::string_view advisor, const AdvisorRecord& record) {
  fmt::print("{}  {} since {}\n", printable(advisor), name(record.mode),
             format_time(record.changed_at));
  fmt::print("  begun       {} on its advice\n", counted(record.begun, "attempt"));
  fmt::print("  returned    {}\n", counted(record.returned, "time"));
  for (std::size_t i = 0; i < record.fell_back.size(); ++i) {
    if (record.fell_back[i] == 0) continue;
    fmt::print("  fell back   {}: {}\n", counted(record.fell_back[i], "time"),
               name(static_cast<AdvisorFault>(i)));
  }
  if (record.trouble) fmt::print("  last wrong  {}\n", trouble_in(*source.log, record.trouble));
}

}  // namespace

ExitCode advisor_list(const AdvisorListCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const auto advisors = advisors_of(source->state);
  Table table({"ADVISOR", "MODE", "SINCE", "BEGUN", "RETURNED", "FELL BACK"});
  for (const auto& [advisor, record] : advisors) {
    if (command.json) {
      print_json(advisor, record);
      continue;
    }
    const auto fell_back =
        std::accumulate(record.fell_back.begin(), record.fell_back.end(), std::uint64_t{0});
    table.add({printable(advisor), std::string(name(record.mode)),
               format_time(record.changed_at).substr(0, 19) + "Z", std::to_string(record.begun),
               std::to_string(record.returned), std::to_string(fell_back)});
  }
  if (command.json) return ExitCode::ok;
  fmt::print("{}", advisors.empty() ? "no advisors\n" : table.text(terminal_columns()));
  return ExitCode::ok;
}

ExitCode advisor_show(const AdvisorShowCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const auto advisors = advisors_of(source->state);
  const auto found = advisors.find(command.advisor);
  if (found == advisors.end()) {
    return report({ErrorCode::not_found,
                   "nothing is known of an advisor '" + printable(command.advisor) + "'",
                   "`almanac advisor list` shows those there are"});
  }
  if (command.json) {
    print_json(found->first, found->second);
  } else {
    print(*source, found->first, found->second);
  }
  return ExitCode::ok;
}

}  // namespace almanac
