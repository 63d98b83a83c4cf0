#include <almanac/bench/projections/cases.h>

#include <almanac/bench/bench_line.h>
#include <almanac/bench/projections/mix.h>
#include <almanac/bench/projections/ours.h>
#include <almanac/bench/stopwatch.h>
#include <almanac/projections/persistent/node_pool.h>
#include <almanac/projections/state_diff.h>

#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>

namespace almanac::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t append_events = 1'000;

std::unique_ptr<Log> open_log(const fs::path& folder) {
  auto log = Log::open(folder, {.index = false});
  require(log.has_value(), log ? "" : describe(log.error()));
  return std::move(*log);
}

void append(Log& log, const EventBatch& batch) {
  auto done = log.append_and_wait(batch.events, {.durability = Durability::grouped});
  require(done.has_value(), done ? "" : describe(done.error()));
}

void write_log(const Sizes& sizes, const fs::path& folder) {
  auto log = open_log(folder);
  Mix mix;
  for (std::uint64_t i = 0; i < sizes.tasks; i += append_events) {
    append(*log, *enqueue_batch(mix, append_events));
  }
  for (std::uint64_t i = 0; i < sizes.events; i += append_events) {
    append(*log, *mixed_batch(mix, append_events));
  }
}

// One round of one system; what it ends with must be what the others end with.
void run_round(Folded& folded, const Log& log, const Sizes& sizes,
               std::optional<Fingerprint>& expected) {
  const Position last_enqueue(sizes.tasks);
  const Position last(sizes.tasks + sizes.events);
  auto subject = folded.system.make();
  const Stopwatch enqueuing;
  subject->fold(log, {Position(1), last_enqueue});
  const double enqueued = enqueuing.seconds();
  const Stopwatch mixing;
  subject->fold(log, {last_enqueue.next(), last});
  const double mixed = mixing.seconds();
  const Fingerprint print = subject->fingerprint();
  if (!expected) expected = print;
  require(print == *expected, folded.system.name + " has come to another state than the others");
  folded.enqueues_per_second.push_back(static_cast<double>(sizes.tasks) / enqueued);
  folded.events_per_second.push_back(static_cast<double>(sizes.events) / mixed);
}

double decode(const Log& log, const Sizes& sizes) {
  std::uint64_t sum = 0;
  const Stopwatch watch;
  read_range(log, {Position(sizes.tasks + 1), Position(sizes.tasks + sizes.events)},
             [&](const RecordedEvent& event) { sum += event.position.value; });
  const double rate = static_cast<double>(sizes.events) / watch.seconds();
  const std::uint64_t all = sizes.tasks + sizes.events;
  require(sum == all * (all + 1) / 2 - sizes.tasks * (sizes.tasks + 1) / 2,
          "the log does not hold what was appended");
  return rate;
}

// What malloc has handed out in small blocks, and what the pool of nodes holds. Chunks of the pool
// lie in blocks of malloc that the system maps one by one.
double allocated_bytes() {
  return static_cast<double>(::mallinfo2().uordblks) + static_cast<double>(node_pool::held_bytes());
}

double bytes_per_task(const System& system, std::uint64_t tasks) {
  std::vector<std::shared_ptr<const EventBatch>> batches;
  Mix mix;
  auto subject = system.make();
  double bytes = 0;
  for (std::uint64_t i = 0; i < tasks;) {
    const auto batch = enqueue_batch(mix, append_events);
    const double before = allocated_bytes();
    for (const Event& event : batch->events) subject->fold(RecordedEvent{Position(++i), event});
    bytes += allocated_bytes() - before;
  }
  return bytes / static_cast<double>(tasks);
}

State state_with(Mix& mix, std::uint64_t tasks) {
  State state;
  for (std::uint64_t i = 0; i < tasks; ++i) fold_into(state, mix.enqueue());
  return state;
}

std::uint64_t count_changes(const State& before, const State& after) {
  std::uint64_t changes = 0;
  diff(before, after, [&](const auto&...) { ++changes; });
  return changes;
}

double milliseconds_of_diff(const State& before, const State& after, std::uint64_t least) {
  std::vector<double> all;
  for (int i = 0; i < 9; ++i) {
    const Stopwatch watch;
    const std::uint64_t changes = count_changes(before, after);
    all.push_back(watch.seconds() * 1e3);
    require(changes >= least, "a diff has missed a change");
  }
  return median(all);
}

// Leases ready tasks that lie as far apart as there are tasks.
State lease_all_over(State state, std::uint64_t tasks, std::uint64_t changes) {
  for (std::uint64_t i = 0; i < changes; ++i) {
    const TaskId id(i * (tasks / changes) + 1 + i % 7);
    fold_into(state, {state.position.next(),
                      {.at = state.time, .body = TaskStarted{.id = id, .attempt = 1}}});
  }
  require(state.ignored == 0, "a task could not be leased");
  return state;
}

