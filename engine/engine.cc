#include <almanac/engine/engine.h>

#include <almanac/engine/attempts.h>
#include <almanac/engine/backup_runner.h>
#include <almanac/engine/backups.h>
#include <almanac/engine/circuit_board.h>
#include <almanac/engine/circuits.h>
#include <almanac/engine/core.h>
#include <almanac/engine/diagnostics.h>
#include <almanac/engine/guard.h>
#include <almanac/engine/implementations.h>
#include <almanac/engine/inline_projections.h>
#include <almanac/engine/loop.h>
#include <almanac/engine/mailbox.h>
#include <almanac/engine/published.h>
#include <almanac/engine/trimming.h>
#include <almanac/log/hash.h>
#include <almanac/log/this_thread.h>
#include <almanac/snapshots/checkpointer.h>
#include <almanac/snapshots/state_at.h>
#include <almanac/version.h>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>
#include <utility>
#include <variant>

namespace almanac {
namespace {

using Call = std::function<void(Core&)>;
// Signs of life of workers elsewhere, and where their answer goes.
struct Heartbeat {
  std::vector<HeldLease> leases;
  std::function<void(Result<std::vector<LeaseStatus>>)> done;
};
using Item = std::variant<std::unique_ptr<Submission>, Heartbeat, Call, CommitReport>;

std::uint64_t draw_seed() {
  std::uint64_t seed = 0;
  fill_random(std::as_writable_bytes(std::span(&seed, 1)));
  return seed | 1;
}

Result<void> check(const EngineOptions& options) {
  if (options.slots > limits::slots_max) {
    return fail(ErrorCode::invalid, "an engine takes at most " + std::to_string(limits::slots_max) +
                                        " slots, not " + std::to_string(options.slots));
  }
  if (options.output_bytes_max > limits::output_bytes_max) {
    return fail(ErrorCode::invalid, "at most " + std::to_string(limits::output_bytes_max) +
                                        " bytes of output can be kept");
  }
  return check(options.backups);
}

}  // namespace

Time system_time() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

// In the order in which they are made; they go in the opposite one.
struct Engine::Parts {
  Parts(EngineOptions from, Guard started)
      : options(std::move(from)),
        guard(std::move(started)),
        loop({.on_wake = [this] { wake(false); },
              .on_timer = [this] { wake(true); },
              .on_signal =
                  [this](int) {
                    stopping = true;
                    core->stop(std::exchange(signalled, true));
                  }}),
        mailbox(limits::mailbox_commands_max, [this] { loop.wake(); }) {}

  Result<void> assemble(std::unique_ptr<Log> opened, State state);
  void start_checkpoints(Position newest);
  void wake(bool is_due);
  void run();
  // Why the mailbox has not taken something.
  [[nodiscard]] Error refusal() const;
  void tell(Command command, std::function<void(Result<Answer>)> done);
  [[nodiscard]] Result<Answer> ask(Command command);

