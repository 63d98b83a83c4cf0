#include <almanac/bench/require.h>
#include <almanac/bench/scheduler/cases.h>
#include <almanac/bench/stopwatch.h>
#include <almanac/engine/dispatch.h>
#include <almanac/engine/engine.h>
#include <almanac/log/this_thread.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <latch>
#include <string>
#include <vector>

namespace almanac::bench {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

std::unique_ptr<Engine> open(EngineOptions options) {
  options.checkpoints.write = false;
  auto engine = Engine::open(std::move(options));
  require(engine.has_value(), engine ? "" : describe(engine.error()));
  return std::move(*engine);
}

Outcome nothing(const Attempt&) { return Outcome::success(); }

Percentiles percentiles(std::vector<Microseconds> all) {
  std::ranges::sort(all);
  return {.p50 = all[all.size() / 2], .p99 = all[all.size() * 99 / 100]};
}

TaskSpec task(std::string kind) { return {.kind = std::move(kind)}; }

// Submits a task for each that has ended, until the time is up.
class ClosedLoop {
 public:
  explicit ClosedLoop(const Sizes& sizes) : sizes_(sizes) {}

  void see(std::span<const RecordedEvent> events) {
    for (const RecordedEvent& recorded : events) {
      if (!std::holds_alternative<TaskSucceeded>(recorded.event.body)) continue;
      ++ended_;
      if (closing_) continue;
      ++submitted_;
      submit();
    }
    if (closing_ && ended_ == submitted_) all_ended_.count_down();
  }
  double run(Engine& engine) {
    engine_ = &engine;
    const Stopwatch watch;
    submitted_ = sizes_.in_flight;
    for (std::uint32_t i = 0; i < sizes_.in_flight; ++i) submit();
    const auto time = std::chrono::milliseconds(static_cast<std::int64_t>(1e3 * sizes_.seconds));
    this_thread::wait_for({}, time);
    closing_ = true;
    all_ended_.wait();
    const double seconds = watch.seconds();
    const auto state = engine.state();
    require(state->tasks.all.size() == ended_, "tasks are missing");
    require(state->tasks.count(TaskState::succeeded) == ended_, "not all have succeeded");
    return static_cast<double>(ended_) / seconds;
  }

 private:
  void submit() {
    engine_->submit({task("nothing")}, [](const Result<std::vector<Submitted>>& submitted) {
      require(submitted.has_value(), "refused");
    });
  }

  const Sizes& sizes_;
  Engine* engine_ = nullptr;
  std::uint64_t submitted_ = 0;  // of the engine's thread, once the first are on their way
  std::uint64_t ended_ = 0;
  std::latch all_ended_{1};
  std::atomic<bool> closing_ = false;
};

}  // namespace

double measure_throughput(const fs::path& folder, const Sizes& sizes) {
  ClosedLoop loop(sizes);
  auto engine = open({.folder = folder,
                      .slots = sizes.in_flight,
                      .on_events = [&](const State&, std::span<const RecordedEvent> events) {
                        loop.see(events);
                      }});
  engine->handle("nothing", nothing);
  return loop.run(*engine);
}

double measure_bulk(const fs::path& folder, const Sizes& sizes) {
  auto engine = open({.folder = folder, .slots = 1});
  std::vector<TaskSpec> tasks(sizes.bulk, task("nobody"));
  const Stopwatch watch;
  const auto submitted = engine->submit(std::move(tasks));
  const double seconds = watch.seconds();
  require(submitted && submitted->size() == sizes.bulk, "refused");
  require(engine->state()->tasks.all.size() == sizes.bulk, "tasks are missing");
  return static_cast<double>(sizes.bulk) / seconds;
}

Percentiles measure_idle(const fs::path& folder, const Sizes& sizes) {
  auto engine = open({.folder = folder, .slots = 1});
  std::atomic<Clock::time_point> started;
  engine->handle("nothing", [&](const Attempt&) {
    started = Clock::now();
    return Outcome::success();
  });
  std::vector<Microseconds> all;
  for (std::size_t i = 0; i < sizes.idle; ++i) {
    const auto asked = Clock::now();
    require(engine->submit(task("nothing")).has_value(), "refused");
    require(engine->wait([](const State& state) { return state.tasks.live() == 0; }), "no end");
    all.push_back(started.load() - asked);
  }
  return percentiles(std::move(all));
}

