#include <almanac/tests/simulation/simulated_models.h>

#include <almanac/tests/simulation/simulated_engine.h>

#include <algorithm>
#include <mutex>
#include <utility>

namespace almanac::test {

using namespace std::chrono_literals;

SimulatedGpuSettings draw_gpu_settings(Draw& draw) {
  SimulatedGpuSettings settings;
  settings.watch.setting.sample_interval = draw.between(5min, 30min);
  settings.watch.interval_min = draw.between(250ms, 2s);
  settings.watch.interval_max = draw.between(2s, 30s);
  settings.models.settle_limit = draw.between(1s, 10s);
  settings.models.release_limit = draw.between(1s, 20s);
  settings.models.patience = draw.between(1s, 1min);
  return settings;
}

SimulatedModels::SimulatedModels(SimulatedMachine& machine, Surroundings surroundings,
                                 const SimulatedGpuSettings& settings)
    : machine_(machine),
      gpus_(machine.gpus),
      surroundings_(std::move(surroundings)),
      settings_(settings),
      news_(settings.watch.setting),
      wait_(settings.watch.interval_min),
      runner_(
          {.clock = machine.clock,
           .state = surroundings_.state,
           .tell =
               [this](Command command, Done done) {
                 surroundings_.tell(std::move(command),
                                    [this, alive = std::weak_ptr(alive_),
                                     done = std::move(done)](const Result<Answer>& answer) {
                                      done(answer);
                                      if (!alive.expired()) wake();
                                    });
               },
           .report = surroundings_.report,
           .look = [this] { look_in(gpus_.draw().between(1us, 5ms)); },
           .place = {},
           .gpus = settings.watch.setting,
           .steady_clock = [&machine] { return SteadyTime(machine.agenda.now()); },
           .begin_work = [this](const std::shared_ptr<ModelTable>& table, ModelEntry& entry,
                                ModelWork::Kind kind, const ModelJob& job, const Model& model,
                                const ModelPlace&) { begin_job(table, entry, kind, job, model); }},
          settings.models) {}

SimulatedModels::~SimulatedModels() {
  alive_.reset();
  for (auto& [number, job] : jobs_) {
    if (gpus_.draw().chance(50)) (void)outcome_of(job);
  }
  gpus_.engine_ends();
}

void SimulatedModels::in(Duration wait, std::function<void()> action) {
  machine_.agenda.in(wait, [alive = std::weak_ptr(alive_), action = std::move(action)] {
    if (!alive.expired()) action();
  });
}

void SimulatedModels::begin() {
  has_begun_ = true;
  gpus_.is_watched();
  step_soon();
  look();
}

void SimulatedModels::saw(std::span<const RecordedEvent> events) {
  runner_.saw(events);
  wake();
}

void SimulatedModels::turns_have_changed() {
  runner_.wake();
  wake();
}

void SimulatedModels::wake() {
  if (has_begun_ && !is_awake_ && runner_.take_news()) step_soon();
}

void SimulatedModels::step_soon() {
  is_awake_ = true;
  in(gpus_.draw().between(1us, 1ms), [this] { step(); });
}

void SimulatedModels::stop(bool at_once) {
  if (!at_once) runner_.flush();
  runner_.stop();
}

void SimulatedModels::step() {
  is_awake_ = false;
  (void)runner_.take_news();
  const auto due = runner_.take_steps();
  const std::uint64_t mine = ++steps_;
  if (!due) return;
  const Duration wait = due->time_since_epoch() - machine_.agenda.now();
  in(std::max(wait, Duration(1us)), [this, mine] {
    if (steps_ == mine) step();
  });
}

// ---- The watch ----------------------------------------------------------------------------------

void SimulatedModels::look_in(Duration wait) {
  in(wait, [this, mine = ++looks_] {
    if (looks_ == mine) look();
  });
}

void SimulatedModels::look() {
  GpuReading reading = gpus_.read();
  runner_.saw(reading);
  wake();
  if (auto report = news_.take(reading, machine_.clock())) {
    surroundings_.tell(std::move(*report),
                       [this, alive = std::weak_ptr(alive_)](const Result<Answer>& answer) {
                         if (!answer && !alive.expired()) news_.forget();
                       });
  }
  wait_ = next_look(wait_, before_, reading, settings_.watch);
  before_ = std::move(reading);
  look_in(wait_);
}

// ---- Loads, unloads and checks ------------------------------------------------------------------

// It looks now and then whether it was told to stop.
void SimulatedModels::begin_job(const std::shared_ptr<ModelTable>& table, ModelEntry& entry,
                                ModelWork::Kind kind, const ModelJob& job, const Model& model) {
  Draw& draw = gpus_.draw();
  machine_.oracle.model_work_begins(kind, job.model, job.gpu);
  entry.work = std::make_unique<ModelWork>();
  entry.work->kind = kind;
  const std::uint64_t number = ++numbers_;
  const Duration now = machine_.agenda.now();
  Job& one = jobs_[number];
  one = {.table = table,
         .work = entry.work.get(),
         .job = job,
         .bytes = model.setting.bytes / 100 * (85 + draw.below(30)),
         .is_command = !model.setting.commands.view().empty(),
         .hangs = machine_.faults.strike(Fault::hanging_load, 20, draw),
         .began = now,
         .ends = now + draw.between(10ms, 20s)};
  in((one.ends - now) / 2, [this, number] { go_on(number); });
}

void SimulatedModels::go_on(std::uint64_t number) {
  Job& job = jobs_.at(number);
  const Duration now = machine_.agenda.now();
  if (now >= job.ends && !job.hangs) return end(number);
  if (job.work->stop.stop_requested() && gpus_.draw().chance(70)) return end(number);
  if (machine_.faults.healed()) job.hangs = false;
  in(job.hangs ? Duration(2s) : std::max(job.ends - now, Duration(1us)),
     [this, number] { go_on(number); });
}

void SimulatedModels::end(std::uint64_t number) {
  Job job = std::move(jobs_.extract(number).mapped());
  machine_.oracle.model_work_ends(job.job.model);
  auto result = outcome_of(job);
  {
    const std::lock_guard lock(job.table->mutex);
    job.work->took = machine_.agenda.now() - job.began;
    job.work->result = std::move(result);
    job.table->wake();
  }
  wake();
}

Result<void> SimulatedModels::outcome_of(const Job& job) {
  const auto& [model, gpu, declared, stop] = job.job;
  Draw& draw = gpus_.draw();
  const auto failed = [](const char* why) { return fail(ErrorCode::model_loading, why, ""); };
  if (job.work->stop.stop_requested()) return failed("it was stopped");
  if (job.work->kind == ModelWork::Kind::check) {
    return gpus_.holds(gpu, model) ? Result<void>() : failed("it is not loaded");
  }
  if (machine_.faults.strike(Fault::failing_load, 25, draw)) return failed("it did not work");
  if (job.work->kind == ModelWork::Kind::unload) {
    gpus_.unload(gpu, model);
    return {};
  }
  if (!gpus_.load(gpu, model, job.bytes, job.is_command)) return failed("out of memory");
  return {};
}

// ---- Programs that use models -------------------------------------------------------------------

void SimulatedModels::use(const std::string& model, Duration timeout, Duration holds) {
  const SteadyTime until(machine_.agenda.now() + timeout);
  runner_.use({.wanted = model,
               .model = model,
               .reason = {},
               .until = until,
               .done = [this, alive = std::weak_ptr(alive_), holds](Result<ModelLease> lease) {
                 if (!lease || alive.expired()) return;
                 hold(std::make_shared<ModelLease>(std::move(*lease)), holds);
               }});
  wake();
}

void SimulatedModels::hold(std::shared_ptr<ModelLease> lease, Duration holds) {
  const std::uint64_t number = ++numbers_;
  machine_.oracle.model_is_leased(lease->model(), number);
  require(gpus_.was_loaded(lease->gpu(), lease->model()),
          "a program was given the model " + lease->model() + ", which is not loaded");
  // Nobody is told of one that ends behind its engine.
  machine_.agenda.in(holds, [this, alive = std::weak_ptr(alive_), lease, number]() mutable {
    if (!alive.expired()) machine_.oracle.model_is_given_back(lease->model(), number);
    lease.reset();
    if (!alive.expired()) wake();
  });
}

void SimulatedModels::unload(const std::string& model, Duration timeout) {
  const SteadyTime until(machine_.agenda.now() + timeout);
  runner_.use({.wanted = model,
               .model = model,
               .reason = {},
               .until = until,
               .unloads = true,
               .done = [](const Result<ModelLease>&) {}});
  wake();
}

}  // namespace almanac::test