  EngineOptions options;
  Guard guard;
  Loop loop;
  Mailbox<Item> mailbox;
  std::unique_ptr<Log> log;
  std::optional<CoreLog> core_log;
  InlineProjections projections;
  std::optional<Published> published;
  std::optional<Attempts> attempts;
  std::optional<BackupRunner> backups;
  std::optional<CircuitBoard> circuits;
  std::optional<Core> core;
  std::optional<Checkpointer> checkpointer;
  bool signalled = false;  // of the loop's thread
  std::atomic<bool> stopping = false;
  std::thread thread;
};

Result<void> Engine::Parts::assemble(std::unique_ptr<Log> opened, State state) {
  log = std::move(opened);
  core_log.emplace(*log);
  auto projected = InlineProjections::open(*log, options.folder / "projections",
                                           options.projections, state.position);
  if (!projected) return std::unexpected(projected.error());
  projections = std::move(*projected);
  published.emplace(std::move(state), projections.values());
  auto report = [this](Command command) {
    mailbox.put_always(std::make_unique<Submission>(std::move(command), nullptr));
  };
  attempts.emplace(Attempts::Surroundings{*core_log, loop, guard, report},
                   AttemptOptions{.processes = {.output_bytes_max = options.output_bytes_max,
                                                .environment_allow = options.environment_allow},
                                  .kill_grace = options.kill_grace,
                                  .runs_commands = options.runs_commands,
                                  .timeline = log->timeline()});
  backups.emplace(BackupRunner::Surroundings{.log = *log,
                                             .folder = options.folder,
                                             .clock = options.clock,
                                             .seed = options.seed,
                                             .report = report},
                  options.backups);
  circuits.emplace(CircuitBoard::Surroundings{
      .clock = options.clock,
      .state = [this] { return published->state(); },
      .wake = [this] { mailbox.put_always(Call([](Core& running) { running.turn({}); })); },
      .ask = [this](Command command) { return ask(std::move(command)); },
      .report = report,
      .on_move = options.on_circuit});
  core.emplace(
      Core::Parts{*core_log, loop, *attempts, *backups, *circuits, *published, projections},
      CoreOptions{.clock = options.clock,
                  .steady_clock = steady_time,
                  .stop_grace = options.stop_grace,
                  .fires_schedules = options.fires_schedules,
                  .output_bytes_max = options.output_bytes_max,
                  .retention = options.retention,
                  .on_events = [this](const State& after, std::span<const RecordedEvent> events) {
                    if (checkpointer) checkpointer->moved(after.position);
                    if (options.on_events) options.on_events(after, events);
                  }});
  if (options.handle_signals) loop.watch_signals();
  return {};
}

// That one cannot be written is said once, until it can again.
void Engine::Parts::start_checkpoints(Position newest) {
  if (!options.checkpoints.write) return;
  auto report = [failing = false](const CheckpointReport& tried) mutable {
    const auto position = std::to_string(tried.position.value);
    if (tried.bytes) {
      note("wrote a checkpoint at position " + position);
    } else if (!failing) {
      warn("a checkpoint could not be written and is tried again later: " +
           describe(tried.bytes.error()));
    }
    failing = !tried.bytes;
  };
  checkpointer.emplace(Checkpointer::Surroundings{.log = *log,
                                                  .folder = options.folder,
                                                  .state = [this] { return published->state(); },
                                                  .report = report},
                       options.checkpoints, newest);
}

// What has come is heard before anything is thought to be overdue.
void Engine::Parts::wake(bool is_due) {
  std::vector<std::unique_ptr<Submission>> submissions;
  for (Item& item : mailbox.take()) {
    if (auto* report = std::get_if<CommitReport>(&item)) core->committed(*report);
    if (auto* call = std::get_if<Call>(&item)) (*call)(*core);
    if (auto* beat = std::get_if<Heartbeat>(&item)) beat->done(core->heard(beat->leases));
    if (auto* submission = std::get_if<std::unique_ptr<Submission>>(&item)) {
      submissions.push_back(std::move(*submission));
    }
  }
  if (is_due || !submissions.empty()) core->turn(std::move(submissions));
}

void Engine::Parts::run() {
  this_thread::set_name("almanac-loop");
  loop.run();
  published->end(published->failure());
  Error error = published->failure().value_or(
      Error{ErrorCode::stopped, "the engine has stopped", "open it again"});
  for (Item& item : mailbox.close()) {
    auto* submission = std::get_if<std::unique_ptr<Submission>>(&item);
    if (submission != nullptr && (*submission)->done) {
      (*submission)->done(std::unexpected(error));
    }
    if (auto* beat = std::get_if<Heartbeat>(&item)) beat->done(std::unexpected(error));
  }
  projections.keep();
  note("the engine has stopped");
}

Result<std::unique_ptr<Engine>> Engine::open(EngineOptions options) {
  if (auto checked = check(options); !checked) return std::unexpected(checked.error());
  if (options.slots == 0) options.slots = std::max(1U, std::thread::hardware_concurrency());
  if (options.seed == 0) options.seed = draw_seed();
  if (!options.backups.repository.empty()) {
    options.backups.repository = std::filesystem::absolute(options.backups.repository);
  }
  auto guard = Guard::start();
  if (!guard) return std::unexpected(guard.error());
  auto parts = std::make_unique<Parts>(std::move(options), std::move(*guard));
  auto* mailbox = &parts->mailbox;
  auto log = Log::open(parts->options.folder, {.map_bytes = parts->options.map_bytes,
                                               .on_commit =
                                                   [mailbox](const CommitReport& report) {
                                                     mailbox->put_always(CommitReport(report));
                                                   },
                                               .after_refusal = AfterRefusal::wait,
                                               .pending_bytes_max = SIZE_MAX,
                                               .index = false});
  if (!log) return std::unexpected(log.error());
  auto reached = reach_state(**log, parts->options.folder);
  if (!reached) return std::unexpected(reached.error());
  for (const Error& refused : reached->refused) {
    warn("a checkpoint is not used: " + describe(refused));
  }
  auto assembled = parts->assemble(std::move(*log), std::move(reached->state));
  if (!assembled) return std::unexpected(assembled.error());
  parts->start_checkpoints(reached->checkpoint);
  parts->thread = std::thread([running = parts.get()] { running->run(); });
  std::unique_ptr<Engine> engine(new Engine(std::move(parts)));
  const EngineOptions& settings = engine->parts_->options;
  auto started = engine->ask(StartEngine{.version = std::string(version),
                                         .process_id = static_cast<std::uint64_t>(::getpid()),
                                         .slots = settings.slots,
                                         .seed = settings.seed,
                                         .command_versions = settings.command_versions,
                                         .repository = settings.backups.repository.string(),
                                         .backups = settings.backups.jobs});
  if (!started) return std::unexpected(started.error());
  note("the engine has started", {{"version", version}, {"slots", settings.slots}});
  return engine;
}

Engine::Engine(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Engine::~Engine() {
  stop();
  parts_->thread.join();
}

void Engine::Parts::tell(Command command, std::function<void(Result<Answer>)> done) {
  Item item = std::make_unique<Submission>(std::move(command), std::move(done));
  if (mailbox.put(std::move(item))) return;
  std::get<std::unique_ptr<Submission>>(item)->done(std::unexpected(refusal()));
}

Error Engine::Parts::refusal() const {
  if (!mailbox.closed()) {
    return {ErrorCode::busy, "the engine's mailbox is full", "try again in a moment"};
  }
  return published->failure().value_or(
      Error{ErrorCode::stopped, "the engine has stopped", "open it again"});
}

Result<Answer> Engine::Parts::ask(Command command) {
  auto answer = std::make_shared<std::promise<Result<Answer>>>();
  auto future = answer->get_future();
  tell(std::move(command),
       [answer](Result<Answer> result) { answer->set_value(std::move(result)); });
  return future.get();
}

void Engine::tell(Command command, std::function<void(Result<Answer>)> done) {
  parts_->tell(std::move(command), std::move(done));
}

Result<Answer> Engine::ask(Command command) { return parts_->ask(std::move(command)); }

Result<void> Engine::ask_without_answer(Command command) {
  auto answer = ask(std::move(command));
  if (!answer) return std::unexpected(answer.error());
  return {};
}

void Engine::handle(std::string kind, Handler handler, VersionRange versions) {
  set_handlers({.kind = std::move(kind), .implementations = {}, .versions = versions},
               {{.name = {}, .handler = std::move(handler)}});
}

Result<void> Engine::handle(std::string kind, std::vector<Implementation> implementations,
                            VersionRange versions) {
  if (auto checked = check(implementations); !checked) return checked;
  SetImplementations command{.kind = std::move(kind), .implementations = {}, .versions = versions};
  for (const Implementation& one : implementations) {
    command.implementations.push_back({one.name, one.attempts, bool(one.probe)});
  }
  set_handlers(std::move(command), std::move(implementations));
  return {};
}

// On record in the turn from which on they are there.
void Engine::set_handlers(SetImplementations command, std::vector<Implementation> implementations) {
  ALMANAC_CHECK(command.kind != command_kind);  // would never be called
  ALMANAC_CHECK(!command.versions.is_empty());
  parts_->mailbox.put_always(Call([parts = parts_.get(), command = std::move(command),
                                   implementations = std::move(implementations)](Core& core) {
    parts->attempts->set_handlers(command.kind, implementations, command.versions,
                                  parts->options.clock());
    std::vector<std::unique_ptr<Submission>> submissions;
    submissions.push_back(std::make_unique<Submission>(command, nullptr));
    core.turn(std::move(submissions));
  }));
}

Result<std::vector<Submitted>> Engine::submit(std::vector<TaskSpec> tasks) {
  auto answer = ask(EnqueueTasks{std::move(tasks)});
  if (!answer) return std::unexpected(answer.error());
  return std::get<std::vector<Submitted>>(std::move(*answer));
}

Result<Submitted> Engine::submit(TaskSpec task) {
  std::vector<TaskSpec> tasks;
  tasks.push_back(std::move(task));
  auto submitted = submit(std::move(tasks));
  if (!submitted) return std::unexpected(submitted.error());
  return submitted->front();
}

void Engine::submit(std::vector<TaskSpec> tasks,
                    std::function<void(Result<std::vector<Submitted>>)> done) {
  tell(EnqueueTasks{std::move(tasks)}, [done = std::move(done)](Result<Answer> answer) {
    if (!answer) return done(std::unexpected(answer.error()));
    done(std::get<std::vector<Submitted>>(std::move(*answer)));
  });
}

Result<CancelOutcome> Engine::cancel(TaskId id, std::string reason) {
  auto answer = ask(CancelTask{id, std::move(reason)});
  if (!answer) return std::unexpected(answer.error());
  return std::get<CancelOutcome>(*answer);
}

Result<std::size_t> Engine::change(TaskChange change, std::vector<TaskId> ids, std::string reason,
                                   Conflicts conflicts) {
  auto answer = ask(ChangeTasks{.ids = std::move(ids),
                                .change = change,
                                .reason = std::move(reason),
                                .skips = conflicts == Conflicts::skip});
  if (!answer) return std::unexpected(answer.error());
  return std::get<Changed>(*answer).tasks;
}

Result<void> Engine::review(std::vector<TaskId> ids, ReviewDecision decision) {
  return ask_without_answer(ReviewTasks{std::move(ids), decision});
}

Result<bool> Engine::try_take(std::string service, std::uint32_t tokens) {
  return take(std::move(service), {.tokens = tokens, .timeout = std::chrono::milliseconds(0)});
}

Result<bool> Engine::take(std::string service, TakeOptions options) {
  auto answer = std::make_shared<std::promise<Result<bool>>>();
  auto future = answer->get_future();
  take(std::move(service), options,
       [answer](Result<bool> taken) { answer->set_value(std::move(taken)); });
  return future.get();
}

void Engine::take(std::string service, TakeOptions options,
                  std::function<void(Result<bool>)> done) {
  const Time until = parts_->options.clock() + options.timeout;
  tell(TakeTokens{std::move(service), options.tokens, until},
       [done = std::move(done)](Result<Answer> answer) {
         if (!answer) return done(std::unexpected(answer.error()));
         done(std::get<bool>(*answer));
       });
}

void Engine::heartbeat(std::vector<HeldLease> leases,
                       std::function<void(Result<std::vector<LeaseStatus>>)> done) {
  if (leases.size() > limits::heartbeat_leases_max) {
    return done(fail(ErrorCode::invalid, "a heartbeat is of at most " +
                                             std::to_string(limits::heartbeat_leases_max) +
                                             " leases, not " + std::to_string(leases.size())));
  }
  Item item = Heartbeat{std::move(leases), std::move(done)};
  if (parts_->mailbox.put(std::move(item))) return;
  std::get<Heartbeat>(item).done(std::unexpected(parts_->refusal()));
}

Result<CircuitGate*> Engine::circuit(const std::string& service) {
  if (auto checked = check_service(service); !checked) return std::unexpected(checked.error());
  return &parts_->circuits->gate(service);
}

Result<EngineTrimReport> Engine::trim(const TrimOptions& options) {
  if (!parts_->checkpointer) {
    return fail(ErrorCode::refused, "an engine that writes no checkpoints cannot trim its log",
                "open it with EngineOptions::checkpoints.write");
  }
  return almanac::trim({.log = *parts_->log,
                        .state = [this] { return state(); },
                        .ask = [this](Command command) { return ask(std::move(command)); },
                        .checkpointer = *parts_->checkpointer},
                       options);
}

std::shared_ptr<const State> Engine::state() const { return parts_->published->state(); }

std::shared_ptr<const Publication> Engine::published() const { return parts_->published->now(); }

bool Engine::wait(const std::function<bool(const State&)>& wanted,
                  std::optional<std::chrono::milliseconds> timeout) const {
  std::optional<std::chrono::steady_clock::time_point> until;
  if (timeout) until = std::chrono::steady_clock::now() + *timeout;
  return parts_->published->wait(wanted, until);
}

const Log& Engine::log() const { return *parts_->log; }

void Engine::stop() {
  parts_->stopping = true;
  parts_->mailbox.put_always(Call([](Core& core) { core.stop(false); }));
}

void Engine::stop_at_once() {
  parts_->stopping = true;
  parts_->mailbox.put_always(Call([](Core& core) { core.stop(true); }));
}

bool Engine::stopping() const { return parts_->stopping; }

void Engine::wait_until_stopped() const { parts_->published->wait_for_end(); }

bool Engine::stopped() const { return parts_->published->ended(); }

std::optional<Error> Engine::failure() const { return parts_->published->failure(); }

}  // namespace almanac
