// How many entries with embeddings of 384 numbers are durable in a second; how long does the
// nearest ten of them take to find, all compared and by a graph, beside plain FAISS in the same
// run? Embeddings are of a thousand directions and some noise, in 48 dimensions that 384 numbers
// stand for. The graph's answers count as far as they are those of comparing all.
//
//   --quick       2,000 entries, with figures that mean little
//   --graph N     entries of the graph; 1,000,000, which takes an hour of one processor and 8 GB
//   --filtered    also with a filter that one entry in three passes
#include <almanac/bench/bench_line.h>
#include <almanac/bench/require.h>
#include <almanac/bench/stopwatch.h>
#include <almanac/engine/engine.h>
#include <almanac/engine/memory_index.h>

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace almanac;
using namespace almanac::bench;

constexpr std::size_t dimension = 384;
constexpr std::size_t meant_dimension = 48;
constexpr std::size_t directions = 1'000;
constexpr std::size_t nearest = 10;
constexpr int questions = 200;

using Vector = std::vector<float>;

class Draw {
 public:
  Draw() : directions_(directions), base_(meant_dimension) {
    for (Vector& each : base_) each = normal(dimension, 1);
    for (Vector& each : directions_) each = normal(meant_dimension, 1);
  }
  [[nodiscard]] Vector embedding() {
    const Vector noise = normal(meant_dimension, 0.6F);
    const Vector& direction = directions_[random_() % directions];
    Vector drawn(dimension, 0);
    for (std::size_t i = 0; i < meant_dimension; ++i) {
      const float amount = direction[i] + noise[i];
      for (std::size_t j = 0; j < dimension; ++j) drawn[j] += amount * base_[i][j];
    }
    return normalised(std::move(drawn));
  }

 private:
  static Vector normalised(Vector vector) {
    double squares = 0;
    for (const float each : vector) squares += double(each) * each;
    for (float& each : vector) each = static_cast<float>(each / std::sqrt(squares));
    return vector;
  }
  Vector normal(std::size_t size, float width) {
    std::normal_distribution<float> distribution(0, width);
    Vector vector(size);
    std::ranges::generate(vector, [&] { return distribution(random_); });
    return vector;
  }
  std::mt19937 random_{1};
  std::vector<Vector> directions_;
  std::vector<Vector> base_;
};

void report(const std::string& name, double value, const std::string& unit,
            const std::string& peer = {}, double peer_value = 0) {
  print(BenchLine{"memory", name, value, unit, peer, peer_value});
}

void bench_storing(Draw& draw, std::size_t entries) {
  constexpr std::size_t together = 100;
  const auto folder = std::filesystem::temp_directory_path() /
                      ("almanac-bench-memory-" + std::to_string(::getpid()));
  std::filesystem::remove_all(folder);
  std::vector<MemoryTransaction> transactions(entries / together);
  for (auto& transaction : transactions) {
    for (std::size_t i = 0; i < together; ++i) {
      transaction.store.push_back({.kind = "fact",
                                   .content = "what somebody has said, in a sentence or two",
                                   .embedding = draw.embedding(),
                                   .tags = {"said"}});
    }
  }
  {
    auto engine = Engine::open({.folder = folder});
    require(engine.has_value(), "the engine does not open");
    std::atomic<std::size_t> stored = 0;
    std::atomic<std::size_t> answered = 0;
    const Stopwatch watch;
    for (auto& transaction : transactions) {
      (*engine)->change_memories(std::move(transaction), [&](const auto& answer) {
        if (answer) stored += answer->size();
        ++answered;
        answered.notify_one();
      });
    }
    for (auto seen = answered.load(); seen < transactions.size(); seen = answered.load()) {
      answered.wait(seen);
    }
    const double seconds = watch.seconds();
    require(stored == entries, "not all were stored");
    report("storing entries, 100 in an append", double(entries) / seconds, "entries/s");
  }
  auto again = Engine::open({.folder = folder});
  require(again && (*again)->state()->memories.all.size() == entries, "they are not all there");
  again->reset();
  std::filesystem::remove_all(folder);
}

State state_of(Draw& draw, std::size_t entries) {
  constexpr std::array<std::string_view, 1> third = {"third"};
  State state;
  for (std::size_t i = 0; i < entries; ++i) {
    const Vector embedding = draw.embedding();
    const MemoryStored event{
        .id = state.memories.last.next(),
        .kind = "fact",
        .said = {.content = "x", .embedding = std::as_bytes(std::span(embedding))},
        .tags = i % 3 == 0 ? NameListView(third) : NameListView()};
    fold_into(state,
              {state.position.next(), Event{.at = Time(std::chrono::seconds(1)), .body = event}});
  }
  require(state.ignored == 0, "an entry was ignored");
  return state;
}

