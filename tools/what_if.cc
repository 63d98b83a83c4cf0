// `almanac whatif`: recorded work once more, under other settings.
#include <almanac/tools/command_line.h>
#include <almanac/tools/model_file.h>
#include <almanac/tools/moment.h>
#include <almanac/tools/past.h>
#include <almanac/tools/text.h>
#include <almanac/tools/trace_file.h>
#include <almanac/tools/units.h>
#include <almanac/tools/what_if_report.h>

#include <almanac/engine/engine.h>

#include <fmt/core.h>

#include <charconv>
#include <filesystem>
#include <string>
#include <vector>

namespace almanac {
namespace {

struct WhatIfCommand {
  std::filesystem::path folder;
  std::string trace;                 // a CSV file; empty = the log of the folder
  std::vector<std::string> columns;  // of that file
  std::string from;                  // position or time; of a trace, a time
  std::string to;
  std::string slots;
  std::vector<std::string> queue_slots;
  std::string policy;
  std::vector<std::string> limits;
  std::string deadline;
  std::string models;  // a file
  std::string gpu_memory;
  std::string model_order;
  std::string model_patience;
  std::string price;
  bool json = false;
};

Result<RecordedWork> work_of_log(const WhatIfCommand& command) {
  auto log = Log::open(command.folder, {.access = Access::read});
  if (!log) return std::unexpected(log.error());
  auto from = find_position(**log, command.from, system_time());
  if (!from) return std::unexpected(from.error());
  auto to = find_position(**log, command.to, system_time());
  if (!to) return std::unexpected(to.error());
  return read_work(**log, from->value_or(Position(1)), to->value_or(Position(UINT64_MAX)));
}

Result<RecordedWork> work_of_trace(const WhatIfCommand& command) {
  auto work = read_trace(command.trace, command.columns);
  if (!work) return work;
  for (const auto& [text, is_from] : {std::pair(&command.from, true), {&command.to, false}}) {
    if (text->empty()) continue;
    const auto moment = parse_moment(*text, system_time());
    if (!moment) return std::unexpected(moment.error());
    std::erase_if(work->tasks, [&](const RecordedTask& task) {
      return is_from ? task.arrived < *moment : task.arrived > *moment;
    });
  }
  work->assume_attempts();
  return work;
}

Result<WhatIfPrices> read_prices(const std::string& text) {
  WhatIfPrices prices;
  if (text.empty()) return prices;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), prices.slot_hour);
  if (error == std::errc() && end == text.data() + text.size() && prices.slot_hour > 0) {
    return prices;
  }
  return fail(ErrorCode::invalid, "'" + printable(text) + "' is no price",
              "write what a slot costs in an hour, such as --price 2.50");
}

Result<void> read_model_choices(const WhatIfCommand& command, WhatIfChoices& choices) {
  choices.gpu_memory = command.gpu_memory;
  choices.model_orders = command.model_order;
  if (!command.model_patience.empty()) {
    const auto patience = parse_duration(command.model_patience);
    if (!patience) return std::unexpected(patience.error());
    choices.model_patience = *patience;
  }
  if (command.models.empty()) return {};
  auto models = load_models(command.models);
  if (!models) return std::unexpected(models.error());
  choices.models = std::move(*models);
  return {};
}

Result<std::vector<WhatIfResult>> try_all(const WhatIfCommand& command, RecordedWork& work) {
  WhatIfChoices choices{.slots = command.slots,
                        .queue_slots = command.queue_slots,
                        .policies = command.policy,
                        .limits = command.limits};
  if (!command.deadline.empty()) {
    const auto deadline = parse_duration(command.deadline);
    if (!deadline) return std::unexpected(deadline.error());
    choices.deadline = *deadline;
  }
  if (auto read = read_model_choices(command, choices); !read) return std::unexpected(read.error());
  auto cases = cases_of(choices, work);
  if (!cases) return std::unexpected(cases.error());
  std::vector<WhatIfResult> results;
  for (WhatIfCase& tried : *cases) {
    auto report = what_if(work, tried.settings);
    if (!report) return std::unexpected(report.error());
    results.push_back({std::move(tried), std::move(*report)});
  }
  return results;
}

