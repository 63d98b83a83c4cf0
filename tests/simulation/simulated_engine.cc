#include <almanac/tests/simulation/simulated_engine.h>

#include <almanac/engine/loop.h>

#include <algorithm>
#include <utility>

namespace almanac::test {

using namespace std::chrono_literals;

namespace {

// What attempts need to run commands, of which a simulation has none.
Loop& idle_loop() {
  static thread_local Loop loop{{.on_wake = [] {}, .on_timer = [] {}, .on_signal = [](int) {}}};
  return loop;
}
const Guard& idle_guard() {
  static const Guard guard = *Guard::start();
  return guard;
}

}  // namespace

// ---- Workers ------------------------------------------------------------------------------------

void SimulatedWorkers::start(const WorkerJob& job) {
  machine_.oracle.attempt_begins(job.id, job.token.lease, job.deadline);
  use_gpus(job);
  running_.emplace(job.token.lease, job);
  if (machine_.faults.strike(Fault::foreign_report, 10)) {
    FencingToken foreign = job.token;
    foreign.timeline.fill(std::byte{0xee});
    report_(FinishAttempt{job.id, foreign, {}});
  }
  if (machine_.faults.strike(Fault::hanging_worker, 10)) {
    hanging_.insert(job.token.lease);
  } else {
    const bool slow = machine_.faults.strike(Fault::late_report, 10);
    run(job, machine_.draw.between(10ms, slow ? 2h : 40s));
  }
}

// May take less memory than it was given, or none.
void SimulatedWorkers::use_gpus(const WorkerJob& job) {
  SimulatedGpus& gpus = machine_.gpus;
  for (const auto& [model, gpu, bytes] : job.models) {
    if (model.empty() && gpus.draw().chance(70)) {
      gpus.take(job.token.lease, gpu, gpus.draw().below(bytes + 1));
    }
    require(model.empty() || gpus.was_loaded(gpu, model),
            text(job.id) + " runs with the model " + model + ", which is not loaded");
  }
}

// Looks once whether it was told to stop.
void SimulatedWorkers::run(const WorkerJob& job, Duration takes) {
  const Lease lease = job.token.lease;
  machine_.agenda.in(takes / 2, [this, alive = std::weak_ptr(alive_), lease, takes] {
    if (alive.expired()) return;
    const WorkerJob& half = running_.at(lease);
    if (machine_.draw.chance(30)) {
      report_(
          ReportProgress{.id = half.id, .token = half.token, .permille = 500, .message = "half"});
    }
    if (half.stop.stop_requested() && machine_.draw.chance(70)) return end(lease);
    machine_.agenda.in(takes / 2, [this, alive, lease] {
      if (!alive.expired()) end(lease);
    });
  });
}

void SimulatedWorkers::end(Lease lease) {
  const WorkerJob job = std::move(running_.extract(lease).mapped());
  FinishAttempt finish{job.id, job.token, draw_outcome(job)};
  if (!job.models.empty()) machine_.gpus.give_back(lease);
  machine_.coverage.reach(Verb::report);
  if (machine_.oracle.holds(finish.id, finish.token.lease)) {
    machine_.oracle.attempt_ends(finish.token.lease, finish.outcome);
  }
  // What a probe says, at some time: the spare can always be used.
  if (machine_.draw.chance(30)) {
    report_(ReportProbe{job.kind, "best", machine_.draw.chance(50), "drawn"});
  }
  if (machine_.faults.strike(Fault::double_report, 20)) report_(finish);
  report_(std::move(finish));
}

AttemptOutcome SimulatedWorkers::draw_outcome(const WorkerJob& job) {
  if (machine_.faults.strike(Fault::dying_worker, 15)) {
    return {.status = AttemptStatus::signaled,
            .code = 9,
            .message = "ended by SIGKILL",
            .crashed = true};
  }
  const bool told = job.stop.stop_requested() && machine_.draw.chance(50);
  if (told || machine_.faults.strike(Fault::failing_worker, 40)) {
    return {.status = AttemptStatus::error,
            .message = "it did not work",
            .permanent = machine_.draw.chance(20)};
  }
  if (!machine_.faults.healed() && machine_.draw.chance(8)) {
    return {.snooze_until = machine_.clock() + machine_.draw.between(-1min, 1h)};
  }
  return {.result = "done"};
}

void SimulatedWorkers::release() {
  for (Lease lease : std::exchange(hanging_, {})) run(running_.at(lease), 1s);
}

// ---- Backups ------------------------------------------------------------------------------------

void SimulatedBackups::begin(const BeginBackup& run) {
  running_ = run;
  machine_.coverage.reach(Verb::back_up);
  machine_.agenda.in(machine_.draw.between(1s, 20min),
                     [this, alive = std::weak_ptr(alive_), due = run.due] {
                       if (alive.expired() || !running_ || running_->due != due) return;
                       end(SnapshotMade{.snapshot = 1, .through = Position(1)});
                     });
}

void SimulatedBackups::stop() {
  if (running_) end(Error{ErrorCode::stopped, "the engine stops", ""});
}

void SimulatedBackups::end(FinishBackup::Outcome outcome) {
  const BeginBackup run = *std::exchange(running_, {});
  report_({.job = run.job, .due = run.due, .took = 1s, .outcome = std::move(outcome)});
}

// ---- The engine ---------------------------------------------------------------------------------

SimulatedEngine::SimulatedEngine(SimulatedMachine& machine, State recovered, std::uint32_t slots)
    : machine_(machine),
      log_({.disk = machine.disk,
            .agenda = machine.agenda,
            .draw = machine.draw,
            .faults = machine.faults},
           [this](const CommitReport& report) { put(CommitReport(report)); }),
      workers_(machine, [this](Command command) { post(std::move(command)); }),
      backups_(machine, [this](FinishBackup finish) { post(std::move(finish)); }),
      published_(std::move(recovered)),
      attempts_({.log = log_,
                 .loop = idle_loop(),
                 .guard = idle_guard(),
                 .report = [this](Command command) { post(std::move(command)); }},
                {.kill_grace = 5s,
                 .timeline = machine.disk.timeline(),
                 .run_handlers =
                     [this](std::vector<WorkerJob> jobs) {
                       for (WorkerJob& job : jobs) workers_.start(std::move(job));
                     }}),
      circuits_({.clock = machine.clock,
                 .state = [this] { return published_.state(); },
                 .wake = [this] { put([this](Core&) { turn({}); }); },
                 .report = [this](Command command) { post(std::move(command)); }}),
      core_({.log = log_,
             .loop = timer_,
             .attempts = attempts_,
             .backups = backups_,
             .circuits = circuits_,
             .published = published_,
             .projections = projections_},
            {.clock = machine.clock,
             .steady_clock = [&machine] { return SteadyTime(machine.agenda.now()); },
             .stop_grace = 10s,
             .retention = machine.retention,
             .on_events =
                 [this](const State& after, std::span<const RecordedEvent> events) {
                   machine_.oracle.is_published(after);
                   if (models_) models_->saw(events);
                 },
             .model_patience = machine.gpu_settings.models.patience,
             .on_model_turns =
                 [this] {
                   if (models_) models_->turns_have_changed();
                 }}) {
  if (machine.gpus.any()) watch_gpus();
  StartEngine start{.version = "simulated", .process_id = 1, .slots = slots, .seed = slots};
  start.repository = "backups";
  for (const char* text : {"every 15 minutes", "daily at 02:30 Europe/Berlin"}) {
    start.backups.push_back({.recurrence = *Recurrence::parse(text), .name = text});
  }
  machine_.coverage.reach(Verb::start);
  tell(std::move(start), [this](const Result<Answer>& answer) {
    if (!answer) return stop(false);  // as it is when opening fails
    begun_ = true;
    if (models_) models_->begin();
    on_begin();
  });
}

SimulatedEngine::~SimulatedEngine() = default;

void SimulatedEngine::watch_gpus() {
  models_ = std::make_unique<SimulatedModels>(
      machine_,
      SimulatedModels::Surroundings{
          .state = [this] { return published_.state(); },
          .tell = [this](Command command, Done done) { tell(std::move(command), std::move(done)); },
          .report = [this](Command command) { post(std::move(command)); }},
      machine_.gpu_settings);
}

void SimulatedEngine::tell(Command command, Done done) {
  put(std::make_unique<Submission>(std::move(command), std::move(done)));
}

void SimulatedEngine::heartbeat(HeldLease lease, std::function<void(LeaseStatus)> done) {
  put([lease, done = std::move(done)](Core& core) { done(core.heard({&lease, 1}).front()); });
}

void SimulatedEngine::handle(std::string kind) {
  const bool has_fallback = machine_.draw.chance(50);
  const auto attempts = static_cast<std::uint32_t>(1 + machine_.draw.below(2));
  VersionRange versions;
  if (!machine_.faults.healed() && machine_.draw.chance(30)) {
    versions.min = static_cast<std::uint32_t>(machine_.draw.below(3));
    versions.max = versions.min + static_cast<std::uint32_t>(machine_.draw.below(2));
  }
  put([this, kind = std::move(kind), has_fallback, attempts, versions](Core&) {
    SetImplementations command{.kind = kind, .implementations = {}, .versions = versions};
    std::vector<Implementation> implementations;
    for (const char* name : {"best", "spare"}) {
      implementations.push_back({.name = has_fallback ? name : "",
                                 .handler = [](const Attempt&) { return Outcome::success(); }});
      if (!has_fallback) break;
      command.implementations.push_back({name, attempts, true});
    }
    attempts_.set_handlers(kind, implementations, versions, Time());
    machine_.oracle.engine_runs(kind);
    std::vector<std::unique_ptr<Submission>> submissions;
    submissions.push_back(std::make_unique<Submission>(std::move(command), nullptr));
    turn(std::move(submissions));
  });
}

void SimulatedEngine::stop(bool at_once) {
  if (models_) models_->stop(at_once);
  put([this, at_once](Core& core) {
    stopping_ = true;
    machine_.oracle.stop_is_asked();
    core.stop(at_once);
  });
}

void SimulatedEngine::put(Item item) {
  mailbox_.push_back(std::move(item));
  if (mailbox_.size() > 1) return;
  machine_.agenda.in(machine_.draw.between(1us, 200us), [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) wake();
  });
}

