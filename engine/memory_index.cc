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
#include <set>
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
  void remove(MemoryId id, bool is_secret) {
    const auto place = places_.find(id);
    if (place == places_.end()) return;
    entries_[place->second].second.reset();
    places_.erase(place);
    holds_secrets_ = holds_secrets_ || is_secret;
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
  // Embeddings of entries that were forgotten.
  [[nodiscard]] bool holds_secrets() const { return holds_secrets_; }
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
  bool holds_secrets_ = false;
};

using Entries = PersistentMap<MemoryId, MemoryVersion>;

bool has_embedding(const MemoryVersion* memory) {
  return memory != nullptr && !embedding_of(**memory).empty();
}

// It can be opened no more, and must not stay in what leads through others.
bool was_closed(const MemoryVersion* was, const MemoryVersion* is) {
  return was != nullptr && is != nullptr && (*was)->is_readable() && !(*is)->is_readable();
}

using KindIndexes = std::map<NameId, std::shared_ptr<KindIndex>>;

// Brings what has been made of one to what another one has, for all kinds or for one.
void take_in(KindIndexes& kinds, const Entries& before, const Entries& after,
             std::optional<NameId> only = {}) {
  diff(before, after, [&](MemoryId id, const MemoryVersion* was, const MemoryVersion* is) {
    const NameId kind = was == nullptr ? (*is)->kind : (*was)->kind;
    if (only && kind != *only) return;
    const bool is_kept =
        has_embedding(was) && has_embedding(is) && (*was)->embedding == (*is)->embedding;
    if (is_kept) return kinds.at(kind)->replace(id, *is);
    if (has_embedding(was)) kinds.at(kind)->remove(id, was_closed(was, is));
    if (!has_embedding(is)) return;
    auto& of_kind = kinds[kind];
    const auto dimension = static_cast<std::uint32_t>(embedding_of(**is).size());
    if (of_kind == nullptr || of_kind->dimension() != dimension) {
      of_kind = std::make_shared<KindIndex>(dimension);
    }
    of_kind->add(id, *is);
  });
}

// The entries of a state, opened, and by which keys.
class OpenedEntries {
 public:
  explicit OpenedEntries(const UserKeys* keys) : keys_(keys) {}

  [[nodiscard]] const Entries& all() const { return all_; }

  void follow(const State& state, const Entries& before) {
    reader_.emplace(state, keys_);
    const bool is_first = before.empty();
    if (is_first) all_ = state.memories.all;
    diff(before, state.memories.all,
         [&](MemoryId id, const MemoryVersion* was, const MemoryVersion* is) {
           if (was != nullptr && (*was)->sealed) remove(id, of_[(*was)->sealed->key]);
           if (is == nullptr) {
             all_.erase(id);
           } else if ((*is)->sealed) {
             set(id, *is, of_[(*is)->sealed->key]);
           } else if (!is_first) {
             all_.set(id, *is);
           }
         });
  }
  [[nodiscard]] bool keys_differ() const {
    return keys_ != nullptr && reader_ && keys_->generation() != generation_;
  }
  // What can be opened no more, or only now.
  void look_at_keys(const Entries& sealed) {
    if (!keys_differ()) return;
    generation_ = keys_->generation();
    for (auto& [key, of_key] : of_) {
      const bool is_there = keys_->find(key) != nullptr;
      const std::set<MemoryId> differ = is_there ? of_key.closed : of_key.opened;
      for (const MemoryId id : differ) set(id, *sealed.find(id), of_key);
    }
  }

 private:
  struct OfKey {
    std::set<MemoryId> opened;
    std::set<MemoryId> closed;
  };
  static void remove(MemoryId id, OfKey& of_key) {
    of_key.opened.erase(id);
    of_key.closed.erase(id);
  }
  void set(MemoryId id, const MemoryVersion& version, OfKey& of_key) {
    MemoryVersion open = reader_->read(id, version);
    remove(id, of_key);
    (open->is_readable() ? of_key.opened : of_key.closed).insert(id);
    all_.set(id, std::move(open));
  }

  const UserKeys* keys_;
  std::optional<MemoryReader> reader_;
  Entries all_;
  std::map<UserKeyId, OfKey> of_;
  std::uint64_t generation_ = 0;
};

}  // namespace

struct MemoryIndex::Parts {
  explicit Parts(MemoryIndexOptions wanted) : options(std::move(wanted)), opened(options.keys) {}

  // The kind that is next to be built anew, or to get a graph.
  [[nodiscard]] std::optional<NameId> next_to_build() const {
    for (const auto& [kind, index] : kinds) {
      const bool is_large = index->size() > options.exact_max;
      const bool is_old = index->is_half_gone() || index->holds_secrets();
      if (is_old || (is_large && !index->has_graph())) return kind;
    }
    return std::nullopt;
  }

  // Builds until there is nothing to build, beside searches, and takes in what has come meanwhile.
  void build(const std::stop_token& stop) {
    this_thread::set_name("almanac-memory");
    std::unique_lock lock(mutex);
    for (auto kind = next_to_build(); kind && !stop.stop_requested(); kind = next_to_build()) {
      const Entries from = opened.all();
      lock.unlock();
      KindIndexes built;
      take_in(built, {}, from, *kind);
      auto& index = built[*kind];
      const bool is_large = index != nullptr && index->size() > options.exact_max;
      const bool is_whole = !is_large || index->build_graph([&] { return !stop.stop_requested(); });
      if (options.on_built) options.on_built();
      lock.lock();
      if (!is_whole) break;
      take_in(built, from, opened.all(), *kind);
      if (index == nullptr) {
        kinds.erase(*kind);
      } else {
        kinds[*kind] = index;
      }
    }
    is_building = false;
    has_built.notify_all();
  }

  // Brings the index to the entries, as they are opened now.
  void take_in_entries(const Entries& before) {
    opened.look_at_keys(memories.all);
    take_in(kinds, before, opened.all());
    if (is_building || !next_to_build()) return;
    is_building = true;
    if (builder.joinable()) builder.join();
    builder = std::jthread([this](const std::stop_token& stop) { build(stop); });
  }

  MemoryIndexOptions options;
  mutable std::shared_mutex mutex;
  mutable std::condition_variable_any has_built;
  OpenedEntries opened;
  Memories memories;
  Names names;
  Position position;
  Time time;
  KindIndexes kinds;
  bool is_building = false;
  std::jthread builder;  // the last member: it ends before the others go
};

MemoryIndex::MemoryIndex(MemoryIndexOptions options)
    : parts_(std::make_unique<Parts>(std::move(options))) {}

MemoryIndex::~MemoryIndex() = default;

// Most of the time there is nothing new, and others search: they are not to be waited for then.
void MemoryIndex::follow(const State& state) {
  Parts& parts = *parts_;
  {
    const std::shared_lock guard(parts.mutex);
    if (state.position <= parts.position && !parts.opened.keys_differ()) return;
  }
  const std::lock_guard guard(parts.mutex);
  const Entries before = parts.opened.all();
  if (state.position > parts.position) {
    parts.opened.follow(state, parts.memories.all);
    parts.memories = state.memories;
    parts.names = state.names;
    parts.position = state.position;
    parts.time = state.time;
  }
  parts.take_in_entries(before);
}

void MemoryIndex::drop_forgotten() {
  const std::lock_guard guard(parts_->mutex);
  const Entries before = parts_->opened.all();
  parts_->take_in_entries(before);
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
  if (query.embedding.empty()) return newest(parts.opened.all(), filter, query.limit);
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
