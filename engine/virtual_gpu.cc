#include <almanac/engine/virtual_gpu.h>

#include <almanac/engine/dispatch.h>
#include <almanac/engine/limits.h>
#include <almanac/projections/lane_claims.h>

#include <algorithm>
#include <string>
#include <utility>

namespace almanac {
namespace {

constexpr const char* virtual_gpu_name = "virtual";

GpuReading empty_gpu(std::uint64_t bytes) {
  GpuReading reading;
  reading.devices.push_back(
      {.device = virtual_gpu_name,
       .name = virtual_gpu_name,
       .kind = GpuKind::discrete,
       .heaps = {{.memory = {.size = bytes, .own = 0, .budget = bytes}, .is_local = true}}});
  return reading;
}

}  // namespace

std::string_view name(ModelOrder order) {
  return order == ModelOrder::batched ? "batched" : "first_come";
}

Result<void> VirtualGpu::begin(Time now) {
  if (!settings_.is_set()) return {};
  if (settings_.memory == 0) {
    return fail(ErrorCode::invalid, "nothing says how much memory the GPU has",
                "say it: --gpu-memory 24GiB");
  }
  auto seen =
      apply_(ReportGpu{.reading = empty_gpu(settings_.memory), .setting = {}, .is_due = true});
  if (!seen) return seen;
  for (const ModelSpec& one : settings_.models) {
    if (one.bytes > settings_.memory) {
      return fail(ErrorCode::invalid, "the model '" + one.name + "' is larger than the GPU",
                  "give it more memory: --gpu-memory");
    }
    ModelSpec model = one;
    model.gpu.clear();
    if (auto added = apply_(RegisterModel{std::move(model)}); !added) return added;
  }
  return advance(now);
}

Result<void> VirtualGpu::advance(Time now) {
  if (!settings_.is_set()) return {};
  if (auto ended = end_loads(now); !ended) return ended;
  while (true) {
    const bool is_batched = settings_.order == ModelOrder::batched;
    auto moved = is_batched ? take_turns(now) : serve_first(now);
    if (!moved) return std::unexpected(moved.error());
    if (!*moved) break;
    if (auto ended = end_loads(now); !ended) return ended;
  }
  follow_waits(now);
  return {};
}

std::optional<Time> VirtualGpu::next() const {
  std::optional<Time> next = turns_.next;
  if (!loading_.empty() && (!next || loading_.begin()->first < *next)) {
    next = loading_.begin()->first;
  }
  return next;
}

Result<void> VirtualGpu::end_loads(Time now) {
  while (!loading_.empty() && loading_.begin()->first <= now) {
    const NameId model = loading_.extract(loading_.begin()).mapped();
    auto ended = report(model, {.kind = ModelStep::Kind::loaded, .took = spec(model).load_time});
    if (ended) ended = report(model, {.kind = ModelStep::Kind::measured});
    if (!ended) return ended;
  }
  return {};
}

// Whether something was done.
Result<bool> VirtualGpu::take_turns(Time now) {
  turns_ = model_turns(state_, now, settings_.patience);
  for (const ModelTurn& turn : turns_.steps) {
    auto done = turn.evicts ? unload(turn.victim, turn.model) : load(turn.model, now);
    if (!done) return std::unexpected(done.error());
  }
  return !turns_.steps.empty();
}

std::optional<NameId> VirtualGpu::absent_model_of(const Lane& lane) const {
  for (const LaneClaim& claim : claims_of(state_, lane)) {
    const bool is_absent =
        claim.on == ClaimOn::model && !is_usable(state_, *state_.models.all.find(claim.limit));
    if (is_absent) return claim.limit;
  }
  return std::nullopt;
}

Result<bool> VirtualGpu::serve_first(Time now) {
  const auto first =
      ReadyQueue(state_, [&](const Lane& lane) { return !state_.pauses.hold_back(lane); }).next();
  only_ = first ? std::optional(first->id) : std::optional(TaskId());
  const auto missing = first ? absent_model_of(first->lane) : std::nullopt;
  if (!loading_.empty()) return false;
  if (!missing) return first ? make_room(first->lane, now) : Result<bool>(false);
  const ModelRoom room = room_of(state_, now);
  const NameId gpu = room.gpus.front().gpu;
  if (can_load(room, gpu, state_.models.all.find(*missing)->bytes())) {
    if (auto begun = load(*missing, now); !begun) return std::unexpected(begun.error());
    return true;
  }
  const auto victim = used_longest_ago();
  if (!victim) return false;
  if (auto gone = unload(*victim, *missing); !gone) return std::unexpected(gone.error());
  return true;
}

// For memory that its first task asks for.
Result<bool> VirtualGpu::make_room(const Lane& lane, Time now) {
  for (const LaneClaim& claim : claims_of(state_, lane)) {
    if (claim.on != ClaimOn::gpu_memory) continue;
    const auto victim = used_longest_ago();
    if (room_for(state_, claim, now).free >= claim.amount || !victim) return false;
    if (auto gone = unload(*victim, claim.limit); !gone) return std::unexpected(gone.error());
    return true;
  }
  return false;
}

std::optional<NameId> VirtualGpu::used_longest_ago() const {
  std::optional<NameId> oldest;
  Time oldest_use;
  for (const auto& [id, model] : state_.models.all) {
    if (model.state != ModelState::resident || tasks_with(state_, id) > 0) continue;
    const Time used_at = std::max(model.used_at, model.loaded_at);
    if (oldest && used_at >= oldest_use) continue;
    oldest = id;
    oldest_use = used_at;
  }
  return oldest;
}

Result<void> VirtualGpu::load(NameId model, Time now) {
  const Duration takes = spec(model).load_time;
  ++report_.loads;
  report_.loading += takes;
  loading_.emplace(now + takes, model);
  return report(model, {.kind = ModelStep::Kind::load,
                        .gpu = virtual_gpu_name,
                        .bytes = state_.models.all.find(model)->bytes()});
}

Result<void> VirtualGpu::unload(NameId model, NameId other) {
  ++report_.evictions;
  auto done = report(model, {.kind = ModelStep::Kind::unload,
                             .other = std::string(state_.names.text(other)),
                             .cause = ModelUnloadCause::room});
  if (done) done = report(model, {.kind = ModelStep::Kind::unloaded});
  return done ? report(model, {.kind = ModelStep::Kind::released}) : done;
}

Result<void> VirtualGpu::report(NameId model, ModelStep step) {
  return apply_(ReportModel{std::string(state_.names.text(model)), std::move(step)});
}

const ModelSpec& VirtualGpu::spec(NameId model) const {
  return *std::ranges::find(settings_.models, state_.names.text(model), &ModelSpec::name);
}

// From when a model is wanted that is not there until it is loaded.
void VirtualGpu::follow_waits(Time now) {
  const auto wanted = wanted_models(state_);
  for (auto entry = waits_.begin(); entry != waits_.end();) {
    const Model& model = *state_.models.all.find(entry->first);
    if (wanted.contains(entry->first) && !model.is_loaded()) {
      ++entry;
      continue;
    }
    const Duration waited = now - entry->second.since;
    const Duration most = bound(entry->second.ahead.value_or(0));
    if (waited > most) ++report_.beyond;
    if (waited > report_.longest_wait) {
      report_.longest_wait = waited;
      report_.bound = most;
    }
    entry = waits_.erase(entry);
  }
  for (const auto& [id, since] : wanted) {
    if (state_.models.all.find(id)->is_loaded()) continue;
    Wait& wait = waits_.emplace(id, Wait{now, {}}).first->second;
    if (wait.ahead || now < since + settings_.patience) continue;
    wait.ahead = 0;
    for (const auto& [other, other_since] : wanted) {
      const bool waits = !state_.models.all.find(other)->is_loaded() && other != id;
      if (waits && other_since <= since) ++*wait.ahead;
    }
  }
}

Duration VirtualGpu::bound(std::uint64_t ahead) const {
  Duration residency{0};
  Duration load_time{0};
  for (const ModelSpec& one : settings_.models) {
    residency = std::max(residency, one.residency);
    load_time = std::max(load_time, one.load_time);
  }
  const Duration turn =
      std::max({settings_.patience, residency, Duration(1)}) + longest_attempt_ + load_time;
  return settings_.patience + static_cast<std::int64_t>(ahead + 1) * turn;
}

}  // namespace almanac
