#include <almanac/engine/engine_parts.h>

#include <almanac/engine/advisors.h>
#include <almanac/engine/diagnostics.h>
#include <almanac/engine/gpu.h>
#include <almanac/engine/gpu_vulkan.h>
#include <almanac/engine/spawn.h>
#include <almanac/log/this_thread.h>
#include <almanac/snapshots/state_at.h>

#include <future>
#include <span>

namespace almanac {
namespace {

void say_health(std::span<const RecordedEvent> events) {
  for (const RecordedEvent& recorded : events) {
    const auto* changed = std::get_if<HealthChanged>(&recorded.event.body);
    if (changed == nullptr) continue;
    const bool is_worse = changed->to > changed->from;
    log_message(is_worse ? LogLevel::warning : LogLevel::info,
                "its health is " + std::string(name(changed->to)) + " after " +
                    std::string(name(changed->from)),
                {{"reasons", changed->reasons}});
  }
}

void take_turn(Core& core) { core.turn({}); }

}  // namespace

Result<void> Engine::Parts::assemble(std::unique_ptr<Log> opened, State state) {
  log = std::move(opened);
  core_log.emplace(*log);
  auto projected = InlineProjections::open(*log, options.folder / "projections",
                                           options.projections, state.position);
  if (!projected) return std::unexpected(projected.error());
  projections = std::move(*projected);
  projections.keep_by(options.checkpoints);
  published.emplace(std::move(state), projections.values());
  if (auto opened_keys = open_contexts(); !opened_keys) return opened_keys;
  auto report = [this](Command command) {
    (void)contexts->give_keys(command);
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
  if (!options.components.empty()) {
    healer.emplace(Healer::Surroundings{.clock = options.clock,
                                        .guard_socket = guard.socket(),
                                        .report = report,
                                        .on_switch = options.on_component},
                   options.components);
  }
  circuits.emplace(
      CircuitBoard::Surroundings{.clock = options.clock,
                                 .state = [this] { return published->state(); },
                                 .wake = [this] { mailbox.put_always(Call(&take_turn)); },
                                 .ask = [this](Command command) { return ask(std::move(command)); },
                                 .report = report,
                                 .on_move = options.on_circuit});
  if (auto advised = start_advisor(); !advised) return advised;
  prepare_models();
  core.emplace(Core::Parts{*core_log, loop, *attempts, *backups, *circuits, *published, projections,
                           healer ? &*healer : nullptr, advisor.get()},
               CoreOptions{.clock = options.clock,
                           .steady_clock = steady_time,
                           .stop_grace = options.stop_grace,
                           .fires_schedules = options.fires_schedules,
                           .output_bytes_max = options.output_bytes_max,
                           .retention = options.retention,
                           .health_hold = options.health_hold,
                           .on_events =
                               [this](const State& after, std::span<const RecordedEvent> events) {
                                 released(after, events);
                               },
                           .model_patience = options.models.patience,
                           .on_model_turns = [this] { models->wake(); }});
  if (options.handle_signals) loop.watch_signals();
  return {};
}

void Engine::Parts::released(const State& after, std::span<const RecordedEvent> events) {
  if (checkpointer) checkpointer->moved(after.position);
  say_health(events);
  if (options.on_gpu) tell_gpu_changes(after, events, options.on_gpu);
  if (advisor) advisor->moved();
  models->saw(events);
  if (options.on_events) options.on_events(after, events);
}

Result<void> Engine::Parts::start_advisor() {
  if (!options.advisor) return {};
  auto opened = Advisor::open(
      {.clock = options.clock,
       .state = [this] { return published->state(); },
       .log = *log,
       .wake = [this] { mailbox.put_always(Call(&take_turn)); },
       .processes = {.environment_allow = options.environment_allow,
                     .on_event = [this, pool = pool_of_advisor(options.advisor->name)](
                                     const PoolEvent& event) { tell(pool, event); }}},
      *options.advisor);
  if (!opened) return std::unexpected(opened.error());
  advisor = std::move(*opened);
  return {};
}

Result<void> Engine::Parts::open_contexts() {
  auto keys = UserKeys::open(options.folder);
  if (!keys) return std::unexpected(keys.error());
  contexts.emplace(
      UserContexts::Surroundings{
          .published = *published,
          .keys = std::move(*keys),
          .tell = [this](Command command, auto done) { tell(std::move(command), std::move(done)); },
          .on_forgotten = [this] { memories->drop_forgotten(); }},
      options.contexts);
  memories.emplace(MemoryIndexOptions{.keys = &contexts->keys()});
  return {};
}

// What finds the mailbox full, or closed, is missing; nobody waits for an answer.
void Engine::Parts::tell(const std::string& pool, const PoolEvent& event) {
  (void)mailbox.put(std::make_unique<Submission>(ReportPoolEvent{pool, event}, nullptr));
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

void Engine::Parts::start_gpu_watch() {
  if (!options.gpu_watch) return;
  gpu_watch.emplace(
      GpuWatch::Surroundings{
          .clock = options.clock,
          .read =
              [this, read = vulkan_reader(*options.gpu_watch)] {
                GpuReading reading = read();
                models->saw(reading);
                return reading;
              },
          .tell = [this](Command seen, auto done) { tell(std::move(seen), std::move(done)); }},
      *options.gpu_watch);
  models->start();
}

void Engine::Parts::prepare_models() {
  models.emplace(
      ModelRunner::Surroundings{
          .clock = options.clock,
          .state = [this] { return published->state(); },
          .tell = [this](Command step, auto done) { tell(std::move(step), std::move(done)); },
          .report =
              [this](Command uses) {
                mailbox.put_always(std::make_unique<Submission>(std::move(uses), nullptr));
              },
          .look = [this] { gpu_watch->look_now(); },
          .place = {.folder = std::filesystem::absolute(options.folder),
                    .environment = environment_of(options.environment_allow),
                    .guard_socket = guard.socket()},
          .gpus = options.gpu_watch.value_or(GpuWatchOptions()).setting},
      options.models);
}

// What has come is heard before anything is thought to be overdue, and in the order in which it
// came: what was told before a stop is on record.
// What comes meanwhile, often from here, is taken without being woken for it: a number of times, as
// processes, signals and the timer are to have their turn too.
constexpr int mailbox_takes_max = 8;

void Engine::Parts::wake(bool is_due) {
  for (int i = 0; i < mailbox_takes_max && !loop.stopped(); ++i) {
    auto items = mailbox.take();
    if (items.empty() && !is_due) return;
    take(std::move(items), std::exchange(is_due, false));
  }
  mailbox.leave();
}

void Engine::Parts::take(std::vector<Item> items, bool is_due) {
  for (Item& item : items) {
    if (auto* beat = std::get_if<Heartbeat>(&item)) beat->done(core->heard(beat->leases));
  }
  std::vector<std::unique_ptr<Submission>> submissions;
  for (Item& item : items) {
    if (auto* report = std::get_if<CommitReport>(&item)) core->committed(*report);
    if (auto* call = std::get_if<Call>(&item)) {
      if (!submissions.empty()) core->turn(std::exchange(submissions, {}));
      (*call)(*core);
    }
    if (auto* submission = std::get_if<std::unique_ptr<Submission>>(&item)) {
      submissions.push_back(std::move(*submission));
    }
  }
  if (is_due || !submissions.empty()) core->turn(std::move(submissions));
}

void Engine::Parts::run() {
  this_thread::set_name("almanac-loop");
  loop_thread = std::this_thread::get_id();
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

void Engine::Parts::tell(Command command, std::function<void(Result<Answer>)> done) {
  if (auto given = contexts->give_keys(command); !given) {
    return done(std::unexpected(given.error()));
  }
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

Result<void> Engine::Parts::check_may_wait() const {
  if (std::this_thread::get_id() != loop_thread.load()) return {};
  return fail(ErrorCode::refused,
              "a function that waits for the engine was called on the engine's own thread",
              "use the form of it that takes a function, or call it on another thread");
}

Result<Answer> Engine::Parts::ask(Command command) {
  if (auto checked = check_may_wait(); !checked) return std::unexpected(checked.error());
  auto answer = std::make_shared<std::promise<Result<Answer>>>();
  auto future = answer->get_future();
  tell(std::move(command),
       [answer](Result<Answer> result) { answer->set_value(std::move(result)); });
  return future.get();
}

}  // namespace almanac