void print(const RecordedWork& work, const std::vector<WhatIfResult>& results,
           const WhatIfPrices& prices) {
  fmt::print("{}", counted(work.tasks.size(), "task"));
  if (work.assumed > 0) fmt::print(", {} of which take what their kind usually does", work.assumed);
  fmt::print("\n{}{}\n{}", table_of(results, prices), models_of(results),
             plots_of(results, glyphs_of_output()));
}

// What was said and would not be looked at.
Result<void> check_belonging(const WhatIfCommand& command) {
  if (!command.columns.empty() && command.trace.empty()) {
    return fail(ErrorCode::invalid, "--columns are those of a file, and none is named",
                "name it with --trace FILE, or leave --columns out");
  }
  const bool has_models = !command.models.empty() || !command.gpu_memory.empty();
  if (has_models || (command.model_order.empty() && command.model_patience.empty())) return {};
  return fail(ErrorCode::invalid, "it is said how models are loaded, and not which there are",
              "name them with --models FILE --gpu-memory SIZE, or leave that out");
}

ExitCode what_if_command(const WhatIfCommand& command) {
  if (auto checked = check_belonging(command); !checked) return report(checked.error());
  const auto prices = read_prices(command.price);
  if (!prices) return report(prices.error());
  auto work = command.trace.empty() ? work_of_log(command) : work_of_trace(command);
  if (!work) return report(work.error());
  if (work->tasks.empty()) {
    return report({ErrorCode::not_found, "no task was submitted in that time",
                   "leave --from and --to out for all there are"});
  }
  const auto results = try_all(command, *work);
  if (!results) return report(results.error());
  if (!command.json) {
    print(*work, *results, *prices);
    return ExitCode::ok;
  }
  for (const WhatIfResult& result : *results) fmt::print("{}\n", json_of(result, *prices));
  return ExitCode::ok;
}

}  // namespace

void add_what_if_command(CommandGroup& root) {
  auto [options, command] = root.add<WhatIfCommand>(
      {"whatif", "Run recorded work again under other settings",
       "almanac whatif --slots 2,4,8\n"
       "  almanac whatif --policy all --limit gpu=2\n"
       "  almanac whatif --trace requests.csv --slots 40,60 --queue-slots batch=10\n"
       "  Nothing is run and nothing is written."},
      what_if_command);
  options.text("--trace", command.trace, {"FILE", "CSV with a heading line, in place of the log"});
  options.texts("--columns", command.columns,
                {"NAME=HEADING",
                 "Which column of the file is the arrival, duration,\n"
                 "kind, queue, priority, outcome, owner, deadline,\n"
                 "estimate or model"});
  options.text("--slots", command.slots,
               {"NUMBERS", "Of the engine, such as 4,8; as recorded when left out"});
  options.texts("--queue-slots", command.queue_slots,
                {"QUEUE=NUMBER", "Of one queue; 0 = as many as the engine has"});
  options.text("--policy", command.policy,
               {"NAMES",
                "How queues choose what runs next, one after the\n"
                "other: priority, fifo, urgency, deadline, fair, or\n"
                "all of these; QUEUE=NAME sets one queue in each"});
  options.texts("--limit", command.limits,
                {"NAME=LIMIT",
                 "Units, such as gpu=2, or a rate with or without a\n"
                 "burst: mail=60/min, mail=60/min:10"});
  options.text("--from", command.from,
               {"MOMENT",
                "Only what was submitted from here on: a\n"
                "position or time, of a trace a time"});
  options.text("--to", command.to, {"MOMENT", "… and no later than here"});
  options.text(
      "--deadline", command.deadline,
      {"TIME",
       "So long behind its arrival a task should have\nended that has no deadline, such as 10m"});
  options.text("--models", command.models,
               {"FILE", "What tasks name: a file of models, with the load_time\nof each"});
  options.text("--gpu-memory", command.gpu_memory, {"SIZE", "Of the one GPU, such as 24GiB"});
  options.text("--model-order", command.model_order,
               {"NAMES",
                "batched, as an engine does it; first_come, in the\n"
                "order of arrival, unloading what was used longest\nago; both when left out"});
  options.text("--model-patience", command.model_patience,
               {"TIME", "How long tasks wait before a model in use gives way"});
  options.text("--price", command.price, {"NUMBER", "Of a slot for an hour, to show the cost"});
}

}  // namespace almanac