Percentiles measure_bare_sync(const fs::path& folder, const Sizes& sizes) {
  fs::create_directories(folder);
  const int file = ::open((folder / "raw").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  require(file >= 0, "no file");
  constexpr std::size_t record = 200;
  const std::vector<char> zeros(record * sizes.idle);
  require(::write(file, zeros.data(), zeros.size()) == static_cast<ssize_t>(zeros.size()), "write");
  require(::fsync(file) == 0, "fsync");
  const std::string bytes(record, 'x');
  std::vector<Microseconds> all;
  for (std::size_t i = 0; i < sizes.idle; ++i) {
    const Stopwatch watch;
    require(::pwrite(file, bytes.data(), record, static_cast<off_t>(i * record)) == record,
            "pwrite");
    require(::fdatasync(file) == 0, "fdatasync");
    all.push_back(watch.elapsed());
  }
  ::close(file);
  return percentiles(std::move(all));
}

Microseconds measure_choice(const Sizes& sizes) {
  static constexpr std::array<std::string_view, 16> queues = {
      "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"};
  constexpr int priorities = 3;
  const Time now(1h);
  State state;
  auto happen = [&](EventBody body) {
    fold_into(state, {state.position.next(), {.at = now, .body = std::move(body)}});
  };
  happen(EngineStarted{.slots = 1});
  for (std::size_t i = 0; i < sizes.ready; ++i) {
    happen(TaskEnqueued{.id = TaskId(i + 1),
                        .kind = "nothing",
                        .queue = queues[i % queues.size()],
                        .priority = static_cast<std::int32_t>(i % priorities)});
  }
  // Fewer than there are of the highest priority.
  const std::size_t choices = std::min<std::size_t>(20'000, sizes.ready / (priorities + 1));
  const auto runs_all = [](std::string_view) { return true; };
  std::chrono::nanoseconds spent{0};
  for (std::size_t i = 0; i < choices; ++i) {
    const Stopwatch watch;
    Arena memory;
    const auto starts = decide_starts(state, {now, memory}, runs_all).events;
    spent += watch.elapsed();
    require(starts.size() == 1, "not one was chosen");
    const auto started = std::get<TaskStarted>(starts.front().body);
    require(state.tasks.all.find(started.id)->priority == priorities - 1, "not the first");
    happen(started);
    happen(TaskSucceeded{started.id, Lease(state.position.value), {}});
  }
  return Microseconds(spent) / static_cast<double>(choices);
}

Microseconds measure_restart(const fs::path& folder, const Sizes& sizes) {
  {
    auto log = Log::open(folder);
    require(log.has_value(), "no log");
    auto append = [&](std::vector<Event> events) {
      require((*log)->append_and_wait(events).has_value(), "append");
    };
    append({{.at = system_time(),
             .body = EngineStarted{.version = "killed", .slots = limits::slots_max, .seed = 1}}});
    std::vector<Event> enqueued;
    std::vector<Event> started;
    for (std::size_t i = 1; i <= sizes.running; ++i) {
      enqueued.push_back({.at = system_time(),
                          .body = TaskEnqueued{.id = TaskId(i), .kind = "old", .queue = "old"}});
      started.push_back({.at = enqueued.back().at, .body = TaskStarted{TaskId(i), 1, {}}});
    }
    append(enqueued);
    for (Event& event : started) event.at = enqueued.back().at;
    append(started);
  }
  std::latch ran(1);
  const Stopwatch watch;
  auto engine = open({.folder = folder, .slots = 1});
  engine->handle("new", [&](const Attempt&) {
    ran.count_down();
    return Outcome::success();
  });
  auto urgent = task("new");
  urgent.priority = 1;
  require(engine->submit(urgent).has_value(), "refused");
  ran.wait();
  const Microseconds took = watch.elapsed();
  require(engine->state()->tasks.count(TaskState::ready) == sizes.running,
          "not all were given back");
  return took;
}

Percentiles measure_dead_worker(const fs::path& folder, const Sizes& sizes) {
  std::atomic<Clock::time_point> ready;
  auto engine = open({.folder = folder / "log",
                      .slots = 1,
                      .on_events = [&](const State&, std::span<const RecordedEvent> events) {
                        for (const RecordedEvent& one : events) {
                          if (std::holds_alternative<TaskHandedBack>(one.event.body)) {
                            ready = Clock::now();
                          }
                        }
                      }});
  std::vector<Microseconds> all;
  for (std::size_t i = 0; i < sizes.kills; ++i) {
    const auto pipe = folder / ("pipe" + std::to_string(i));
    require(::mkfifo(pipe.c_str(), 0600) == 0, "mkfifo");
    // Says which process it is, and waits to be killed; the second time it ends by itself.
    const CommandSpec command{.arguments = {"/bin/sh", "-c",
                                            "test $ALMANAC_ATTEMPT = 1 || exit 0; echo $$ > '" +
                                                pipe.string() + "'; exec sleep 1000"}};
    auto spec = task(std::string(command_kind));
    spec.payload = *encode(command);
    spec.attempts_max = 2;
    spec.backoff = {.initial = 0s, .max = 0s};
    require(engine->submit(spec).has_value(), "refused");
    pid_t worker = 0;
    FILE* in = std::fopen(pipe.c_str(), "r");  // waits for the other end
    require(in != nullptr && std::fscanf(in, "%d", &worker) == 1, "no process");
    std::fclose(in);
    const auto killed = Clock::now();
    require(::kill(worker, SIGKILL) == 0, "kill");
    require(engine->wait([](const State& state) { return state.tasks.live() == 0; }), "no end");
    require(ready.load() > killed, "it was not given back");
    all.push_back(ready.load() - killed);
  }
  return percentiles(std::move(all));
}

}  // namespace almanac::bench
