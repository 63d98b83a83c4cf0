#include <almanac/tests/disk/explorer.h>

#include <almanac/tests/disk/state_folder.h>

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <functional>
#include <new>
#include <set>
#include <unordered_map>

namespace almanac::test {
namespace {

constexpr unsigned check_seconds_max = 60;
constexpr std::size_t deaths_max = 20;
constexpr std::size_t examples_max = 3;
constexpr const char* log_folder = "log";

using VisitPoint = std::function<void(const CrashPoint&, const LogOracle&, std::size_t step)>;

// What the calls of a recording are done to: a disk, what it must hold, and how many steps of
// others led to it.
struct Disk {
  ShadowDisk disk;
  LogOracle oracle = {};
  std::size_t steps = 0;
};

// Before every call that makes a difference, and at the end: all that was promised until then
// holds.
void each_point(Disk now, const Recording& recording, SectorPool& pool, const VisitPoint& visit) {
  const auto& steps = recording.steps;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (const auto* mark = std::get_if<Mark>(&steps[i])) {
      now.oracle.apply(*mark);
      continue;
    }
    const auto& call = std::get<RecordedCall>(steps[i]);
    if (now.disk.changes(call)) visit(CrashPoint(now.disk, pool), now.oracle, i);
    if (call.kind == CallKind::sync) {
      auto sync = call;
      sync.began += now.steps;
      now.disk.apply(sync, now.steps + i);
    } else {
      now.disk.apply(call, now.steps + i);
    }
  }
  visit(CrashPoint(now.disk, pool), now.oracle, steps.size());
}

// Whether the log had to be joined from its store and its journal: then it is written again.
bool replayed(const Recording& recording) {
  for (const Step& step : recording.steps) {
    if (const auto* call = std::get_if<RecordedCall>(&step)) {
      if (call->kind == CallKind::write && call->path.contains("/segment-")) return true;
    } else if (std::get<Mark>(step).kind == Mark::Kind::found) {
      return false;
    }
  }
  return false;
}

// Of the recording itself; what a recovery does is looked at by the seed alone.
bool left_out(const ExploreOptions& options, std::size_t step) {
  return step < options.first_step || mix(options.seed, step) % options.point_every != 0;
}

// What a worker tells the process that watches it, in memory both see.
struct Slot {
  Tally tally;
  std::uint64_t checking = 0;  // the state's hash
  std::uint64_t ordinal = 0;   // its number in this recording
  std::size_t examples = 0;
  std::array<std::array<char, 2048>, examples_max> texts{};
};

std::string where(const Scenario& scenario, const Recording& recording, std::size_t step) {
  std::string text = scenario.name + ": power fails before step " + std::to_string(step);
  if (step < recording.steps.size()) {
    text += ", " + describe(std::get<RecordedCall>(recording.steps[step]));
  }
  return text + "; ";
}

class Worker {
 public:
  Worker(const Scenario& scenario, const RecordedScenario& recorded, SectorPool& pool,
         const ExploreOptions& options, Slot& slot, const std::filesystem::path& folder)
      : scenario_(scenario),
        recorded_(recorded),
        pool_(pool),
        options_(options),
        slot_(slot),
        first_(folder / "first", pool),
        second_(folder / "second", pool) {}

  // `number`: which of the workers. `dead`: states that ended a worker, the last of them `after`.
  void run(unsigned number, const std::set<std::uint64_t>& dead, std::uint64_t after) {
    for (auto state : dead) known_[state] = {Problem::none, "", 0, 0};
    reported_.insert(dead.begin(), dead.end());
    std::uint64_t ordinal = 0;
    each_point({.disk = {pool_, recorded_.before, options_.faults}}, recorded_.recording, pool_,
               [&](const CrashPoint& point, const LogOracle& oracle, std::size_t step) {
                 if (past_deadline() || left_out(options_, step)) return;
                 if (number == 0 && ordinal >= after) ++slot_.tally.points;
                 point.each_state(options_.limits, mix(options_.seed, step),
                                  [&](const StateChoice& choice) {
                                    auto hash = point.hash(choice);
                                    if (++ordinal <= after || past_deadline()) return;
                                    if (hash % options_.workers != number) return;
                                    slot_.ordinal = ordinal;
                                    judge({point, oracle, choice, hash, step});
                                  });
                 if (++ordinal <= after || !is_killed_at(step)) return;
                 if (ordinal % options_.workers != number) return;
                 slot_.ordinal = ordinal;
                 kill(point, oracle, step);
               });
  }

