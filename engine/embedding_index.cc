#include <almanac/engine/embedding_index.h>

#include <almanac/engine/embedding_table.h>

#include <faiss/impl/AuxIndexStructures.h>
#include <faiss/impl/DistanceComputer.h>
#include <faiss/impl/HNSW.h>
#include <omp.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <iterator>
#include <queue>
#include <utility>

namespace almanac {
namespace {

// Neighbours of each; twice as many on the lowest level.
constexpr int neighbours = 32;
// Candidates that are followed when one is added, and at least when one is searched for.
constexpr int candidates_adding = 80;
constexpr std::size_t candidates_searching = 128;
// A search that has looked at this part of all looks at all instead.
constexpr std::size_t looked_at_part = 8;
// Answers that are made at once before they are looked at.
constexpr std::size_t compared_at_once = 512;

// All of length 1: then the order by distance is the one by direction.
std::vector<float> normalised(std::span<const float> embedding) {
  double squares = 0;
  for (const float each : embedding) squares += double(each) * each;
  const double scale = squares > 0 ? 1 / std::sqrt(squares) : 0;
  std::vector<float> result(embedding.size());
  std::ranges::transform(embedding, result.begin(),
                         [&](float each) { return static_cast<float>(each * scale); });
  return result;
}

using Near = std::pair<float, EmbeddingIndex::Slot>;  // how far, and which

// What may be among so many of the nearest, by what its code says.
class Candidates {
 public:
  using Similarity = EmbeddingTable::Similarity;
  explicit Candidates(std::size_t count) : count_(count) {}

  [[nodiscard]] bool may_take(const Similarity& similarity) const {
    return lows_.size() < count_ || similarity.high() >= lows_.top();
  }
  void take(EmbeddingIndex::Slot slot, const Similarity& similarity) {
    all_.emplace_back(similarity.high(), slot);
    lows_.push(similarity.low());
    if (lows_.size() > count_) lows_.pop();
  }
  // Those that still may when all have been seen.
  template <class Visit>
  void each(const Visit& visit) const {
    for (const auto& [high, slot] : all_) {
      if (lows_.size() < count_ || high >= lows_.top()) visit(slot);
    }
  }

 private:
  std::size_t count_;
  std::vector<std::pair<float, EmbeddingIndex::Slot>> all_;
  // So many are at least as similar as the lowest of these.
  std::priority_queue<float, std::vector<float>, std::greater<>> lows_;
};

// From one that is added to the graph.
class DistanceFrom final : public faiss::DistanceComputer {
 public:
  DistanceFrom(const EmbeddingTable& table, EmbeddingIndex::Slot from)
      : table_(table), from_(from) {}
  void set_query(const float*) override {}
  float operator()(idx_t to) override { return symmetric_dis(from_, to); }
  float symmetric_dis(idx_t one, idx_t other) override {
    return table_.distance(static_cast<EmbeddingIndex::Slot>(one),
                           static_cast<EmbeddingIndex::Slot>(other));
  }

 private:
  const EmbeddingTable& table_;
  const EmbeddingIndex::Slot from_;
};

template <class Visit>
void each_neighbour(const faiss::HNSW& graph, EmbeddingIndex::Slot of, int level,
                    const Visit& visit) {
  std::size_t begin = 0;
  std::size_t end = 0;
  graph.neighbor_range(of, level, &begin, &end);
  for (; begin < end && graph.neighbors[begin] >= 0; ++begin) {
    visit(static_cast<EmbeddingIndex::Slot>(graph.neighbors[begin]));
  }
}

// Where the search of the lowest level begins.
Near nearest_above(const faiss::HNSW& graph, const EmbeddingTable& table,
                   const EmbeddingTable::Asked& asked) {
  const auto first = static_cast<EmbeddingIndex::Slot>(graph.entry_point);
  Near nearest{table.distance(asked, first), first};
  for (int level = graph.max_level; level > 0; --level) {
    for (Near from = {0, ~first}; from != nearest;) {
      from = nearest;
      each_neighbour(graph, from.second, level, [&](EmbeddingIndex::Slot slot) {
        nearest = std::min(nearest, Near{table.distance(asked, slot), slot});
      });
    }
  }
  return nearest;
}

}  // namespace

struct EmbeddingIndex::Parts {
  explicit Parts(std::uint32_t dimension) : table(dimension) {}
  ~Parts() {
    for (omp_lock_t& lock : locks) omp_destroy_lock(&lock);
  }

