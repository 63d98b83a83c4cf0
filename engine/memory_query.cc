#include <almanac/engine/memory_filter.h>

#include <almanac/engine/ascii_case.h>
#include <almanac/engine/limits.h>
#include <almanac/engine/memory_spec.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

namespace almanac {
namespace {

// So many sums at once, which a processor adds side by side.
constexpr std::size_t lanes = 16;

double dot(std::span<const float> one, std::span<const float> other) {
  std::array<float, lanes> sums{};
  const std::size_t whole = one.size() / lanes * lanes;
  for (std::size_t i = 0; i < whole; i += lanes) {
    for (std::size_t lane = 0; lane < lanes; ++lane) sums[lane] += one[i + lane] * other[i + lane];
  }
  double sum = 0;
  for (const float lane : sums) sum += lane;
  for (std::size_t i = whole; i < one.size(); ++i) sum += double(one[i]) * other[i];
  return sum;
}

}  // namespace

double cosine(std::span<const float> one, std::span<const float> other) {
  const double lengths = std::sqrt(dot(one, one)) * std::sqrt(dot(other, other));
  return lengths > 0 && std::isfinite(lengths) ? dot(one, other) / lengths : 0;
}

void keep_best(std::vector<MemoryHit>& hits, std::size_t limit) {
  const auto end = hits.begin() + static_cast<std::ptrdiff_t>(std::min(limit, hits.size()));
  std::ranges::partial_sort(hits, end, [](const MemoryHit& one, const MemoryHit& other) {
    return one.similarity != other.similarity ? one.similarity > other.similarity
                                              : one.id < other.id;
  });
  hits.erase(end, hits.end());
}

Result<void> check_query(const Memories& memories, const Names& names, const MemoryQuery& query) {
  if (query.limit == 0 || query.limit > limits::memory_hits_max) {
    return refuse_field("limit", "it is " + std::to_string(query.limit),
                        "say 1 to " + std::to_string(limits::memory_hits_max));
  }
  if (query.embedding.empty()) return {};
  if (auto checked = check_embedding(query.embedding); !checked) return checked;
  const auto kind = names.find(query.kind);
  const EmbeddedKind* known = kind ? memories.kinds.find(*kind) : nullptr;
  if (known == nullptr || known->dimension == query.embedding.size()) return {};
  return refuse_field("embedding",
                      "it has " + std::to_string(query.embedding.size()) +
                          " numbers, those of kind '" + query.kind + "' have " +
                          std::to_string(known->dimension),
                      "make it with the same model as those");
}

MemoryFilter::MemoryFilter(const Names& names, const MemoryQuery& query, Time now)
    : query_(query), now_(query.now == Time() ? now : query.now) {
  const auto find = [&](const std::string& name) {
    const auto id = names.find(name);
    if (!id) nothing_ = true;
    return id;
  };
  if (!query.kind.empty()) kind_ = find(query.kind);
  if (!query.user.empty()) user_ = find(query.user);
  for (const std::string& tag : query.tags) tags_.push_back(names.find(tag));
  std::ranges::transform(query.text, std::back_inserter(text_), lower);
}

bool MemoryFilter::may_admit(const Memory& memory) const {
  if (nothing_ || memory.has_expired(now_)) return false;
  if (kind_ && memory.kind != *kind_) return false;
  if (user_ && memory.user != user_) return false;
  if (memory.stored_at < query_.from) return false;
  if (query_.until != Time() && memory.stored_at >= query_.until) return false;
  if (memory.significance < query_.significance_min * significance_max) return false;
  return true;
}

bool MemoryFilter::has_tags(const Memory& memory) const {
  if (!memory.sealed) {
    return std::ranges::all_of(tags_, [&](std::optional<NameId> tag) {
      return tag && std::ranges::find(memory.tags, *tag) != memory.tags.end();
    });
  }
  // Each has an end of line behind it, which no name has in it.
  const auto own = memory.own_tags.view();
  return std::ranges::all_of(query_.tags, [&](const std::string& tag) {
    const auto at = ("\n" + std::string(own)).find("\n" + tag + "\n");
    return at != std::string::npos;
  });
}

bool MemoryFilter::admits(const Memory& memory) const {
  if (!may_admit(memory)) return false;
  if (!memory.is_readable()) {
    return query_.unreadable && tags_.empty() && text_.empty() && query_.embedding.empty();
  }
  if (!has_tags(memory)) return false;
  if (text_.empty()) return true;
  const MemoryContent said = content_of(memory);
  return contains_in_any_case(said.content, text_) || contains_in_any_case(said.summary, text_);
}

bool MemoryFilter::admits_all(const Memories& memories, NameId kind) const {
  const auto expiry = memories.next_expiry();
  const bool asks_nothing = query_.user.empty() && query_.tags.empty() && query_.text.empty() &&
                            query_.from == Time() && query_.until == Time() &&
                            query_.significance_min <= 0;
  return asks_nothing && !nothing_ && (!kind_ || *kind_ == kind) && (!expiry || *expiry > now_);
}

std::vector<MemoryHit> newest(const PersistentMap<MemoryId, MemoryVersion>& entries,
                              const MemoryFilter& filter, std::size_t limit,
                              const MemoryReader* reader) {
  std::vector<MemoryHit> hits;
  for (auto entry = entries.end(); entry != entries.begin() && hits.size() < limit;) {
    --entry;
    if (!filter.may_admit(*entry->value)) continue;
    const MemoryVersion memory =
        reader == nullptr ? entry->value : reader->read(entry->key, entry->value);
    if (filter.admits(*memory)) hits.push_back({entry->key, 0, memory});
  }
  return hits;
}

Result<std::vector<MemoryHit>> search_memories(const State& state, const MemoryQuery& query,
                                               const UserKeys* keys) {
  if (auto checked = check_query(state.memories, state.names, query); !checked) {
    return std::unexpected(checked.error());
  }
  const MemoryFilter filter(state.names, query, state.time);
  const MemoryReader reader(state, keys);
  if (query.embedding.empty()) return newest(state.memories.all, filter, query.limit, &reader);
  std::vector<MemoryHit> hits;
  for (const auto& [id, sealed] : state.memories.all) {
    if (dimension_of(*sealed) != query.embedding.size() || !filter.may_admit(*sealed)) continue;
    const MemoryVersion version = reader.read(id, sealed);
    if (!version->is_readable() || !filter.admits(*version)) continue;
    hits.push_back({id, cosine(query.embedding, embedding_of(*version)), version});
    if (hits.size() >= 2 * query.limit + lanes) keep_best(hits, query.limit);
  }
  keep_best(hits, query.limit);
  return hits;
}

}  // namespace almanac
