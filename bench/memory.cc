// How many entries with embeddings of 384 numbers are durable in a second; how long does the
// nearest ten of them take to find, all compared and by a graph, beside plain FAISS in the same
// run? Embeddings are of a thousand directions and some noise, in 48 dimensions that 384 numbers
// stand for. The graph's answers count as far as they are those of comparing all.
//
// Entries are stored as programs do it that store in bulk: by four callers, each with eight appends
// of a hundred entries on their way, or with 64 of one; long enough that the log is brought to its
// store and states are written beside it. What a processor has to do for one is said with it.
//
//   --quick       2,000 entries, with figures that mean little
//   --stored N    entries that are stored; 200,000
//   --exact N     entries that are all compared; 100,000; 0 = none
//   --graph N     entries of the graph; 1,000,000, which takes FAISS an hour of one processor (all
//                 there are build its graph) and 8 GB; 0 = none
//   --alone       without FAISS's graph
//   --filtered    also with a filter that one entry in three passes
#include <almanac/bench/bench_line.h>
#include <almanac/bench/require.h>
#include <almanac/bench/stopwatch.h>
#include <almanac/engine/engine.h>
#include <almanac/engine/memory_index.h>

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <omp.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
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

// What is on its way of a caller.
class Window {
 public:
  explicit Window(std::size_t places) : places_(places) {}
  void enter() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return inside_ < places_; });
    ++inside_;
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    --inside_;
    changed_.notify_one();
  }
  void wait_until_empty() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return inside_ == 0; });
  }

 private:
  const std::size_t places_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t inside_ = 0;
};

struct Load {
  std::size_t entries = 0;
  std::size_t together = 0;      // in an append
  std::size_t on_their_way = 0;  // appends of a caller
};

constexpr std::size_t callers = 4;

// One caller's part; answers how many were stored.
std::size_t store_part(Engine& engine, const std::vector<Vector>& embeddings, const Load& load) {
  Window window(load.on_their_way);
  std::atomic<std::size_t> stored = 0;
  for (std::size_t entry = 0; entry < load.entries; entry += load.together) {
    MemoryTransaction transaction;
    transaction.store.reserve(load.together);
    for (std::size_t i = entry; i < entry + load.together; ++i) {
      transaction.store.push_back({.kind = "fact",
                                   .content = "what somebody has said, in a sentence or two",
                                   .embedding = embeddings[i % embeddings.size()],
                                   .tags = {"said"}});
    }
    window.enter();
    engine.change_memories(std::move(transaction), [&](const auto& answer) {
      if (answer) stored += answer->size();
      window.leave();
    });
  }
  window.wait_until_empty();
  return stored;
}

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return double(time.tv_sec) + double(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void bench_storing(const std::vector<Vector>& embeddings, const Load& load) {
  const auto folder = std::filesystem::temp_directory_path() /
                      ("almanac-bench-memory-" + std::to_string(::getpid()));
  std::filesystem::remove_all(folder);
  Load part = load;
  part.entries = load.entries / callers / load.together * load.together;
  {
    auto engine = Engine::open({.folder = folder});
    require(engine.has_value(), "the engine does not open");
    std::atomic<std::size_t> stored = 0;
    const double busy = processor_seconds();
    const Stopwatch watch;
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < callers; ++i) {
        threads.emplace_back([&] { stored += store_part(**engine, embeddings, part); });
      }
    }
    const double seconds = watch.seconds();
    require(stored == callers * part.entries, "not all were stored");
    const std::string what = "storing entries, " + std::to_string(load.together) + " in an append";
    report(what, double(stored) / seconds, "entries/s");
    report(what + ", processor time", (processor_seconds() - busy) / double(stored) * 1e6, "us");
  }
  auto again = Engine::open({.folder = folder});
  require(again && (*again)->state()->memories.all.size() == callers * part.entries,
          "they are not all there");
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

// All processors build it, one searches it.
std::unique_ptr<faiss::Index> build_plain(const State& state) {
  auto plain = std::make_unique<faiss::IndexHNSWFlat>(dimension, 32);
  plain->hnsw.efConstruction = 80;
  plain->hnsw.efSearch = 128;
  std::vector<float> together;
  together.reserve(state.memories.all.size() * dimension);
  for (const auto& [id, memory] : state.memories.all) {
    const auto embedding = embedding_of(*memory);
    together.insert(together.end(), embedding.begin(), embedding.end());
  }
  omp_set_num_threads(omp_get_num_procs());
  plain->add(static_cast<faiss::Index::idx_t>(state.memories.all.size()), together.data());
  omp_set_num_threads(1);
  return plain;
}

struct GraphBench {
  std::size_t entries = 0;
  bool is_alone = false;  // without FAISS's
  bool is_filtered = false;
};

void bench_graph(Draw& draw, const GraphBench& asked) {
  const State state = state_of(draw, asked.entries);
  const auto queries = draw_queries(draw);
  const std::string size = std::to_string(asked.entries);
  MemoryIndex exact({.exact_max = asked.entries});
  exact.follow(state);
  const Searched all = search_with(exact, queries);
  MemoryIndex index({.exact_max = asked.entries / 2});
  const Stopwatch watch;
  index.follow(state);
  index.wait_until_built();
  report("building a graph of " + size, watch.seconds(), "s");
  const Searched ours = search_with(index, queries);
  if (asked.is_alone) {
    report("search by graph of " + size, ours.median_ms, "ms");
    report("recall by graph of " + size, recall(ours, all), "of 1");
  } else {
    const auto plain = build_plain(state);
    const Searched theirs =
        search(queries, [&](const Vector& query) { return nearest_in(*plain, query); });
    report("search by graph of " + size, ours.median_ms, "ms", "faiss hnsw", theirs.median_ms);
    report("recall by graph of " + size, recall(ours, all), "of 1", "faiss hnsw",
           recall(theirs, all));
  }
  if (!asked.is_filtered) return;
  const Searched third = search_with(index, queries, {"third"});
  report("search of a third by graph", third.median_ms, "ms");
  report("recall of a third by graph", recall(third, search_with(exact, queries, {"third"})),
         "of 1");
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t stored = 200'000;
  std::size_t exact = 100'000;
  GraphBench graph{.entries = 1'000'000};
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    const auto number = [&] { return i + 1 < argc ? std::strtoull(argv[++i], nullptr, 10) : 0; };
    if (option == "--quick") {
      exact = graph.entries = stored = 2'000;
    } else if (option == "--stored") {
      stored = number();
    } else if (option == "--exact") {
      exact = number();
    } else if (option == "--graph") {
      graph.entries = number();
    } else if (option == "--alone") {
      graph.is_alone = true;
    } else if (option == "--filtered") {
      graph.is_filtered = true;
    } else {
      std::fputs("options: --quick, --stored N, --exact N, --graph N, --alone, --filtered\n",
                 stderr);
      return 2;
    }
  }
  omp_set_num_threads(1);  // of plain FAISS, as the index has one
  Draw draw;
  if (stored > 0) {
    std::vector<Vector> embeddings(std::min<std::size_t>(stored, 10'000));
    std::ranges::generate(embeddings, [&] { return draw.embedding(); });
    bench_storing(embeddings, {.entries = stored, .together = 100, .on_their_way = 8});
    bench_storing(embeddings, {.entries = stored, .together = 1, .on_their_way = 64});
  }
  if (exact > 0) bench_exact(draw, exact);
  if (graph.entries > 0) bench_graph(draw, graph);
}
