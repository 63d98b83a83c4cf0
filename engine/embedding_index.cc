#include <almanac/engine/embedding_index.h>

#include <almanac/engine/embedding_codes.h>

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

using Near = std::pair<double, EmbeddingIndex::Slot>;  // how far, and which

// Several sums, as each waits for the one before.
double squared_distance(std::span<const float> one, const float* other) {
  constexpr std::size_t lanes = 4;
  std::array<double, lanes> sums{};
  std::size_t i = 0;
  for (; i + lanes <= one.size(); i += lanes) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const double away = double(one[i + lane]) - other[i + lane];
      sums[lane] += away * away;
    }
  }
  for (; i < one.size(); ++i) sums[0] += (double(one[i]) - other[i]) * (double(one[i]) - other[i]);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// What may be among so many of the nearest, by what its code says.
class Candidates {
 public:
  using Similarity = EmbeddingCodes::Similarity;
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

// For the graph, which wants what is smaller to be nearer.
class CodeDistance final : public faiss::DistanceComputer {
 public:
  CodeDistance(const EmbeddingCodes& codes, EmbeddingCodes::Asked asked)
      : codes_(codes), asked_(std::move(asked)) {}
  void set_query(const float*) override {}
  float operator()(idx_t slot) override { return 1 - similarity(slot).cosine; }
  float symmetric_dis(idx_t one, idx_t other) override {
    return 1 - codes_.cosine(static_cast<EmbeddingIndex::Slot>(one),
                             static_cast<EmbeddingIndex::Slot>(other));
  }
  [[nodiscard]] EmbeddingCodes::Similarity similarity(idx_t slot) const {
    return codes_.compare(asked_, static_cast<EmbeddingIndex::Slot>(slot));
  }

 private:
  const EmbeddingCodes& codes_;
  const EmbeddingCodes::Asked asked_;
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
  explicit Parts(std::uint32_t dimension) : codes(dimension) {}
  ~Parts() {
    for (omp_lock_t& lock : locks) omp_destroy_lock(&lock);
  }

  // In order, by the embeddings themselves.
  [[nodiscard]] std::vector<Slot> nearest(std::span<const float> query,
                                          const Candidates& candidates, std::size_t count) const {
    std::vector<Near> near;
    candidates.each([&](Slot slot) {
      near.emplace_back(squared_distance(query, &all[slot * query.size()]), slot);
    });
    const auto end = near.begin() + static_cast<std::ptrdiff_t>(std::min(count, near.size()));
    std::ranges::partial_sort(near, end);
    std::vector<Slot> found;
    std::ranges::transform(near.begin(), end, std::back_inserter(found), &Near::second);
    return found;
  }

  std::vector<float> all;  // of length 1, one behind the other
  EmbeddingCodes codes;
  std::optional<faiss::HNSW> graph;
  // What FAISS wants for adding: nobody else adds, so that they are always free.
  std::vector<omp_lock_t> locks;
  faiss::VisitedTable visited{0};
};

EmbeddingIndex::EmbeddingIndex(std::uint32_t dimension)
    : dimension_(dimension), parts_(std::make_unique<Parts>(dimension)) {}

EmbeddingIndex::~EmbeddingIndex() = default;

std::size_t EmbeddingIndex::size() const { return parts_->codes.size(); }

bool EmbeddingIndex::has_graph() const { return parts_->graph.has_value(); }

EmbeddingIndex::Slot EmbeddingIndex::add(std::span<const float> embedding) {
  const auto slot = static_cast<Slot>(size());
  const auto direction = normalised(embedding);
  parts_->all.insert(parts_->all.end(), direction.begin(), direction.end());
  parts_->codes.add(direction);
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
  CodeDistance distance(parts_->codes, parts_->codes.asked(slot));
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
  const auto asked = parts_->codes.asked(query);
  Candidates candidates(count);
  std::array<EmbeddingCodes::Similarity, compared_at_once> similar{};
  for (std::size_t first = 0; first < size(); first += similar.size()) {
    const auto some = std::span(similar).first(std::min(similar.size(), size() - first));
    auto slot = static_cast<Slot>(first);
    parts_->codes.compare(asked, slot, some);
    for (const auto& similarity : some) {
      if (candidates.may_take(similarity) && (!wanted || wanted(slot))) {
        candidates.take(slot, similarity);
      }
      ++slot;
    }
  }
  return parts_->nearest(query, candidates, count);
}

// As HNSW::search of FAISS, but what is not wanted is only passed through: its own search knows no
// selector in this version.
std::optional<std::vector<EmbeddingIndex::Slot>> EmbeddingIndex::search_graph(
    std::span<const float> query, std::size_t count, const Wanted& wanted) const {
  const faiss::HNSW& graph = *parts_->graph;
  if (graph.entry_point < 0) return std::nullopt;
  CodeDistance distance(parts_->codes, parts_->codes.asked(query));
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
  look_at(nearest_above(graph, distance));
  std::vector<Slot> fresh;
  while (!ahead.empty()) {
    const Near next = ahead.top();
    if (best.size() == breadth && best.top() < next) break;
    if (looked_at > looked_at_max) return std::nullopt;
    ahead.pop();
    fresh.clear();
    each_neighbour(graph, next.second, 0, [&](Slot slot) {
      if (seen[slot]) return;
      parts_->codes.prefetch(slot);
      fresh.push_back(slot);
    });
    for (const Slot slot : fresh) look_at({distance(slot), slot});
  }
  if (best.size() < count && best.size() < size()) return std::nullopt;
  Candidates candidates(count);
  for (; !best.empty(); best.pop()) {
    candidates.take(best.top().second, distance.similarity(best.top().second));
  }
  return parts_->nearest(query, candidates, count);
}

}  // namespace almanac
