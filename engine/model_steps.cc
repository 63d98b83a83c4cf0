// The next step of one model, as it stands on record.
#include <almanac/engine/model_round.h>

#include <chrono>
#include <string>
#include <utility>

namespace almanac {
namespace {

constexpr Duration look_interval = std::chrono::milliseconds(50);
constexpr Duration look_interval_of_loads = std::chrono::seconds(1);
// A driver that does not answer keeps no load from beginning; it is not measured then.
constexpr Duration look_limit = std::chrono::seconds(1);

}  // namespace

void ModelRunner::step(Round& round, NameId id, const Model& model, ModelEntry& entry) {
  const bool has_lost_gpu = model.gpu && round.is_gone(*model.gpu);
  if (has_lost_gpu && entry.work) entry.work->stop.request_stop();
  // Where it comes back, nothing else is to go there while a piece of work still runs.
  if (has_lost_gpu && entry.work && !entry.work->result) return;
  if (has_lost_gpu && model.state != ModelState::loading) {
    return say(round, id, model, entry,
               {.kind = ModelStep::Kind::lost, .message = "its GPU is gone"});
  }
  switch (model.state) {
    case ModelState::absent:
    case ModelState::resident: return;
    case ModelState::loading:
    case ModelState::unloading: return load_or_unload(round, id, model, entry);
    case ModelState::settling: return settle(round, id, model, entry);
    case ModelState::releasing: return release(round, id, model, entry);
    case ModelState::unknown: return find_out(round, id, model, entry);
  }
}

// False while it waits for a look: the last one may show what has gone since.
bool ModelRunner::begin(Round& round, NameId id, const Model& model, ModelEntry& entry) {
  const GpuRoom* gpu = round.usable(*model.gpu);
  const bool has_looked = entry.look_number != looks_;
  const SteadyTime limit = entry.waiting_since + look_limit;
  if (gpu != nullptr && !has_looked && round.now < limit) {
    round.look_each(look_interval);
    round.consider(limit);
    return false;
  }
  entry.measure.reset();
  entry.free_before.reset();
  if (gpu != nullptr) entry.free_before = gpu->memory.available();
  const auto restless = table_->restless_until.find(entry.gpu);
  const bool is_restless = restless != table_->restless_until.end() && round.now < restless->second;
  if (gpu != nullptr && has_looked) {
    entry.measure.emplace(gpu->memory, round.held_on(*model.gpu), is_restless);
  }
  const bool is_load = model.state == ModelState::loading;
  surroundings_.begin_work(
      table_, entry, is_load ? ModelWork::Kind::load : ModelWork::Kind::unload,
      {.model = round.text(id), .gpu = entry.gpu, .bytes = model.bytes(), .stop = {}}, model,
      surroundings_.place);
  return true;
}

void ModelRunner::measure(const Round& round, const Model& model, ModelEntry& entry) {
  const GpuRoom* gpu = round.usable(*model.gpu);
  if (gpu != nullptr && entry.measure) entry.measure->see(gpu->memory, round.held_on(*model.gpu));
}

void ModelRunner::load_or_unload(Round& round, NameId id, const Model& model, ModelEntry& entry) {
  using Kind = ModelStep::Kind;
  const bool is_load = model.state == ModelState::loading;
  if (!entry.work && !begin(round, id, model, entry)) return;
  if (is_load) {
    measure(round, model, entry);
    round.look_each(look_interval_of_loads);
  }
  const SteadyTime late = entry.waiting_since + model.setting.timeout;
  if (!entry.work->result) {
    if (round.now >= late) entry.work->stop.request_stop();
    return round.now < late ? round.consider(late) : void();
  }
  ModelStep step{.kind = is_load ? Kind::loaded : Kind::unloaded, .took = entry.work->took};
  if (!*entry.work->result) {
    step.kind = is_load ? Kind::load_failed : Kind::unload_failed;
    step.message = entry.work->result->error().message;
    if (round.is_gone(*model.gpu)) step.message = "its GPU went: " + step.message;
    entry.failure = step.message;
  }
  say(round, id, model, entry, std::move(step));
}

void ModelRunner::settle(Round& round, NameId id, const Model& model, ModelEntry& entry) const {
  const SteadyTime limit = entry.waiting_since + options_.settle_limit;
  const GpuRoom* gpu = round.usable(*model.gpu);
  round.look_each(look_interval);
  round.consider(limit);
  measure(round, model, entry);
  bool has_come_to_rest = false;
  if (gpu != nullptr && entry.look_number != looks_) {
    has_come_to_rest = entry.look_before && is_steady(*entry.look_before, gpu->memory);
    entry.look_before = gpu->memory;
    entry.look_number = looks_;
  }
  if (!has_come_to_rest && round.now < limit) return;
  const bool is_measured = has_come_to_rest && entry.measure;
  say(round, id, model, entry,
      {.kind = ModelStep::Kind::measured,
       .bytes = is_measured ? entry.measure->learned(model.setting.bytes) : 0});
}

void ModelRunner::release(Round& round, NameId id, const Model& model, ModelEntry& entry) const {
  const SteadyTime limit = entry.waiting_since + options_.release_limit;
  const GpuRoom* gpu = round.usable(*model.gpu);
  round.look_each(look_interval);
  round.consider(limit);
  // What was free in front of the unload is not known: at least what comes free from now on is.
  if (gpu != nullptr && !entry.free_before) entry.free_before = gpu->memory.available();
  const std::uint64_t before = entry.free_before.value_or(0);
  const bool is_shown = gpu != nullptr && shows_release(before, gpu->memory, model.bytes());
  if (!is_shown && round.now < limit) return;
  const std::uint64_t now = gpu == nullptr ? 0 : gpu->memory.available();
  say(round, id, model, entry,
      {.kind = ModelStep::Kind::released,
       .bytes = now > before ? now - before : 0,
       .is = !is_shown});
}

// By its check where it has one; else it is unloaded, and known to be gone then.
void ModelRunner::find_out(Round& round, NameId id, const Model& model, ModelEntry& entry) {
  if (model.retry_at > round.room.now) {
    return round.consider(round.now + (model.retry_at - round.room.now));
  }
  if (commands_in(model.setting.commands.view()).check.empty()) {
    // Tasks of an engine before this one may use it still.
    if (has_one_on_its_way(round.room, *model.gpu) || round.room.uses[id].in_use > 0) return;
    return say(round, id, model, entry,
               {.kind = ModelStep::Kind::unload, .cause = ModelUnloadCause::unknown});
  }
  if (!entry.work) {
    return surroundings_.begin_work(
        table_, entry, ModelWork::Kind::check,
        {.model = round.text(id), .gpu = entry.gpu, .bytes = model.bytes(), .stop = {}}, model,
        surroundings_.place);
  }
  if (!entry.work->result) return;
  const bool is_loaded = entry.work->result->has_value();
  say(round, id, model, entry,
      {.kind = ModelStep::Kind::checked,
       .message = is_loaded ? std::string() : entry.work->result->error().message,
       .is = is_loaded});
}

}  // namespace almanac
