#include <almanac/tools/memory_change.h>

#include <almanac/tools/context_commands.h>
#include <almanac/tools/memory_commands.h>
#include <almanac/tools/memory_file.h>
#include <almanac/tools/operations.h>
#include <almanac/tools/text.h>
#include <almanac/tools/trial.h>
#include <almanac/tools/units.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/memory_sealing.h>
#include <almanac/snapshots/user_keys.h>

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>

namespace almanac {
namespace {

// The keys of whose entries are stored; of users who have none yet some that are never written.
Result<void> add_trial_keys(State& state, const MemoryTransaction& transaction,
                            const UserKeys& keys, UserKeyRing& ring) {
  for (const MemorySpec& spec : transaction.store) {
    if (spec.user.empty() || ring.contains(spec.user)) continue;
    auto known = known_key(state, spec.user);
    if (known && keys.is_destroyed(*known)) {
      auto forgotten = try_out(state, ForgetUser{spec.user, {*known}});
      if (!forgotten) return std::unexpected(forgotten.error());
      known.reset();
    }
    if (known) {
      auto key = keys.need(*known);
      if (!key) return std::unexpected(key.error());
      ring.emplace(spec.user, UserKey{*known, std::move(*key)});
    } else {
      ring.emplace(spec.user, UserKey{{}, std::make_shared<const EncryptionKey>()});
    }
  }
  return {};
}

Result<MemorySpec> spec_of(const MemoryAddCommand& command) {
  MemorySpec spec{.kind = command.kind,
                  .user = command.user,
                  .content = command.content,
                  .summary = command.summary,
                  .tags = command.tags};
  auto metadata = parse_metadata(command.metadata);
  if (!metadata) return std::unexpected(metadata.error());
  spec.metadata = std::move(*metadata);
  if (!command.embedding.empty()) {
    auto embedding = parse_embedding(command.embedding);
    if (!embedding) return std::unexpected(embedding.error());
    spec.embedding = std::move(*embedding);
  }
  if (!command.significance.empty()) {
    const auto significance = parse_significance(command.significance);
    if (!significance) return std::unexpected(significance.error());
    spec.significance = *significance;
  }
  if (!command.time_to_live.empty()) {
    const auto time = parse_duration(command.time_to_live);
    if (!time) return std::unexpected(time.error());
    spec.time_to_live = *time;
  }
  return spec;
}

std::unexpected<Error> at_line(std::size_t number, Error error) {
  error.message = fmt::format("line {}: {}", number, error.message);
  return std::unexpected(std::move(error));
}

// In parts that each are one append.
Result<std::vector<MemoryTransaction>> read_entries(std::istream& from) {
  // What a line stores is at most twice as long as the line, of which one more may follow.
  constexpr std::size_t line_bytes_max = limits::transaction_bytes_max / 4;
  const Time now = system_time();
  std::vector<MemoryTransaction> parts;
  std::size_t bytes = 0;
  std::size_t number = 0;
  for (std::string line; std::getline(from, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    auto entry = parse_memory(line, now);
    if (!entry) return at_line(number, entry.error());
    if (!*entry) continue;
    if (auto checked = check_memories(std::span(&**entry, 1)); !checked) {
      return at_line(number, checked.error());
    }
    const bool is_full = parts.empty() || bytes + line.size() > line_bytes_max ||
                         parts.back().store.size() == limits::transaction_memories_max;
    if (is_full) {
      parts.emplace_back();
      bytes = 0;
    }
    bytes += line.size();
    parts.back().store.push_back(std::move(**entry));
  }
  return parts;
}

}  // namespace

Result<std::vector<MemoryId>> carry_out(const std::filesystem::path& folder,
                                        std::vector<MemoryTransaction> transactions) {
  const bool stores = std::ranges::any_of(
      transactions, [](const MemoryTransaction& one) { return !one.store.empty(); });
  auto state = stores ? read_state_or_none(folder) : read_state(folder);
  if (!state) return std::unexpected(state.error());
  const auto user_keys = UserKeys::open(folder);
  if (!user_keys) return std::unexpected(user_keys.error());
  UserKeyRing keys;
  for (const MemoryTransaction& transaction : transactions) {
    auto given = add_trial_keys(*state, transaction, **user_keys, keys);
    if (!given) return std::unexpected(given.error());
    auto accepted = try_out(*state, ChangeMemories{transaction, keys});
    if (!accepted) return std::unexpected(accepted.error());
  }
  auto operations = open_operations(folder);
  if (!operations) return std::unexpected(operations.error());
  std::vector<MemoryId> stored;
  for (MemoryTransaction& transaction : transactions) {
    auto done = (*operations)->change_memories(std::move(transaction));
    if (!done) return std::unexpected(done.error());
    stored.insert(stored.end(), done->begin(), done->end());
  }
  return stored;
}

ExitCode memory_add(const MemoryAddCommand& command) {
  auto spec = spec_of(command);
  if (!spec) return report(spec.error());
  std::vector<MemoryTransaction> transactions(1);
  transactions.front().store.push_back(std::move(*spec));
  const auto stored = carry_out(command.folder, std::move(transactions));
  if (!stored) return report(stored.error());
  fmt::print("memory {}\n", stored->front().value);
  return ExitCode::ok;
}

ExitCode memory_forget(const MemoryForgetCommand& command) {
  if (!command.user.empty()) return context_forget({command.folder, command.user});
  if (command.ids.empty()) {
    return report({ErrorCode::invalid, "there is nothing to forget",
                   "name entries by their numbers, or a user with --user"});
  }
  std::vector<MemoryTransaction> transactions(1);
  for (const std::uint64_t id : command.ids) transactions.front().forget.emplace_back(id);
  transactions.front().reason = command.reason;
  const auto done = carry_out(command.folder, std::move(transactions));
  return done ? ExitCode::ok : report(done.error());
}

ExitCode memory_import(const MemoryImportCommand& command) {
  std::ifstream file;
  if (command.file != "-") {
    file.open(command.file);
    if (!file) {
      return report({ErrorCode::not_found, "cannot read " + printable(command.file),
                     "name a file of JSON lines, or - for standard input"});
    }
  }
  auto parts = read_entries(command.file == "-" ? std::cin : file);
  if (!parts) return report(parts.error());
  if (parts->empty()) {
    fmt::print("0 entries stored\n");
    return ExitCode::ok;
  }
  const auto stored = carry_out(command.folder, std::move(*parts));
  if (!stored) return report(stored.error());
  fmt::print("{} {} stored\n", stored->size(), stored->size() == 1 ? "entry" : "entries");
  return ExitCode::ok;
}

}  // namespace almanac
