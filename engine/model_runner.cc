#include <almanac/engine/model_runner.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/model_round.h>
#include <almanac/log/this_thread.h>
#include <almanac/projections/lane_claims.h>

#include <algorithm>
#include <chrono>
#include <list>
#include <utility>

namespace almanac {
namespace {

constexpr Duration tell_interval = std::chrono::seconds(1);

Error stopped_models() {
  return {ErrorCode::stopped, "the engine is stopping and loads no more models",
          "try again when the engine runs"};
}

bool is_of_models(const EventBody& body) {
  return std::visit(
      [](const auto& event) {
        if constexpr (requires { event.model; }) return true;
        return requires { event.device; };
      },
      body);
}

bool fits(ModelWork::Kind kind, ModelState state) {
  switch (kind) {
    case ModelWork::Kind::load: return state == ModelState::loading;
    case ModelWork::Kind::unload: return state == ModelState::unloading;
    case ModelWork::Kind::check: return state == ModelState::unknown;
  }
  return false;
}

}  // namespace

ModelRunner::ModelRunner(Surroundings surroundings, const ModelOptions& options)
    : surroundings_(std::move(surroundings)),
      options_(options),
      table_(std::make_shared<ModelTable>()) {}

void ModelRunner::start() {
  std::call_once(started_, [this] {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  });
}

void ModelRunner::set_functions(const ModelSpec& model) {
  const std::lock_guard lock(table_->mutex);
  ModelEntry& entry = table_->entries[model.name];
  entry.on_load = model.on_load;
  entry.on_unload = model.on_unload;
  table_->wake();
}

ModelLease lease_of(const std::shared_ptr<ModelTable>& table, const ModelWaiter& waiter,
                    ModelEntry& entry, Time now) {
  ++entry.in_use;
  ++entry.untold_uses;
  entry.used_at = now;
  if (waiter.model != waiter.wanted) {
    ModelEntry& wanted = table->entries[waiter.wanted];
    ++wanted.untold_degraded[waiter.model];
    wanted.degraded_for = waiter.reason;
  }
  if (!entry.is_lost) entry.is_lost = std::make_shared<std::atomic<bool>>(false);
  return {waiter.wanted, waiter.model, entry.gpu, entry.is_lost, [table, model = waiter.model] {
            const std::lock_guard lock(table->mutex);
            --table->entries[model].in_use;
            table->wake();
          }};
}

void ModelRunner::use(ModelWaiter waiter) {
  const Time now = surroundings_.clock();
  waiter.since = surroundings_.steady_clock();
  std::unique_lock lock(table_->mutex);
  if (table_->has_stopped) {
    lock.unlock();
    return waiter.done(std::unexpected(stopped_models()));
  }
  const auto found = table_->entries.find(waiter.model);
  const bool is_there = !waiter.unloads && found != table_->entries.end() && found->second.is_open;
  if (is_there && std::ranges::none_of(table_->waiters, [&](const ModelWaiter& other) {
        return other.unloads && other.model == waiter.model;
      })) {
    ModelLease lease = lease_of(table_, waiter, found->second, now);
    table_->wake();
    lock.unlock();
    return waiter.done(std::move(lease));
  }
  table_->waiters.push_back(std::move(waiter));
  table_->wake();
}

std::vector<ModelStatus> ModelRunner::status() const {
  const auto state = surroundings_.state();
  const std::lock_guard lock(table_->mutex);
  std::vector<ModelStatus> all;
  for (const auto& [id, model] : state->models.all) {
    ModelStatus& one = all.emplace_back();
    one.name = state->names.text(id);
    one.model = model;
    if (model.gpu) one.gpu = state->names.text(*model.gpu);
    const auto found = table_->entries.find(one.name);
    if (found == table_->entries.end()) continue;
    one.in_use = found->second.in_use;
    for (const ModelWaiter& waiter : table_->waiters) one.waiting += waiter.model == one.name;
    if (one.waiting > 0) one.reason = found->second.reason;
  }
  std::ranges::sort(all, {}, &ModelStatus::name);
  return all;
}

void ModelRunner::saw(const GpuReading& reading) {
  const std::lock_guard lock(table_->mutex);
  seen_ = reading;
  ++looks_;
  table_->wake();
}

void ModelRunner::saw(std::span<const RecordedEvent> events) {
  const bool is_over = std::ranges::any_of(events, [](const RecordedEvent& one) {
    return std::holds_alternative<EngineStopped>(one.event.body);
  });
  if (is_over) return stop();
  if (std::ranges::none_of(events, is_of_models, [](const RecordedEvent& one) -> const EventBody& {
        return one.event.body;
      })) {
    return;
  }
  const std::lock_guard lock(table_->mutex);
  table_->wake();
}

bool ModelRunner::take_news() {
  const std::lock_guard lock(table_->mutex);
  return std::exchange(table_->has_news, false);
}

void ModelRunner::wake() {
  const std::lock_guard lock(table_->mutex);
  table_->wake();
}

std::vector<ReportModel> ModelRunner::take_uses() {
  std::vector<ReportModel> reports;
  for (auto& [name, entry] : table_->entries) {
    if (entry.untold_uses > 0) {
      reports.push_back({name,
                         {.kind = ModelStep::Kind::used,
                          .times = std::exchange(entry.untold_uses, 0),
                          .last = entry.used_at}});
    }
    for (const auto& [alternative, times] : std::exchange(entry.untold_degraded, {})) {
      reports.push_back({name,
                         {.kind = ModelStep::Kind::degraded,
                          .times = times,
                          .other = alternative,
                          .message = entry.degraded_for}});
    }
  }
  return reports;
}

void ModelRunner::flush() {
  std::unique_lock lock(table_->mutex);
  auto reports = take_uses();
  lock.unlock();
  for (ReportModel& one : reports) surroundings_.report(std::move(one));
}

void ModelRunner::stop() {
  std::list<ModelWaiter> refused;
  {
    const std::lock_guard lock(table_->mutex);
    table_->has_stopped = true;
    refused.swap(table_->waiters);
    for (auto& [name, entry] : table_->entries) {
      entry.is_open = false;
      if (entry.work) entry.work->stop.request_stop();
    }
    table_->wake();
  }
  for (ModelWaiter& waiter : refused) waiter.done(std::unexpected(stopped_models()));
}

void ModelRunner::end() {
  stop();
  thread_ = {};
  std::vector<std::unique_ptr<ModelWork>> left;
  {
    const std::lock_guard lock(table_->mutex);
    for (auto& [name, entry] : table_->entries) left.push_back(std::move(entry.work));
  }
}

void ModelRunner::run(const std::stop_token& stop) {
  this_thread::set_name("almanac-models");
  this_thread::give_way();
  while (!stop.stop_requested()) {
    const auto due = take_steps();
    std::unique_lock lock(table_->mutex);
    if (table_->has_stopped) return;
    const Duration wait = due ? std::max(*due - surroundings_.steady_clock(), Duration(1))
                              : limits::timer_interval_max;
    table_->changed.wait_for(lock, stop, wait, [&] { return table_->has_news; });
    table_->has_news = false;
  }
}

// What is said of it comes back as a change of the state.
void ModelRunner::tell(Said said) {
  const std::string name = said.model;
  surroundings_.tell(
      ReportModel{std::move(said.model), std::move(said.step)},
      [table = table_, name, clock = surroundings_.steady_clock](const Result<Answer>& answer) {
        if (answer) return;
        const std::lock_guard lock(table->mutex);
        ModelEntry& entry = table->entries[name];
        entry.is_busy = false;
        entry.is_leaving = false;
        entry.told_next = clock() + tell_interval;
        table->wake();
      });
}

std::optional<SteadyTime> ModelRunner::take_steps() {
  std::unique_lock lock(table_->mutex);
  if (table_->has_stopped) return {};
  Round round = begin_round();
  see_models(round);
  relieve(round);
  round.turns = model_turns(round.room, round.state->names, wanted_models(*round.state),
                            options_.patience, wanted_memory(*round.state));
  for (const auto& [id, other] : round.turns.closed) {
    table_->entries[round.text(id)].is_open = false;
  }
  serve(round);
  serve_tasks(round);
  std::vector<ReportModel> reports;
  if (round.now >= uses_told_ + limits::model_use_interval) {
    reports = take_uses();
    if (!reports.empty()) uses_told_ = round.now;
  }
  for (const auto& [name, entry] : table_->entries) {
    if (entry.untold_uses + entry.untold_degraded.size() == 0) continue;
    round.consider(uses_told_ + limits::model_use_interval);
  }
  const bool looks = is_time_to_look(round);
  lock.unlock();
  round.dropped.clear();
  for (Said& said : round.said) tell(std::move(said));
  for (ReportModel& one : reports) surroundings_.report(std::move(one));
  for (auto& answer : round.answers) answer();
  if (looks) surroundings_.look();
  return round.due;
}

bool ModelRunner::is_time_to_look(Round& round) {
  if (!round.look_every) return false;
  const bool is_time = round.now >= looked_ + *round.look_every;
  if (is_time) looked_ = round.now;
  round.consider(looked_ + *round.look_every);
  return is_time;
}

ModelRunner::Round ModelRunner::begin_round() const {
  auto state = surroundings_.state();
  Round round{.state = state,
              .now = surroundings_.steady_clock(),
              .room = {.models = state->models,
                       .gpus = rooms_of(*state),
                       .uses = {},
                       .moving = {},
                       .now = surroundings_.clock()},
              .said = {},
              .answers = {},
              .dropped = {},
              .look_every = {},
              .due = {},
              .turns = {}};
  round.room.held = held_memory(*state, round.room.now);
  if (looks_ > 0) refresh(round.room.gpus, *state, seen_, surroundings_.gpus);
  return round;
}

void ModelRunner::see_models(Round& round) {
  const auto note = [&](NameId id, const ModelEntry& entry) {
    const auto moving = entry.is_busy ? round.state->names.find(entry.target) : std::nullopt;
    if (moving) round.room.moving.insert(*moving);
    const auto tasks = static_cast<std::uint32_t>(tasks_with(*round.state, id));
    round.room.uses[id] = {entry.in_use + tasks, entry.used_at, entry.is_busy};
  };
  // All of them first: a step looks at what the others do.
  for (const auto& [id, model] : round.state->models.all) {
    ModelEntry& entry = table_->entries[round.text(id)];
    follow(round, model, entry);
    note(id, entry);
  }
  for (const auto& [id, model] : round.state->models.all) {
    ModelEntry& entry = table_->entries[round.text(id)];
    if (!entry.is_busy && round.now >= entry.told_next) step(round, id, model, entry);
    if (round.now < entry.told_next) round.consider(entry.told_next);
    note(id, entry);
  }
}

// What the state has become since the last round.
void ModelRunner::follow(Round& round, const Model& model, ModelEntry& entry) const {
  if (entry.is_busy && model.changed != entry.busy_since) {
    entry.is_busy = false;
    entry.is_leaving = false;
    entry.target.clear();
  }
  if (entry.waiting_at != model.changed) {
    entry.waiting_at = model.changed;
    entry.waiting_since = round.now;
    const ModelState before = std::exchange(entry.state, model.state);
    const bool has_failed = before == ModelState::loading && model.state == ModelState::absent;
    if (has_failed) entry.failed_at = round.now;
    entry.look_before.reset();
    entry.look_number = looks_;
  }
  if (entry.work && !fits(entry.work->kind, model.state)) {
    entry.work->stop.request_stop();
    if (entry.work->result) round.dropped.push_back(std::move(entry.work));
  }
  entry.gpu = model.gpu ? round.text(*model.gpu) : std::string();
  entry.is_open = model.is_loaded() && !entry.is_leaving && !round.is_gone(*model.gpu);
  if (model.state == ModelState::absent) entry.is_lost.reset();
  if (model.is_loaded()) entry.failure.clear();
}

void ModelRunner::say(Round& round, NameId id, const Model& model, ModelEntry& entry,
                      ModelStep step) const {
  entry.is_busy = true;
  entry.busy_since = model.changed;
  entry.target = step.kind == ModelStep::Kind::load ? step.gpu : entry.gpu;
  entry.is_leaving = step.kind == ModelStep::Kind::unload || step.kind == ModelStep::Kind::lost;
  if (entry.is_leaving) entry.is_open = false;
  if (step.kind == ModelStep::Kind::lost && entry.is_lost) *entry.is_lost = true;
  const bool may_come_free = step.kind == ModelStep::Kind::load_failed ||
                             step.kind == ModelStep::Kind::unload_failed ||
                             (step.kind == ModelStep::Kind::released && step.is);
  if (may_come_free) table_->restless_until[entry.gpu] = round.now + options_.release_limit;
  round.said.push_back({round.text(id), std::move(step)});
}

}  // namespace almanac
