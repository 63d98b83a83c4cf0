#include <almanac/tests/simulation/simulation.h>

#include <almanac/log/hash.h>
#include <almanac/tests/simulation/client.h>
#include <almanac/tests/simulation/remote_workers.h>

#include <cstring>
#include <memory>

namespace almanac::test {

using namespace std::chrono_literals;

namespace {

// Twenty minutes before the clocks of Berlin are set forward.
constexpr Time daylight_saving_begins(std::chrono::seconds(1'774'746'000 - 20 * 60));

Timeline draw_timeline(Draw& draw) {
  Timeline timeline{};
  const std::array<std::uint64_t, 2> words = {draw.next(), draw.next()};
  std::memcpy(timeline.data(), words.data(), timeline.size());
  return timeline;
}

// Short, so that a run of some minutes forgets.
TaskRetention draw_retention(Draw& draw) {
  TaskRetention retention = TaskRetention::keep_all();
  if (draw.chance(60)) retention.succeeded = draw.between(0s, 10min);
  if (draw.chance(40)) retention.failed = draw.between(0s, 30min);
  if (draw.chance(40)) retention.cancelled = draw.between(0s, 30min);
  return retention;
}

class World {
 public:
  World(std::uint64_t seed, Coverage& coverage, const SimulationOptions& options)
      : draw_(seed),
        faults_(draw_, coverage),
        oracle_(coverage),
        disk_(draw_timeline(draw_),
              [this, on_event = options.on_event](const RecordedEvent& recorded) {
                if (on_event) on_event(recorded);
                oracle_.steady_clock_shows(agenda_.now());
                oracle_.see(recorded);
              }),
        gpus_(seed, options.calm, agenda_, faults_),
        machine_{.draw = draw_,
                 .agenda = agenda_,
                 .faults = faults_,
                 .coverage = coverage,
                 .oracle = oracle_,
                 .disk = disk_,
                 .gpus = gpus_,
                 .gpu_settings = draw_gpu_settings(gpus_.draw()),
                 .clock = [this] { return read_clock(); },
                 .retention = TaskRetention::keep_all()} {
    if (options.calm) faults_.heal();
  }

  void run() {
    if (faults_.strike(Fault::daylight_saving, 100)) origin_ = daylight_saving_begins;
    slots_ = static_cast<std::uint32_t>(1 + draw_.below(5));
    machine_.retention = draw_retention(draw_);
    oracle_.engine_keeps(machine_.retention);
    actions_ = 20 + draw_.below(40);
    start();
    agenda_.in(1s, [this] { act(); });
    change_weather();
    gpus_.begin();
    constexpr int steps_max = 2'000'000;  // some hours of events, and no timer that turns and turns
    for (int steps = 0; !over_; ++steps) {
      if (steps == steps_max) throw Violation("it turns and comes to no end");
      ALMANAC_CHECK(agenda_.step());
    }
    oracle_.is_over();
    oracle_.engine_begins(recover());
  }

  void report(SimulatedRun& run) const {
    std::uint64_t digest = 0;
    std::memcpy(&digest, disk_.digest().data(), sizeof(digest));
    run.trace = digest ^ client_.digest();
    run.events = disk_.last().value;
    run.tasks = oracle_.durable().tasks.last.value;
    run.engines = engines_;
  }

 private:
  Time read_clock() {
    const Time now = origin_ + agenda_.now() + skew_;
    oracle_.clock_shows(now);
    return now;
  }

  // As the engine does: by folding what the log holds.
  State recover() const {
    State state;
    disk_.read(Position(1), disk_.last(),
               [&](const RecordedEvent& recorded) { fold_into(state, recorded); });
    return state;
  }

  void start() {
    State recovered = recover();
    oracle_.engine_begins(recovered);
    ++engines_;
    engine_ = std::make_unique<SimulatedEngine>(machine_, std::move(recovered), slots_);
    engine_->on_begin = [this] {
      client_.begin(*engine_);
      const auto handled = faults_.healed() ? simulated_kinds.size() : 1 + draw_.below(3);
      for (std::size_t i = 0; i < handled; ++i) engine_->handle(simulated_kinds[i]);
      for (const FinishAttempt& late : std::exchange(late_, {})) engine_->tell(late, nullptr);
    };
    engine_->on_end = [this] { agenda_.in(0s, [this] { end_engine(); }); };
  }

  // It has ended by itself, or is ended where it stands.
  void end_engine() {
    if (!engine_) return;
    for (const auto& [lease, job] : engine_->workers().running()) {
      if (faults_.strike(Fault::late_report, 50)) late_.push_back({job.id, job.token, {}});
    }
    engine_.reset();
    if (finishing_) over_ = true;
    if (faults_.strike(Fault::restored, 40)) restore();
    agenda_.in(draw_.between(10ms, 1min), [this] {
      if (!engine_ && !over_) start();
    });
  }

  void crash() {
    if (!engine_) return;
    engine_->crash();
    end_engine();
  }

  // The log goes on as one that was restored to its own end: on another timeline, and what may have
  // gone on elsewhere is under review.
  void restore() {
    const State& moment = oracle_.durable();
    std::vector<TaskHeld> held;
    for (const auto& [id, task] : moment.tasks.all) {
      const bool runs = task.state == TaskState::running;
      if (has_ended(task.state) || task.state == TaskState::cancelling) continue;
      if (!runs && draw_.chance(50)) continue;
      held.push_back({.id = id, .lease = task.lease});
      held.back().outcome = draw_.chance(30) ? TaskOutcome::succeeded : TaskOutcome::unknown;
    }
    EventBatch batch{review_events(moment, held, {}, std::max(machine_.clock(), moment.time)), {}};
    disk_.begin_timeline(draw_timeline(draw_));
    oracle_.log_is_restored();
    const EventBatch* one = &batch;
    if (!batch.events.empty()) disk_.write({&one, 1});
  }

  void act() {
    if (actions_-- == 0) return heal();
    if (engine_) {
      const auto drawn = draw_.below(100);
      if (drawn < 4 && !faults_.healed()) {
        ask_to_stop(drawn < 2);
      } else if (drawn < 8 && !faults_.healed() && engine_->begun()) {
        engine_->handle(draw_.one_of(simulated_kinds));
      } else if (drawn < 16 && !faults_.healed()) {
        remote_workers_.ask(*engine_);
      } else {
        client_.act(*engine_);
      }
      // While that is on its way to the disk, or just behind it.
      if (faults_.strike(Fault::crash, 4))
        agenda_.in(draw_.between(0s, 300us), [this] { crash(); });
    }
    agenda_.in(draw_.between(0s, 6s), [this] { act(); });
  }

  void ask_to_stop(bool at_once) {
    machine_.coverage.reach(at_once ? Verb::stop_at_once : Verb::stop);
    engine_->stop(false);
    if (at_once) engine_->stop(true);
  }

  void change_weather() {
    if (faults_.healed()) return;
    if (faults_.strike(Fault::crash, 2)) crash();
    if (faults_.strike(Fault::clock_forward, 4)) skew_ += 1h;
    if (faults_.strike(Fault::clock_back, 4)) skew_ -= 1h;
    if (faults_.strike(Fault::suspended, 4)) skew_ += draw_.between(1min, 10h);
    if (!disk_.full && faults_.strike(Fault::full_disk, 5)) {
      disk_.full = true;
      disk_.reserve_full = faults_.strike(Fault::full_reserve, 50);
      agenda_.in(draw_.between(1s, 40s), [this] { disk_.full = false; });
    }
    agenda_.in(draw_.between(1s, 6s), [this] { change_weather(); });
  }

  void heal() {
    faults_.heal();
    disk_.full = false;
    gpus_.heal();
    if (engine_ && engine_->begun()) {
      for (const std::string& kind : simulated_kinds) engine_->handle(kind);
    }
    // What was asked for last is on its way still.
    agenda_.in(1min, [this] { tend(); });
  }

  // Until all has ended that was accepted, or for longer than any wait.
  void tend() {
    constexpr int days = 3;
    if (engine_) {
      engine_->workers().release();
      client_.review_all(*engine_);
      client_.let_all_go_on(*engine_);
      if (oracle_.all_have_ended() || agenda_.now() > 24h * days) {
        finishing_ = true;
        return ask_to_stop(false);
      }
    }
    agenda_.in(1min, [this] { tend(); });
  }

  Draw draw_;
  Agenda agenda_;
  Faults faults_;
  Oracle oracle_;
  SimulatedDisk disk_;
  SimulatedGpus gpus_;
  SimulatedMachine machine_;
  Client client_{machine_};
  RemoteWorkers remote_workers_{machine_, [this] { return engine_.get(); }};
  Time origin_{std::chrono::seconds(1'700'000'000)};
  Duration skew_{0};
  std::uint32_t slots_ = 1;
  std::uint64_t actions_ = 0;
  std::uint64_t engines_ = 0;
  std::vector<FinishAttempt> late_;  // of engines that are gone
  bool finishing_ = false;
  bool over_ = false;
  std::unique_ptr<SimulatedEngine> engine_;
};

}  // namespace

SimulatedRun simulate(std::uint64_t seed, const SimulationOptions& options) {
  SimulatedRun run;
  World world(seed, run.coverage, options);
  try {
    world.run();
  } catch (const Violation& violation) {
    run.violation = violation.what();
  }
  world.report(run);
  return run;
}

}  // namespace almanac::test