 private:
  // A folder of its own, whatever a dead worker left in it.
  struct Place {
    Place(const std::filesystem::path& path, SectorPool& pool) : folder(path), states(path, pool) {
      std::filesystem::remove_all(path);
      std::filesystem::create_directory(path);
    }
    std::filesystem::path folder;
    StateFolder states;
  };
  struct State {
    const CrashPoint& point;
    const LogOracle& oracle;
    const StateChoice& choice;
    std::uint64_t hash;
    std::size_t step;
  };

  [[nodiscard]] bool past_deadline() const {
    return std::chrono::steady_clock::now() >= options_.deadline;
  }

  [[nodiscard]] bool is_killed_at(std::size_t step) const {
    return options_.kill_every != 0 && mix(options_.seed + 1, step) % options_.kill_every == 0;
  }

  void judge(const State& state) {
    ++slot_.tally.states;
    auto known = known_.find(state.hash);
    const bool fresh = known == known_.end();
    const bool again =
        fresh && options_.second_level_every != 0 && ++since_second_ >= options_.second_level_every;
    if (fresh) {
      slot_.checking = state.hash;
      auto found = again ? crash_recovery(state) : check(state.point.image(state.choice), first_);
      known = known_.emplace(state.hash, std::move(found)).first;
    }
    note(known->second, state.oracle, state.hash, [&](const std::string& what) {
      report(where(scenario_, recorded_.recording, state.step) + state.point.describe(state.choice),
             what, state.point.image(state.choice));
    });
  }

  // Counts a finding once for each state.
  template <class Report>
  void note(const FoundLog& found, const LogOracle& oracle, std::uint64_t hash, Report report) {
    auto what = found.text;
    std::uint64_t* count = count_of(found.problem);
    if (found.problem == Problem::none) {
      auto verdict = oracle.judge({found.base, found.events, found.content});
      if (verdict == Verdict::right) return;
      const bool lost = verdict == Verdict::lost;
      count = lost ? &slot_.tally.lost : &slot_.tally.wrong;
      what = (lost ? "holds " : "holds other events than were appended: ") +
             std::to_string(found.events) + " events, at least " + std::to_string(oracle.floor()) +
             " must be there";
    }
    if (!reported_.insert(hash).second) return;
    ++*count;
    report(std::string(name(found.problem)) + ": " + what);
  }

  std::uint64_t* count_of(Problem problem) {
    switch (problem) {
      case Problem::unopenable: return &slot_.tally.unopenable;
      case Problem::damaged: return &slot_.tally.damaged;
      case Problem::stuck: return &slot_.tally.stuck;
      default: return &slot_.tally.unstable;
    }
  }

  FoundLog check(const DiskImage& image, Place& place) {
    ++slot_.tally.opened;
    place.states.make(image);
    Recorder recorder(place.folder, Recorder::Keep::places);
    auto found = guarded(place, recorder);
    auto recording = recorder.take();
    if (replayed(recording)) ++slot_.tally.replayed;
    place.states.touched(recording);
    return found;
  }

  FoundLog guarded(Place& place, Recorder& recorder) {
    ::alarm(check_seconds_max);
    FoundLog found;
    {
      Watching watching(recorder);
      found = options_.check(place.folder / log_folder, &recorder);
    }
    ::alarm(0);
    return found;
  }

  // The same, and then the power fails during the recovery too.
  FoundLog crash_recovery(const State& state) {
    since_second_ = 0;
    ++slot_.tally.opened;
    auto image = state.point.image(state.choice);
    first_.states.make(image);
    Recorder recorder(first_.folder);
    auto found = guarded(first_, recorder);
    auto recording = recorder.take();
    first_.states.touched(recording);
    if (found.problem != Problem::none) return found;
    auto outer = where(scenario_, recorded_.recording, state.step) +
                 state.point.describe(state.choice) + "; then in the recovery ";
    crash_again({{pool_, image, options_.faults_in_recovery}, state.oracle}, recording, outer);
    return found;
  }

