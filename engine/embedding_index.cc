#include <almanac/engine/embedding_index.h>

#include <faiss/IndexFlat.h>
#include <faiss/impl/AuxIndexStructures.h>
#include <faiss/impl/DistanceComputer.h>
#include <faiss/impl/HNSW.h>
#include <faiss/impl/IDSelector.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
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

class Selector final : public faiss::IDSelector {
 public:
  explicit Selector(const EmbeddingIndex::Wanted& wanted) : wanted_(wanted) {}
  [[nodiscard]] bool is_member(idx_t id) const override {
    return wanted_(static_cast<EmbeddingIndex::Slot>(id));
  }

 private:
  const EmbeddingIndex::Wanted& wanted_;
};

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
Near nearest_above(const faiss::HNSW& graph, faiss::DistanceComputer& distance) {
  const auto first = static_cast<EmbeddingIndex::Slot>(graph.entry_point);
  Near nearest{distance(first), first};
  for (int level = graph.max_level; level > 0; --level) {
    for (Near from = {0, ~first}; from != nearest;) {
      from = nearest;
      each_neighbour(graph, from.second, level, [&](EmbeddingIndex::Slot slot) {
        nearest = std::min(nearest, Near{distance(slot), slot});
      });
    }
  }
  return nearest;
}

}  // namespace

struct EmbeddingIndex::Parts {
  explicit Parts(std::uint32_t dimension) : all(dimension) {}
  ~Parts() {
    for (omp_lock_t& lock : locks) omp_destroy_lock(&lock);
  }
  [[nodiscard]] std::unique_ptr<faiss::DistanceComputer> distance() const {
    return std::unique_ptr<faiss::DistanceComputer>(all.get_distance_computer());
  }

  faiss::IndexFlatL2 all;
  std::optional<faiss::HNSW> graph;
  // What FAISS wants for adding: nobody else adds, so that they are always free.
  std::vector<omp_lock_t> locks;
  faiss::VisitedTable visited{0};
};

EmbeddingIndex::EmbeddingIndex(std::uint32_t dimension)
    : dimension_(dimension), parts_(std::make_unique<Parts>(dimension)) {}

EmbeddingIndex::~EmbeddingIndex() = default;

std::size_t EmbeddingIndex::size() const { return static_cast<std::size_t>(parts_->all.ntotal); }

bool EmbeddingIndex::has_graph() const { return parts_->graph.has_value(); }

EmbeddingIndex::Slot EmbeddingIndex::add(std::span<const float> embedding) {
  const auto slot = static_cast<Slot>(size());
  parts_->all.add(1, normalised(embedding).data());
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
  const auto distance = parts_->distance();
  distance->set_query(parts_->all.get_xb() + std::size_t{slot} * dimension_);
  graph.add_with_locks(*distance, graph.levels[slot] - 1, static_cast<int>(slot), parts_->locks,
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

std::vector<EmbeddingIndex::Slot> EmbeddingIndex::search_all(std::span<const float> query,
                                                             std::size_t count,
                                                             const Wanted& wanted) const {
  count = std::min(count, size());
  if (count == 0) return {};
  std::vector<float> distances(count);
  std::vector<faiss::Index::idx_t> labels(count);
  Selector selector(wanted);
  faiss::SearchParameters parameters;
  parameters.sel = &selector;
  parts_->all.search(1, query.data(), static_cast<faiss::Index::idx_t>(count), distances.data(),
                     labels.data(), wanted ? &parameters : nullptr);
  std::vector<Slot> found;
  // Asked for a single one FAISS does not look at the selector.
  for (const auto label : labels) {
    const auto slot = static_cast<Slot>(label);
    if (label >= 0 && (!wanted || wanted(slot))) found.push_back(slot);
  }
  return found;
}

// As HNSW::search of FAISS, but what is not wanted is only passed through: its own search knows no
// selector in this version.
std::optional<std::vector<EmbeddingIndex::Slot>> EmbeddingIndex::search_graph(
    std::span<const float> query, std::size_t count, const Wanted& wanted) const {
  const faiss::HNSW& graph = *parts_->graph;
  if (graph.entry_point < 0) return std::nullopt;
  const auto distance = parts_->distance();
  distance->set_query(query.data());
  const std::size_t breadth = std::max(candidates_searching, count);
  const std::size_t looked_at_max = std::max(size() / looked_at_part, 32 * breadth);
  std::vector<bool> seen(size());
  std::priority_queue<Near, std::vector<Near>, std::greater<>> ahead;
  std::priority_queue<Near> best;  // the farthest of them on top
  std::size_t looked_at = 0;
  const auto look_at = [&](const Near& near) {
    seen[near.second] = true;
    ++looked_at;
    if (best.size() == breadth && best.top() < near) return;
    ahead.push(near);
    if (wanted && !wanted(near.second)) return;
    best.push(near);
    if (best.size() > breadth) best.pop();
  };
  look_at(nearest_above(graph, *distance));
  while (!ahead.empty()) {
    const Near next = ahead.top();
    if (best.size() == breadth && best.top() < next) break;
    if (looked_at > looked_at_max) return std::nullopt;
    ahead.pop();
    each_neighbour(graph, next.second, 0, [&](Slot slot) {
      if (!seen[slot]) look_at({(*distance)(slot), slot});
    });
  }
  if (best.size() < count && best.size() < size()) return std::nullopt;
  while (best.size() > count) best.pop();
  std::vector<Slot> found(best.size());
  for (; !best.empty(); best.pop()) found[best.size() - 1] = best.top().second;
  return found;
}

}  // namespace almanac
