#include <almanac/engine/engine.h>

#include <almanac/engine/backups.h>
#include <almanac/engine/circuits.h>
#include <almanac/engine/diagnostics.h>
#include <almanac/engine/engine_parts.h>
#include <almanac/engine/implementations.h>
#include <almanac/engine/pool_memory.h>
#include <almanac/engine/trimming.h>
#include <almanac/log/hash.h>
#include <almanac/snapshots/state_at.h>
#include <almanac/version.h>

#include <unistd.h>

#include <algorithm>
#include <future>
#include <thread>
#include <utility>

namespace almanac {
namespace {

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
  if (auto checked = check(options.components); !checked) return checked;
  if (options.gpu_watch) {
    if (auto checked = check(*options.gpu_watch); !checked) return checked;
  }
  if (auto checked = check_contexts(options.contexts); !checked) return checked;
  return check(options.backups);
}

}  // namespace

Time system_time() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

Result<std::unique_ptr<Engine>> Engine::open(EngineOptions options) {
  if (auto checked = check(options); !checked) return std::unexpected(checked.error());
  if (options.slots == 0) options.slots = std::max(1U, std::thread::hardware_concurrency());
  if (options.seed == 0) options.seed = draw_seed();
  if (!options.backups.repository.empty()) {
    options.backups.repository = std::filesystem::absolute(options.backups.repository);
  }
  for (ComponentSpec& component : options.components) {
    component.folder = std::filesystem::absolute(component.folder);
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
  auto reached = reach_state(**log, parts->options.folder, {}, {}, Loading::whole);
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
                                         .backups = settings.backups.jobs,
                                         .components = settings.components});
  if (!started) return std::unexpected(started.error());
  engine->parts_->start_gpu_watch();
  if (auto applied = engine->contexts().apply_ledger(); !applied) {
    return std::unexpected(applied.error());
  }
  note("the engine has started", {{"version", version}, {"slots", settings.slots}});
  return engine;
}

Engine::Engine(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Engine::~Engine() {
  stop();
  parts_->thread.join();
  parts_->models->end();  // before the watch of GPUs, which it asks
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
  parts_->mailbox.put_always(
      Parts::Call([parts = parts_.get(), command = std::move(command),
                   implementations = std::move(implementations)](Core& core) {
        parts->attempts->set_handlers(command.kind, implementations, command.versions,
                                      parts->options.clock());
        std::vector<std::unique_ptr<Submission>> submissions;
        submissions.push_back(std::make_unique<Submission>(command, nullptr));
        core.turn(std::move(submissions));
      }));
}

Result<std::vector<Submitted>> Engine::submit_all(std::vector<TaskSpec> tasks) {
  auto answer = ask(EnqueueTasks{std::move(tasks)});
  if (!answer) return std::unexpected(answer.error());
  return std::get<std::vector<Submitted>>(std::move(*answer));
}

Result<Submitted> Engine::submit(TaskSpec task) {
  std::vector<TaskSpec> tasks;
  tasks.push_back(std::move(task));
  auto submitted = submit_all(std::move(tasks));
  if (!submitted) return std::unexpected(submitted.error());
  return submitted->front();
}

void Engine::submit(std::vector<TaskSpec> tasks,
                    std::function<void(Result<std::vector<Submitted>>)> done) {
  tell(EnqueueTasks{std::move(tasks)}, pooled([done = std::move(done)](Result<Answer> answer) {
         if (!answer) return done(std::unexpected(answer.error()));
         done(std::get<std::vector<Submitted>>(std::move(*answer)));
       }));
}

Result<CancelOutcome> Engine::cancel(TaskId id, std::string reason,
                                     std::optional<Position> expected) {
  auto answer = ask(CancelTask{id, std::move(reason), expected});
  if (!answer) return std::unexpected(answer.error());
  return std::get<CancelOutcome>(*answer);
}

Result<std::size_t> Engine::change(TaskChange change, std::vector<TaskId> ids, std::string reason,
                                   Conflicts conflicts, std::optional<Position> expected) {
  auto answer = ask(ChangeTasks{.ids = std::move(ids),
                                .change = change,
                                .reason = std::move(reason),
                                .skips = conflicts == Conflicts::skip,
                                .expected = expected});
  if (!answer) return std::unexpected(answer.error());
  return std::get<Changed>(*answer).tasks;
}

void Engine::record(std::vector<AuditNote> notes, std::function<void(Result<void>)> done) {
  tell_without_answer(RecordAudits{std::move(notes)}, std::move(done));
}

Result<bool> Engine::try_take(std::string service, std::uint32_t tokens) {
  return take(std::move(service), {.tokens = tokens, .timeout = std::chrono::milliseconds(0)});
}

Result<bool> Engine::take(std::string service, TakeOptions options) {
  if (auto checked = parts_->check_may_wait(); !checked) return std::unexpected(checked.error());
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
  Parts::Item item = Parts::Heartbeat{std::move(leases), std::move(done)};
  if (parts_->mailbox.put(std::move(item))) return;
  std::get<Parts::Heartbeat>(item).done(std::unexpected(parts_->refusal()));
}

Result<PoolOptions> Engine::on_record(PoolOptions options) {
  if (auto checked = check_name("pool", options.name); !checked) {
    return std::unexpected(checked.error());
  }
  options.on_event = [parts = parts_.get(), name = options.name,
                      also = std::move(options.on_event)](const PoolEvent& event) {
    parts->tell(name, event);
    if (also) also(event);
  };
  return options;
}

Result<CircuitGate*> Engine::circuit(const std::string& service) {
  if (auto checked = check_service(service); !checked) return std::unexpected(checked.error());
  return &parts_->circuits->gate(service);
}

void Engine::check_gpus() {
  if (parts_->gpu_watch) parts_->gpu_watch->look_now();
}

UserContexts& Engine::contexts() const { return *parts_->contexts; }

void Engine::check_components(const std::string& component) {
  if (parts_->healer) parts_->healer->check_now(component);
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
  if (auto may = parts_->check_may_wait(); !may) {
    warn(describe(may.error()));
    return wanted(*state());
  }
  std::optional<std::chrono::steady_clock::time_point> until;
  if (timeout) until = std::chrono::steady_clock::now() + *timeout;
  return parts_->published->wait(wanted, until);
}

const Log& Engine::log() const { return *parts_->log; }

void Engine::stop() {
  parts_->stopping = true;
  parts_->models->flush();
  parts_->models->stop();
  parts_->mailbox.put_always(Parts::Call([](Core& core) { core.stop(false); }));
}

void Engine::stop_at_once() {
  parts_->stopping = true;
  parts_->models->stop();
  parts_->mailbox.put_always(Parts::Call([](Core& core) { core.stop(true); }));
}

bool Engine::stopping() const { return parts_->stopping; }

Result<void> Engine::wait_until_stopped() const {
  if (auto may = parts_->check_may_wait(); !may) return may;
  parts_->published->wait_for_end();
  return {};
}

bool Engine::stopped() const { return parts_->published->ended(); }

bool Engine::has_room() const { return parts_->published->has_room(); }
std::optional<Error> Engine::failure() const { return parts_->published->failure(); }

}  // namespace almanac