void SimulatedEngine::wake() {
  std::vector<std::unique_ptr<Submission>> submissions;
  for (Item& item : std::exchange(mailbox_, {})) {
    if (auto* report = std::get_if<CommitReport>(&item)) core_.committed(*report);
    if (auto* call = std::get_if<Call>(&item)) (*call)(core_);
    if (auto* submission = std::get_if<std::unique_ptr<Submission>>(&item)) {
      submissions.push_back(std::move(*submission));
    }
  }
  if (!submissions.empty()) turn(std::move(submissions));
  look();
}

void SimulatedEngine::turn(std::vector<std::unique_ptr<Submission>> submissions) {
  turned_ = std::max(machine_.clock(), published_.state()->time);
  core_.turn(std::move(submissions));
}

void SimulatedEngine::Timer::arm(Duration wait) {
  engine.machine_.agenda.in(std::max(wait, Duration(1us)),
                            [this, alive = std::weak_ptr(engine.alive_), mine = ++armed] {
                              if (alive.expired() || armed != mine) return;
                              engine.turn({});
                              engine.look();
                            });
}

// Behind everything the core was told.
void SimulatedEngine::look() {
  if (timer_.ended) return close();
  const bool quiet = begun_ && !stopping_ && mailbox_.empty() && log_.is_idle();
  if (quiet) machine_.oracle.is_idle(turned_);
}

void SimulatedEngine::close() {
  alive_.reset();
  const Error stopped{ErrorCode::stopped, "the engine has stopped", ""};
  for (Item& item : std::exchange(mailbox_, {})) {
    auto* submission = std::get_if<std::unique_ptr<Submission>>(&item);
    if (submission != nullptr && (*submission)->done) (*submission)->done(std::unexpected(stopped));
  }
  on_end();
}

}  // namespace almanac::test
