#include <almanac/engine/advisor.h>
#include <almanac/tools/advisor_commands.h>
#include <almanac/tools/advisor_file.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <string>
#include <vector>

namespace almanac {
namespace {

using nlohmann::ordered_json;

// Also for what has to load a model first.
constexpr Duration start_wait = std::chrono::minutes(1);
constexpr Duration start_look = std::chrono::milliseconds(50);

// What the advisor has shown of itself.
struct Finding {
  Duration start{0};  // until all its processes were there
  Duration answer{0};
  std::expected<AdviceAnswer, AdviceFailure> ranking;
};

// Once one process could not be had (`has_failed`), no more of them are waited for.
Finding try_out(AdvisorProcesses& processes, const std::atomic<bool>& has_failed) {
  const SteadyTime began = steady_time();
  auto warm = processes.warm_up(start_look);
  while (!warm && !has_failed && steady_time() - began < start_wait) {
    warm = processes.warm_up(start_look);
  }
  if (!warm) {
    return {.ranking =
                std::unexpected(AdviceFailure{AdvisorFault::unavailable, describe(warm.error())})};
  }
  const SteadyTime asked = steady_time();
  auto ranking = processes.ask(sample_question(1));
  return {asked - began, steady_time() - asked, std::move(ranking)};
}

std::string listed(const std::vector<TaskId>& order) {
  std::string list;
  for (const TaskId id : order) list += (list.empty() ? "" : ", ") + std::to_string(id.value);
  return list.empty() ? "none" : list;
}

void print_json(const AdvisorSpec& advisor, const Finding& found) {
  ordered_json json{{"advisor", advisor.name}, {"works", found.ranking.has_value()}};
  if (found.ranking) {
    json["processes"] = advisor.size;
    json["start_us"] = found.start.count();
    json["answer_us"] = found.answer.count();
    json["order"] = ordered_json::array();
    for (const TaskId id : found.ranking->order) json["order"].push_back(id.value);
    if (!found.ranking->scores.empty()) json["scores"] = found.ranking->scores;
  } else {
    json["fault"] = name(found.ranking.error().fault);
    json["evidence"] = found.ranking.error().evidence;
  }
  json["fallback"] = advisor.has_fallback;
  fmt::print("{}\n",
             printable_json(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
}

void print(const AdvisorSpec& advisor, const Finding& found) {
  fmt::print("{}  {}\n", printable(advisor.name), printable(shell_line(advisor.command.arguments)));
  if (found.ranking) {
    fmt::print("  processes   {} of {} answer, after {}\n", advisor.size, advisor.size,
               format_compact(found.start));
    fmt::print("  sample      of 1, 2, 3 named {} in {}\n", listed(found.ranking->order),
               format_compact(found.answer));
  }
  fmt::print("  fallback    {}\n", advisor.has_fallback ? "on" : "off");
}

}  // namespace

ExitCode advisor_check(const AdvisorCheckCommand& command) {
  const auto advisor = load_advisor(command.file);
  if (!advisor) return report(advisor.error());
  std::atomic<bool> has_failed = false;
  const auto processes = AdvisorProcesses::open(*advisor, {.on_event = [&](const PoolEvent& event) {
    if (event.kind == PoolEvent::Kind::creation_failed) has_failed = true;
  }});
  if (!processes) return report(processes.error());
  const Finding found = try_out(**processes, has_failed);
  command.json ? print_json(*advisor, found) : print(*advisor, found);
  if (found.ranking) return ExitCode::ok;
  const AdviceFailure& failure = found.ranking.error();
  (void)report({ErrorCode::reasoning,
                fmt::format("the advisor '{}' gives no advice ({}): {}", printable(advisor->name),
                            name(failure.fault), printable(failure.evidence)),
                "docs/guides/advisors.md says what it is asked and how it answers"});
  return ExitCode::work_failed;
}

}  // namespace almanac