  void crash_again(Disk disk, const Recording& recording, const std::string& outer) {
    each_point(std::move(disk), recording, pool_,
               [&](const CrashPoint& point, const LogOracle& oracle, std::size_t step) {
                 judge_second(outer, recording, point, oracle, step);
               });
  }

  // The program ends before this step and the machine goes on: all that was written is there.
  void kill(const CrashPoint& point, const LogOracle& oracle, std::size_t step) {
    ++slot_.tally.kills;
    auto image = point.disk().live_image();
    auto outer = where(scenario_, recorded_.recording, step) + "by a kill; ";
    first_.states.make(image);
    Recorder recorder(first_.folder);
    slot_.checking = mix(options_.seed, step);
    auto found = guarded(first_, recorder);
    auto recording = recorder.take();
    first_.states.touched(recording);
    note(found, oracle, slot_.checking,
         [&](const std::string& what) { report(outer, what, image); });
    if (found.problem != Problem::none) return;
    Disk disk{point.disk(), oracle, recorded_.recording.steps.size()};
    disk.disk.set_faults(options_.faults_in_recovery);
    crash_again(std::move(disk), recording, outer + "then in the recovery ");
  }

  void judge_second(const std::string& outer, const Recording& recording, const CrashPoint& point,
                    const LogOracle& oracle, std::size_t step) {
    point.each_state(options_.second_limits, mix(options_.seed, step),
                     [&](const StateChoice& choice) {
                       auto hash = point.hash(choice);
                       if (past_deadline() || mix(options_.seed, step) % options_.point_every != 0)
                         return;
                       ++slot_.tally.states;
                       auto known = known_.find(hash);
                       if (known == known_.end()) {
                         ++slot_.tally.second;
                         slot_.checking = hash;
                         known = known_.emplace(hash, check(point.image(choice), second_)).first;
                       }
                       note(known->second, oracle, hash, [&](const std::string& what) {
                         report(outer + where(scenario_, recording, step) + point.describe(choice),
                                what, point.image(choice));
                       });
                     });
  }

  void report(const std::string& state, const std::string& what, const DiskImage& image) {
    if (slot_.examples == examples_max) return;
    auto text = what + "\n  " + state;
    if (options_.keeps_findings) text += "\n  kept in " + save_state(image, pool_, text).string();
    auto& place = slot_.texts[slot_.examples++];
    std::snprintf(place.data(), place.size(), "%s", text.c_str());
  }