  EmbeddingTable table;
  std::optional<faiss::HNSW> graph;
  // What FAISS wants for adding: nobody else adds, so that they are always free.
  std::vector<omp_lock_t> locks;
  faiss::VisitedTable visited{0};
};

EmbeddingIndex::EmbeddingIndex(std::uint32_t dimension)
    : dimension_(dimension), parts_(std::make_unique<Parts>(dimension)) {}

EmbeddingIndex::~EmbeddingIndex() = default;

std::size_t EmbeddingIndex::size() const { return parts_->table.size(); }

bool EmbeddingIndex::has_graph() const { return parts_->graph.has_value(); }

EmbeddingIndex::Slot EmbeddingIndex::add(std::span<const float> embedding) {
  const auto slot = static_cast<Slot>(size());
  parts_->table.add(normalised(embedding));
  if (has_graph()) link(slot);
  return slot;
}

bool EmbeddingIndex::build_graph(const std::function<bool()>& go_on) {
  parts_->graph.emplace(neighbours);
  parts_->graph->efConstruction = candidates_adding;
  for (std::size_t slot = 0; slot < size(); ++slot) {
    if (!go_on()) {
      parts_->graph.reset();
      return false;
    }
    link(static_cast<Slot>(slot));
  }
  return true;
}

void EmbeddingIndex::link(Slot slot) {
  faiss::HNSW& graph = *parts_->graph;
  graph.prepare_level_tab(1);
  if (parts_->locks.size() <= slot) omp_init_lock(&parts_->locks.emplace_back());
  parts_->visited.visited.resize(slot + std::size_t{1});
  DistanceFrom distance(parts_->table, slot);
  graph.add_with_locks(distance, graph.levels[slot] - 1, static_cast<int>(slot), parts_->locks,
                       parts_->visited);
}

std::vector<EmbeddingIndex::Slot> EmbeddingIndex::search(std::span<const float> query,
                                                         std::size_t count,
                                                         const Wanted& wanted) const {
  const std::vector<float> direction = normalised(query);
  if (has_graph()) {
    if (auto found = search_graph(direction, count, wanted)) return std::move(*found);
  }
  return search_all(direction, count, wanted);
}

// By codes, and of those that may be among the nearest by the embeddings themselves.
std::vector<EmbeddingIndex::Slot> EmbeddingIndex::search_all(std::span<const float> query,
                                                             std::size_t count,
                                                             const Wanted& wanted) const {
  count = std::min(count, size());
  if (count == 0) return {};
  const EmbeddingTable& table = parts_->table;
  const auto asked = table.asked(query);
  Candidates candidates(count);
  std::array<EmbeddingTable::Similarity, compared_at_once> similar{};
  for (std::size_t first = 0; first < size(); first += similar.size()) {
    const auto some = std::span(similar).first(std::min(similar.size(), size() - first));
    auto slot = static_cast<Slot>(first);
    table.compare(asked, slot, some);
    for (const auto& similarity : some) {
      if (candidates.may_take(similarity) && (!wanted || wanted(slot))) {
        candidates.take(slot, similarity);
      }
      ++slot;
    }
  }
  std::vector<Near> near;
  candidates.each([&](Slot slot) { near.emplace_back(table.distance(asked, slot), slot); });
  const auto end = near.begin() + static_cast<std::ptrdiff_t>(std::min(count, near.size()));
  std::ranges::partial_sort(near, end);
  std::vector<Slot> found;
  std::ranges::transform(near.begin(), end, std::back_inserter(found), &Near::second);
  return found;
}

// As HNSW::search of FAISS, but what is not wanted is only passed through: its own search knows no
// selector in this version. What is too far away by its code is not looked at again.
std::optional<std::vector<EmbeddingIndex::Slot>> EmbeddingIndex::search_graph(
    std::span<const float> query, std::size_t count, const Wanted& wanted) const {
  const faiss::HNSW& graph = *parts_->graph;
  if (graph.entry_point < 0) return std::nullopt;
  const EmbeddingTable& table = parts_->table;
  const auto asked = table.asked(query);
  const std::size_t breadth = std::max(candidates_searching, count);
  const std::size_t looked_at_max = std::max(size() / looked_at_part, 32 * breadth);
  std::vector<bool> seen(size());
  std::priority_queue<Near, std::vector<Near>, std::greater<>> ahead;
  std::priority_queue<Near> best;  // the farthest of them on top
  const auto is_too_far = [&](float distance) {
    return best.size() == breadth && best.top().first < distance;
  };
  const auto look_at = [&](const Near& near) {
    if (is_too_far(near.first)) return;
    ahead.push(near);
    if (wanted && !wanted(near.second)) return;
    best.push(near);
    if (best.size() > breadth) best.pop();
  };
  const Near entry = nearest_above(graph, table, asked);
  seen[entry.second] = true;
  look_at(entry);
  std::vector<Slot> fresh;
  for (std::size_t looked_at = 1; !ahead.empty(); looked_at += fresh.size()) {
    const Near next = ahead.top();
    if (is_too_far(next.first)) break;
    if (looked_at > looked_at_max) return std::nullopt;
    ahead.pop();
    fresh.clear();
    each_neighbour(graph, next.second, 0, [&](Slot slot) {
      if (seen[slot]) return;
      seen[slot] = true;
      table.prefetch(slot);
      fresh.push_back(slot);
    });
    for (const Slot slot : fresh) {
      if (is_too_far(2 - 2 * table.compare(asked, slot).high())) continue;
      look_at({table.distance(asked, slot), slot});
    }
  }
  if (best.size() < count && best.size() < size()) return std::nullopt;
  while (best.size() > count) best.pop();
  std::vector<Slot> found(best.size());
  for (; !best.empty(); best.pop()) found[best.size() - 1] = best.top().second;
  return found;
}

}  // namespace almanac