std::set<std::uint64_t> ids(const Result<std::vector<MemoryHit>>& hits) {
  std::set<std::uint64_t> found;
  for (const MemoryHit& hit : hits.value()) found.insert(hit.id.value);
  return found;
}

std::set<std::uint64_t> nearest_in(const faiss::Index& index, const Vector& query) {
  std::vector<float> distances(nearest);
  std::vector<faiss::Index::idx_t> labels(nearest);
  index.search(1, query.data(), nearest, distances.data(), labels.data());
  std::set<std::uint64_t> found;
  for (const auto label : labels) found.insert(static_cast<std::uint64_t>(label) + 1);
  return found;
}

struct Searched {
  double median_ms = 0;
  std::vector<std::set<std::uint64_t>> found;
};

template <class Search>
Searched search(const std::vector<Vector>& queries, const Search& search_one) {
  Searched searched;
  std::vector<double> times;
  for (const Vector& query : queries) {
    const Stopwatch watch;
    searched.found.push_back(search_one(query));
    times.push_back(watch.seconds() * 1'000);
  }
  searched.median_ms = median(times);
  return searched;
}

double recall(const Searched& of, const Searched& all) {
  std::size_t found = 0;
  std::size_t wanted = 0;
  for (std::size_t i = 0; i < all.found.size(); ++i) {
    wanted += all.found[i].size();
    for (const auto id : of.found[i]) found += all.found[i].count(id);
  }
  return double(found) / double(wanted);
}

void add_all(faiss::Index& index, const State& state) {
  for (const auto& [id, memory] : state.memories.all) index.add(1, embedding_of(*memory).data());
}

Searched search_with(const MemoryIndex& index, const std::vector<Vector>& queries,
                     const std::vector<std::string>& tags = {}) {
  return search(queries, [&](const Vector& query) {
    return ids(index.search({.embedding = query, .kind = "fact", .tags = tags, .limit = nearest}));
  });
}

std::vector<Vector> draw_queries(Draw& draw) {
  std::vector<Vector> queries(questions);
  std::ranges::generate(queries, [&] { return draw.embedding(); });
  return queries;
}

void bench_exact(Draw& draw, std::size_t entries) {
  const State state = state_of(draw, entries);
  const auto queries = draw_queries(draw);
  MemoryIndex index({.exact_max = entries});
  index.follow(state);
  faiss::IndexFlatL2 plain(dimension);
  add_all(plain, state);
  const Searched theirs = search(queries, [&](const Vector& q) { return nearest_in(plain, q); });
  const Searched ours = search_with(index, queries);
  require(recall(ours, theirs) > 0.999, "the nearest are others");
  report("exact search of " + std::to_string(entries), ours.median_ms, "ms", "faiss flat",
         theirs.median_ms);
}

void bench_graph(Draw& draw, std::size_t entries, bool filtered) {
  const State state = state_of(draw, entries);
  const auto queries = draw_queries(draw);
  MemoryIndex exact({.exact_max = entries});
  exact.follow(state);
  const Searched all = search_with(exact, queries);
  MemoryIndex index({.exact_max = entries / 2});
  const Stopwatch watch;
  index.follow(state);
  index.wait_until_built();
  report("building a graph of " + std::to_string(entries), watch.seconds(), "s");
  faiss::IndexHNSWFlat plain(dimension, 32);
  plain.hnsw.efConstruction = 80;
  plain.hnsw.efSearch = 128;
  std::vector<float> together;
  for (const auto& [id, memory] : state.memories.all) {
    const auto embedding = embedding_of(*memory);
    together.insert(together.end(), embedding.begin(), embedding.end());
  }
  plain.add(static_cast<faiss::Index::idx_t>(entries), together.data());
  const Searched theirs = search(queries, [&](const Vector& q) { return nearest_in(plain, q); });
  const Searched ours = search_with(index, queries);
  report("search by graph of " + std::to_string(entries), ours.median_ms, "ms", "faiss hnsw",
         theirs.median_ms);
  report("recall by graph of " + std::to_string(entries), recall(ours, all), "of 1", "faiss hnsw",
         recall(theirs, all));
  if (!filtered) return;
  const Searched third = search_with(index, queries, {"third"});
  report("search of a third by graph", third.median_ms, "ms");
  report("recall of a third by graph", recall(third, search_with(exact, queries, {"third"})),
         "of 1");
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t exact = 100'000;
  std::size_t graph = 1'000'000;
  std::size_t stored = 40'000;
  bool filtered = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--quick") exact = graph = stored = 2'000;
    if (option == "--graph" && i + 1 < argc) graph = std::strtoull(argv[++i], nullptr, 10);
    if (option == "--filtered") filtered = true;
  }
  omp_set_num_threads(1);  // of plain FAISS, as the index has one
  Draw draw;
  bench_storing(draw, stored);
  bench_exact(draw, exact);
  if (graph > 0) bench_graph(draw, graph, filtered);
}
