#include <almanac/tools/memory_change.h>
#include <almanac/tools/memory_commands.h>
#include <almanac/tools/memory_file.h>
#include <almanac/tools/text.h>
#include <almanac/tools/trial.h>
#include <almanac/tools/units.h>

#include <almanac/engine/memory_consolidation.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <string>

namespace almanac {
namespace {

using nlohmann::ordered_json;

void print_object(const ordered_json& json) {
  fmt::print("{}\n",
             printable_json(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
}

Result<Consolidation> consolidation_of(const MemoryConsolidateCommand& command, Time now) {
  Consolidation consolidation{.kind = command.kind, .user = command.user, .now = now};
  if (!command.below.empty()) {
    const auto below = parse_significance(command.below);
    if (!below) return std::unexpected(below.error());
    consolidation.significance_below = *below;
  }
  if (!command.older.empty()) {
    const auto older = parse_duration(command.older);
    if (!older) return std::unexpected(older.error());
    consolidation.older_than = *older;
  }
  return consolidation;
}

}  // namespace

ExitCode memory_duplicates(const MemoryDuplicatesCommand& command) {
  const auto state = read_state(command.folder);
  if (!state) return report(state.error());
  const auto keys = UserKeys::open(command.folder);
  if (!keys) return report(keys.error());
  DuplicateQuery query{
      .kind = command.kind, .user = command.user, .now = std::max(system_time(), state->time)};
  if (!command.similarity.empty()) {
    const auto similarity = parse_significance(command.similarity);
    if (!similarity) {
      return report({ErrorCode::invalid, "similarity: it is not a number from 0 to 1",
                     "write one, such as 0.95"});
    }
    query.similarity_min = *similarity;
  }
  const auto found = find_duplicates(*state, query, keys->get());
  Table table({"MEMORY", "REPEATS", "SIMILAR"});
  for (const MemoryDuplicate& each : found) {
    const std::string how = each.is_same ? "the same" : fmt::format("{:.3f}", each.similarity);
    if (command.json) {
      print_object({{"memory", each.id.value},
                    {"repeats", each.of.value},
                    {"same", each.is_same},
                    {"similarity", each.similarity}});
    } else {
      table.add({std::to_string(each.id.value), std::to_string(each.of.value), how});
    }
  }
  if (command.json) return ExitCode::ok;
  fmt::print("{}", found.empty() ? "no duplicates\n" : table.text(terminal_columns()));
  return ExitCode::ok;
}

ExitCode memory_consolidate(const MemoryConsolidateCommand& command) {
  const auto state = read_state(command.folder);
  if (!state) return report(state.error());
  const auto keys = UserKeys::open(command.folder);
  if (!keys) return report(keys.error());
  const auto asked = consolidation_of(command, std::max(system_time(), state->time));
  if (!asked) return report(asked.error());
  const auto replaced = find_consolidated(*state, *asked, keys->get());
  if (!replaced) return report(replaced.error());
  if (command.dry_run) {
    for (const MemoryHit& hit : *replaced) {
      fmt::print("memory {}  {}\n", hit.id.value, printable(content_of(*hit.memory).content));
    }
    return ExitCode::ok;
  }
  MemorySpec summary{.kind = command.kind, .content = command.content, .tags = command.tags};
  auto transaction = consolidate(*asked, *replaced, std::move(summary));
  if (!transaction) return report(transaction.error());
  std::vector<MemoryTransaction> transactions;
  transactions.push_back(std::move(*transaction));
  const auto stored = carry_out(command.folder, std::move(transactions));
  if (!stored) return report(stored.error());
  fmt::print("memory {} stands for {}\n", stored->front().value, replaced->size());
  return ExitCode::ok;
}

}  // namespace almanac