  const Scenario& scenario_;
  const RecordedScenario& recorded_;
  SectorPool& pool_;
  const ExploreOptions& options_;
  Slot& slot_;
  Place first_;
  Place second_;
  std::unordered_map<std::uint64_t, FoundLog> known_;
  std::set<std::uint64_t> reported_;
  std::uint64_t since_second_ = 0;
};

// Runs one worker, and another one behind the state that ended it, until one comes to the end.
class WatchedWorker {
 public:
  using Run = std::function<void(const std::set<std::uint64_t>& dead, Slot& slot,
                                 const std::filesystem::path& folder)>;
  WatchedWorker(Run run, bool quiet) : run_(std::move(run)), quiet_(quiet) {
    void* memory =
        ::mmap(nullptr, sizeof(Slot), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ALMANAC_CHECK(memory != MAP_FAILED);
    slot_ = new (memory) Slot;
  }
  ~WatchedWorker() { ::munmap(slot_, sizeof(Slot)); }
  WatchedWorker(const WatchedWorker&) = delete;
  WatchedWorker& operator=(const WatchedWorker&) = delete;

  [[nodiscard]] Slot& slot() { return *slot_; }

  void start() {
    id_ = ::fork();
    ALMANAC_CHECK(id_ >= 0);
    if (id_ != 0) return;
    const rlimit no_core{};
    ::setrlimit(RLIMIT_CORE, &no_core);
    if (quiet_) ALMANAC_CHECK(std::freopen("/dev/null", "w", stderr) != nullptr);
    run_(dead_, *slot_, folder_.path());
    ::_exit(0);
  }
  // Waits for its end. Answers how it died, nothing when it did not.
  std::string wait() {
    int status = 0;
    ALMANAC_CHECK(::waitpid(id_, &status, 0) == id_);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    dead_.insert(slot_->checking);
    ++slot_->tally.dead;
    return WIFSIGNALED(status) ? std::string("dead of ") + ::strsignal(WTERMSIG(status))
                               : "ended with " + std::to_string(WEXITSTATUS(status));
  }
  [[nodiscard]] bool goes_on() const { return dead_.size() < deaths_max; }

 private:
  Run run_;
  bool quiet_;
  MemoryFolder folder_;
  Slot* slot_ = nullptr;
  pid_t id_ = 0;
  std::set<std::uint64_t> dead_;
};

// Finds the state with a number again, which a dead worker can tell no more about.
std::string describe_state(const Scenario& scenario, const RecordedScenario& recorded,
                           SectorPool& pool, const ExploreOptions& options, std::uint64_t ordinal) {
  std::string text;
  std::uint64_t count = 0;
  each_point({.disk = {pool, recorded.before, options.faults}}, recorded.recording, pool,
             [&](const CrashPoint& point, const LogOracle&, std::size_t step) {
               if (left_out(options, step)) return;
               point.each_state(
                   options.limits, mix(options.seed, step), [&](const StateChoice& choice) {
                     if (++count != ordinal) return;
                     text = where(scenario, recorded.recording, step) + point.describe(choice);
                     if (!options.keeps_findings) return;
                     text += "\n  kept in " + save_state(point.image(choice), pool, text).string();
                   });
               if (++count == ordinal)
                 text = where(scenario, recorded.recording, step) + "by a kill";
             });
  return text;
}

}  // namespace

ExploreReport explore(const Scenario& scenario, const RecordedScenario& recorded, SectorPool& pool,
                      const ExploreOptions& options) {
  std::deque<WatchedWorker> workers;
  for (unsigned number = 0; number < options.workers; ++number) {
    workers.emplace_back(
        [&, number](const std::set<std::uint64_t>& dead, Slot& slot,
                    const std::filesystem::path& folder) {
          Worker(scenario, recorded, pool, options, slot, folder).run(number, dead, slot.ordinal);
        },
        !options.keeps_findings);
    workers.back().start();
  }
  ExploreReport report;
  for (auto& worker : workers) {
    for (auto died = worker.wait(); !died.empty() && worker.goes_on(); died = worker.wait()) {
      report.examples.push_back(
          died + "\n  " + describe_state(scenario, recorded, pool, options, worker.slot().ordinal));
      worker.start();
    }
    report.tally += worker.slot().tally;
    for (std::size_t i = 0; i < worker.slot().examples; ++i) {
      report.examples.emplace_back(worker.slot().texts[i].data());
    }
  }
  return report;
}

Tally& Tally::operator+=(const Tally& other) {
  points += other.points;
  states += other.states;
  opened += other.opened;
  second += other.second;
  replayed += other.replayed;
  kills += other.kills;
  lost += other.lost;
  wrong += other.wrong;
  unopenable += other.unopenable;
  damaged += other.damaged;
  stuck += other.stuck;
  unstable += other.unstable;
  dead += other.dead;
  return *this;
}

std::string describe(const Tally& tally) {
  auto count = [](std::uint64_t number, const char* what) {
    return std::to_string(number) + " " + what;
  };
  return count(tally.points, "points, ") + count(tally.states, "states, ") +
         count(tally.opened, "opened (") + count(tally.second, "in recovery, ") +
         count(tally.replayed, "replayed), ") + count(tally.kills, "kills: ") +
         count(tally.lost, "lost, ") + count(tally.wrong, "wrong, ") +
         count(tally.unopenable, "unopenable, ") + count(tally.damaged, "damaged, ") +
         count(tally.stuck, "stuck, ") + count(tally.unstable, "unstable, ") +
         count(tally.dead, "dead");
}

std::filesystem::path save_state(const DiskImage& image, SectorPool& pool, const std::string& why) {
  auto folder = (std::filesystem::temp_directory_path() / "almanac-power-loss-XXXXXX").string();
  ALMANAC_CHECK(::mkdtemp(folder.data()) != nullptr);
  const std::filesystem::path path = folder;
  std::filesystem::create_directory(path / "state");
  StateFolder(path / "state", pool).make(image);
  std::ofstream(path / "why.txt") << why << "\n";
  return path;
}

}  // namespace almanac::test
