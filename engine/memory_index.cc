#include <almanac/engine/memory_index.h>

#include <almanac/engine/embedding_index.h>
#include <almanac/engine/memory_filter.h>
#include <almanac/log/this_thread.h>
#include <almanac/projections/persistent/diff.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <stop_token>
#include <thread>
#include <unordered_map>
#include <utility>

namespace almanac {
namespace {

// Fewer than these are not worth building anything anew.
constexpr std::size_t gone_min = 1'000;

// The entries of a kind that have an embedding, by the slots of these.
class KindIndex {
 public:
  explicit KindIndex(std::uint32_t dimension) : embeddings_(dimension) {}

  void add(MemoryId id, const MemoryVersion& memory) {
    places_[id] = embeddings_.add(embedding_of(*memory));
    entries_.emplace_back(id, memory);
  }
  void remove(MemoryId id) {
    const auto place = places_.find(id);
    if (place == places_.end()) return;
    entries_[place->second].second.reset();
    places_.erase(place);
  }
  // The embedding is the same.
  void replace(MemoryId id, const MemoryVersion& memory) {
    entries_[places_.at(id)].second = memory;
  }

  [[nodiscard]] std::uint32_t dimension() const { return embeddings_.dimension(); }
  [[nodiscard]] std::size_t size() const { return places_.size(); }
  [[nodiscard]] bool has_graph() const { return embeddings_.has_graph(); }
  [[nodiscard]] bool is_half_gone() const {
    const std::size_t gone = entries_.size() - places_.size();
    return gone > gone_min && gone > places_.size();
  }
  bool build_graph(const std::function<bool()>& go_on) { return embeddings_.build_graph(go_on); }

  // No filter = all are admitted.
  void search(const MemoryQuery& query, const MemoryFilter* filter,
              std::vector<MemoryHit>& hits) const {
    // Those that are as near, for numbers of 32 bits.
    constexpr std::size_t more = 8;
    EmbeddingIndex::Wanted wanted;
    if (filter != nullptr || entries_.size() > places_.size()) {
      wanted = [&](EmbeddingIndex::Slot slot) {
        const auto& memory = entries_[slot].second;
        return memory && (filter == nullptr || filter->admits(**memory));
      };
    }
    for (const auto slot : embeddings_.search(query.embedding, query.limit + more, wanted)) {
      const auto& [id, memory] = entries_[slot];
      hits.push_back({id, cosine(query.embedding, embedding_of(**memory)), *memory});
    }
  }

 private:
  EmbeddingIndex embeddings_;
  std::vector<std::pair<MemoryId, std::optional<MemoryVersion>>> entries_;  // none = it has gone
  std::unordered_map<MemoryId, EmbeddingIndex::Slot> places_;
};

bool has_embedding(const MemoryVersion* memory) {
  return memory != nullptr && !embedding_of(**memory).empty();
}

using KindIndexes = std::map<NameId, std::shared_ptr<KindIndex>>;

// Brings what has been made of one to what another one has, for all kinds or for one.
void take_in(KindIndexes& kinds, const Memories& before, const Memories& after,
             std::optional<NameId> only = {}) {
  diff(before.all, after.all, [&](MemoryId id, const MemoryVersion* was, const MemoryVersion* is) {
    const NameId kind = was == nullptr ? (*is)->kind : (*was)->kind;
    if (only && kind != *only) return;
    const bool is_kept =
        has_embedding(was) && has_embedding(is) && (*was)->embedding == (*is)->embedding;
    if (is_kept) return kinds.at(kind)->replace(id, *is);
    if (has_embedding(was)) kinds.at(kind)->remove(id);
    if (!has_embedding(is)) return;
    auto& of_kind = kinds[kind];
    const auto dimension = static_cast<std::uint32_t>(embedding_of(**is).size());
    if (of_kind == nullptr || of_kind->dimension() != dimension) {
      of_kind = std::make_shared<KindIndex>(dimension);
    }
    of_kind->add(id, *is);
  });
}

}  // namespace

struct MemoryIndex::Parts {
  explicit Parts(const MemoryIndexOptions& wanted) : options(wanted) {}

  // The kind that is next to be built anew, or to get a graph.
  [[nodiscard]] std::optional<NameId> next_to_build() const {
    for (const auto& [kind, index] : kinds) {
      const bool is_large = index->size() > options.exact_max;
      if (index->is_half_gone() || (is_large && !index->has_graph())) return kind;
    }
    return std::nullopt;
  }

  // Builds until there is nothing to build, beside searches, and takes in what has come meanwhile.
  void build(const std::stop_token& stop) {
    this_thread::set_name("almanac-memory");
    std::unique_lock lock(mutex);
    for (auto kind = next_to_build(); kind && !stop.stop_requested(); kind = next_to_build()) {
      const Memories from = memories;
      lock.unlock();
      KindIndexes built;
      take_in(built, {}, from, *kind);
      auto& index = built[*kind];
      const bool is_large = index != nullptr && index->size() > options.exact_max;
      const bool is_whole = !is_large || index->build_graph([&] { return !stop.stop_requested(); });
      lock.lock();
      if (!is_whole) break;
      take_in(built, from, memories, *kind);
      if (index == nullptr) {
        kinds.erase(*kind);
      } else {
        kinds[*kind] = index;
      }
    }
    is_building = false;
    has_built.notify_all();
  }

  MemoryIndexOptions options;
  mutable std::shared_mutex mutex;
  mutable std::condition_variable_any has_built;
  Memories memories;
  Names names;
  Position position;
  Time time;
  KindIndexes kinds;
  bool is_building = false;
  std::jthread builder;  // the last member: it ends before the others go
};

MemoryIndex::MemoryIndex(const MemoryIndexOptions& options)
    : parts_(std::make_unique<Parts>(options)) {}

MemoryIndex::~MemoryIndex() = default;

void MemoryIndex::follow(const State& state) {
  Parts& parts = *parts_;
  const std::lock_guard guard(parts.mutex);
  if (state.position <= parts.position) return;
  take_in(parts.kinds, parts.memories, state.memories);
  parts.memories = state.memories;
  parts.names = state.names;
  parts.position = state.position;
  parts.time = state.time;
  if (parts.is_building || !parts.next_to_build()) return;
  parts.is_building = true;
  if (parts.builder.joinable()) parts.builder.join();
  parts.builder = std::jthread([&parts](const std::stop_token& stop) { parts.build(stop); });
}

Position MemoryIndex::position() const {
  const std::shared_lock guard(parts_->mutex);
  return parts_->position;
}

Result<std::vector<MemoryHit>> MemoryIndex::search(const MemoryQuery& query) const {
  const Parts& parts = *parts_;
  const std::shared_lock guard(parts.mutex);
  if (auto checked = check_query(parts.memories, parts.names, query); !checked) {
    return std::unexpected(checked.error());
  }
  const MemoryFilter filter(parts.names, query, parts.time);
  if (query.embedding.empty()) return newest(parts.memories, filter, query.limit);
  const auto kind = query.kind.empty() ? std::nullopt : parts.names.find(query.kind);
  std::vector<MemoryHit> hits;
  for (const auto& [of, index] : parts.kinds) {
    if (!query.kind.empty() && kind != of) continue;
    if (index->dimension() != query.embedding.size()) continue;
    index->search(query, filter.admits_all(parts.memories, of) ? nullptr : &filter, hits);
  }
  keep_best(hits, query.limit);
  return hits;
}

void MemoryIndex::wait_until_built() const {
  std::shared_lock lock(parts_->mutex);
  parts_->has_built.wait(lock, [&] { return !parts_->is_building; });
}

}  // namespace almanac