void measure_copies(ValueCosts& costs, const State& state) {
  constexpr std::size_t copies = 1'000;
  std::vector<double> copying;
  std::vector<double> dropping;
  std::vector<State> kept;
  kept.reserve(copies);
  for (int round = 0; round < 9; ++round) {
    const Stopwatch copy;
    for (std::size_t i = 0; i < copies; ++i) kept.push_back(state);
    copying.push_back(copy.seconds() * 1e9 / copies);
    const Stopwatch drop;
    kept.clear();
    dropping.push_back(drop.seconds() * 1e9 / copies);
  }
  costs.copy_ns = median(copying);
  costs.drop_ns = median(dropping);
}

double mix_ns(State& state, Mix& mix, std::uint64_t events, std::uint64_t publish) {
  std::shared_ptr<const State> published;
  double seconds = 0;
  for (std::uint64_t done = 0; done < events; done += append_events) {
    const auto batch = mixed_batch(mix, append_events);
    const Stopwatch watch;
    for (const Event& event : batch->events) {
      fold_into(state, {state.position.next(), event});
      if (publish > 0 && state.position.value % publish == 0) {
        published = std::make_shared<const State>(state);
      }
    }
    seconds += watch.seconds();
  }
  require(state.ignored == 0, "the mix is not legal");
  return seconds * 1e9 / static_cast<double>(events);
}

}  // namespace

Folds compare_folds(const Sizes& sizes, const fs::path& folder) {
  write_log(sizes, folder);
  const auto log = open_log(folder);
  Folds folds{.decoded_per_second = 0,
              .ours = {.system = ours(), .enqueues_per_second = {}, .events_per_second = {}},
              .publishing = {.system = ours(publish_every),
                             .enqueues_per_second = {},
                             .events_per_second = {}},
              .peers = {}};
  for (System& peer : peers()) {
    folds.peers.push_back(
        {.system = std::move(peer), .enqueues_per_second = {}, .events_per_second = {}});
  }
  std::vector<Folded*> all = {&folds.ours, &folds.publishing};
  for (Folded& peer : folds.peers) all.push_back(&peer);
  (void)decode(*log, sizes);  // holds every frame against its checksum
  std::optional<Fingerprint> expected;
  std::vector<double> decoded;
  for (std::size_t i = 0; i < static_cast<std::size_t>(sizes.rounds); ++i) {
    decoded.push_back(decode(*log, sizes));
    for (std::size_t j = 0; j < all.size(); ++j) {
      run_round(*all[(i + j) % all.size()], *log, sizes, expected);
    }
  }
  folds.decoded_per_second = median(decoded);
  return folds;
}

std::vector<Bytes> compare_memory(const Sizes& sizes) {
  std::vector<System> systems = peers();
  systems.insert(systems.begin(), ours());
  std::vector<Bytes> all;
  for (const System& system : systems) {
    all.push_back({.system = system.name, .per_task = bytes_per_task(system, sizes.tasks)});
  }
  return all;
}

ValueCosts measure_value(const Sizes& sizes) {
  Mix mix;
  const State state = state_with(mix, sizes.tasks);
  ValueCosts costs{.changes = std::min<std::uint64_t>(1'000, sizes.tasks / 10)};
  measure_copies(costs, state);
  const Stopwatch digesting;
  require(digest(state) != Digest{}, "a digest is nothing");
  costs.digest_ms = digesting.seconds() * 1e3;
  const State spread = lease_all_over(state, sizes.tasks, costs.changes);
  costs.diff_ms = milliseconds_of_diff(state, spread, costs.changes);
  State close = state;
  for (std::uint64_t i = 0; i < costs.changes; ++i) fold_into(close, mix.next());
  costs.diff_close_ms = milliseconds_of_diff(state, close, costs.changes / 2);
  return costs;
}

std::vector<Scaled> measure_scaling(const Sizes& sizes) {
  std::vector<Scaled> all;
  for (const std::uint64_t tasks : sizes.scale) {
    Mix mix;
    State state = state_with(mix, tasks);
    const std::uint64_t events = std::min<std::uint64_t>(sizes.events, 300'000);
    (void)mix_ns(state, mix, std::min<std::uint64_t>(events, 30'000), 0);  // warms up
    const double mixed = mix_ns(state, mix, events, 0);
    all.push_back({.tasks = tasks,
                   .mix_ns = mixed,
                   .publishing_ns = mix_ns(state, mix, events, publish_every)});
  }
  return all;
}

}  // namespace almanac::bench
