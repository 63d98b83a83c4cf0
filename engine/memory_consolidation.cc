#include <almanac/engine/memory_consolidation.h>

#include <almanac/engine/ascii_case.h>
#include <almanac/engine/limits.h>
#include <almanac/engine/memory_filter.h>
#include <almanac/engine/memory_reader.h>
#include <almanac/log/hash.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace almanac {
namespace {

using Owner = std::pair<NameId, std::optional<NameId>>;  // kind and user

std::string normal(std::string_view content) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto begin = content.find_first_not_of(blanks);
  if (begin == content.npos) return {};
  content = content.substr(begin, content.find_last_not_of(blanks) - begin + 1);
  std::string text;
  std::ranges::transform(content, std::back_inserter(text), lower);
  return text;
}

// Those of one kind and user that repeat none.
struct FirstOnes {
  std::multimap<std::uint64_t, MemoryHit> by_hash;
  std::vector<MemoryHit> embedded;
};

std::optional<MemoryDuplicate> duplicate_of(const FirstOnes& known, const MemoryHit& hit,
                                            std::uint64_t hash, double similarity_min) {
  const std::string content = normal(content_of(*hit.memory).content);
  const auto [begin, end] = known.by_hash.equal_range(hash);
  for (auto same = begin; same != end; ++same) {
    if (normal(content_of(*same->second.memory).content) == content) {
      return MemoryDuplicate{.of = same->second.id, .id = hit.id, .is_same = true};
    }
  }
  if (similarity_min > 1) return std::nullopt;
  const auto embedding = embedding_of(*hit.memory);
  std::optional<MemoryDuplicate> nearest;
  for (const MemoryHit& other : known.embedded) {
    const auto theirs = embedding_of(*other.memory);
    if (embedding.empty() || theirs.size() != embedding.size()) continue;
    const double similarity = cosine(embedding, theirs);
    if (similarity < similarity_min || (nearest && nearest->similarity >= similarity)) continue;
    nearest = MemoryDuplicate{.of = other.id, .id = hit.id, .similarity = similarity};
  }
  return nearest;
}

}  // namespace

std::vector<MemoryDuplicate> find_duplicates(const State& state, const DuplicateQuery& query,
                                             const UserKeys* keys) {
  const MemoryQuery asked{.kind = query.kind, .user = query.user, .now = query.now};
  const MemoryFilter filter(state.names, asked, state.time);
  const MemoryReader reader(state, keys);
  std::map<Owner, FirstOnes> known;
  std::vector<MemoryDuplicate> found;
  for (const auto& [id, sealed] : state.memories.all) {
    if (!filter.may_admit(*sealed)) continue;
    const MemoryHit hit{id, 0, reader.read(id, sealed)};
    if (!hit.memory->is_readable()) continue;
    FirstOnes& first = known[{hit.memory->kind, hit.memory->user}];
    const auto hash = xxh3(as_bytes(normal(content_of(*hit.memory).content)));
    if (const auto duplicate = duplicate_of(first, hit, hash, query.similarity_min)) {
      found.push_back(*duplicate);
      continue;
    }
    first.by_hash.emplace(hash, hit);
    if (!embedding_of(*hit.memory).empty()) first.embedded.push_back(hit);
  }
  return found;
}

Result<std::vector<MemoryHit>> find_consolidated(const State& state,
                                                 const Consolidation& consolidation,
                                                 const UserKeys* keys) {
  if (consolidation.kind.empty()) return refuse_field("kind", "it is empty", "name the kind");
  if (consolidation.older_than < Duration(0)) {
    return refuse_field("older_than", "it is negative", "say how old they must be");
  }
  const Time now = consolidation.now == Time() ? state.time : consolidation.now;
  const MemoryQuery asked{.kind = consolidation.kind, .user = consolidation.user, .now = now};
  const MemoryFilter filter(state.names, asked, state.time);
  const MemoryReader reader(state, keys);
  std::vector<MemoryHit> found;
  for (const auto& [id, sealed] : state.memories.all) {
    if (!filter.may_admit(*sealed) || sealed->user.has_value() == consolidation.user.empty())
      continue;
    if (sealed->significance >= consolidation.significance_below * significance_max) continue;
    if (sealed->stored_at > now - consolidation.older_than) continue;
    const MemoryVersion memory = reader.read(id, sealed);
    if (!memory->is_readable()) continue;
    found.push_back({id, 0, memory});
    if (found.size() + 1 == limits::transaction_memories_max) break;
  }
  return found;
}

Result<MemoryTransaction> consolidate(const Consolidation& consolidation,
                                      const std::vector<MemoryHit>& replaced, MemorySpec summary) {
  if (replaced.empty()) {
    return fail(ErrorCode::not_found, "there are no entries to sum up",
                "ask for a higher significance, or for younger ones");
  }
  summary.kind = consolidation.kind;
  summary.user = consolidation.user;
  const auto micros = [](Time time) { return std::int64_t{time.time_since_epoch().count()}; };
  summary.metadata["sums_up"] = static_cast<std::int64_t>(replaced.size());
  summary.metadata["first_stored_us"] = micros(replaced.front().memory->stored_at);
  summary.metadata["last_stored_us"] = micros(replaced.back().memory->stored_at);
  MemoryTransaction transaction;
  transaction.store.push_back(std::move(summary));
  for (const MemoryHit& hit : replaced) {
    transaction.forget.push_back(hit.id);
    transaction.forget_expected.emplace(hit.id, hit.memory->changed);
  }
  transaction.reason = "a summary stands for it";
  return transaction;
}

}  // namespace almanac
