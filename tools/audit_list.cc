#include <almanac/tools/audit_commands.h>
#include <almanac/tools/command_line.h>
#include <almanac/tools/source.h>
#include <almanac/tools/state_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <utility>

namespace almanac {
namespace {

using nlohmann::ordered_json;

// A request that was let in, or a refusal.
struct ListedAudit {
  const AuditEntry* entry;
  bool is_refusal;
};
using ListedAudits = std::map<Position, ListedAudit>;

ListedAudits audits_to_list(const State& state, const AuditCommand& command) {
  ListedAudits listed;
  const auto add = [&](const PersistentMap<Position, AuditEntry>& entries, bool are_refusals) {
    for (const auto& [position, entry] : entries) {
      const bool is_asked_for =
          command.principal.empty() || state.names.text(entry.principal) == command.principal;
      if (is_asked_for) listed[position] = {&entry, are_refusals};
    }
  };
  if (!command.refusals) add(state.audits.requests, false);
  add(state.audits.refusals, true);
  return listed;
}

std::string principal_text(const State& state, NameId principal) {
  const std::string_view name = state.names.text(principal);
  return name.empty() ? "(nobody)" : printable(name);
}

std::string outcome_text(const ListedAudit& listed) {
  const AuditEntry& entry = *listed.entry;
  if (!listed.is_refusal) return entry.count == 1 ? "" : fmt::format("{} times", entry.count);
  std::string text = "refused: " + std::string(name(entry.reason));
  if (entry.status != 0) text += fmt::format(" ({})", entry.status);
  if (entry.count > 0) text += fmt::format(", and {} more", entry.count);
  return text;
}

void print_principals(const State& state, const AuditCommand& command) {
  Table table({"principal", "requests", "refusals", "last"});
  for (const auto& [id, counts] : state.audits.principals) {
    if (!command.principal.empty() && state.names.text(id) != command.principal) continue;
    table.add({principal_text(state, id), std::to_string(counts.requests),
               std::to_string(counts.refusals), format_second(counts.last_at)});
  }
  fmt::print("{}\n", table.text(terminal_columns()));
}

void print_audits(const State& state, const ListedAudits& listed) {
  Table table({"at", "door", "principal", "from", "action", "subject", ""});
  for (const auto& [position, one] : listed) {
    const AuditEntry& entry = *one.entry;
    table.add({format_second(entry.at), std::string(name(entry.door)),
               principal_text(state, entry.principal), printable(entry.remote),
               printable(entry.action), printable(entry.subject), outcome_text(one)});
  }
  fmt::print("{}", table.text(terminal_columns()));
}

}  // namespace

ExitCode audit(const AuditCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const State& state = source->state;
  const ListedAudits listed = audits_to_list(state, command);
  if (!command.json && state.audits.principals.empty()) {
    fmt::print("no requests are on record; `almanac serve` puts them there\n");
    return ExitCode::ok;
  }
  if (!command.json) {
    print_principals(state, command);
    print_audits(state, listed);
    return ExitCode::ok;
  }
  for (const auto& [position, one] : listed) {
    ordered_json json = audit_entry_json(state.names, position, *one.entry, one.is_refusal);
    fmt::print("{}\n",
               printable_json(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
  }
  return ExitCode::ok;
}

void add_audit_command(CommandGroup& root) {
  auto [options, command] = root.add<AuditCommand>(
      {"audit", "Tell who asked a daemon for what",
       "almanac audit --dir work\n  almanac audit --refusals --at '2 hours ago'\n"
       "  almanac log cat --type RequestAudited,RequestRefused  # all of them\n"
       "  Counts are of all, the lines of the last 100 of either."},
      audit);
  options.text("--principal", command.principal,
               {"NAME", "Of a token, or a user such as 'uid 1000'"});
  options.flag("--refusals", command.refusals, "Only who was refused");
  options.text("--at", command.at, at_help);
}

}  // namespace almanac
