// Whom the runner of models serves, and what has to give way for that.
#include <almanac/engine/model_round.h>

#include <almanac/engine/limits.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

namespace almanac {
namespace {

// The load that it waited for has failed, however long ago; who came later waits for the next try.
bool has_failed_for(const ModelWaiter& waiter, const Model& model, const ModelEntry& entry) {
  return model.failures_in_row > 0 && waiter.since <= entry.failed_at;
}

}  // namespace

void ModelRunner::relieve(Round& round) {
  for (const GpuRoom& gpu : round.room.gpus) {
    const auto id = to_relieve(round.room, gpu.gpu);
    if (!id) continue;
    ModelEntry& entry = table_->entries[round.text(*id)];
    if (round.is_too_soon(entry)) continue;
    say(round, *id, *round.state->models.all.find(*id), entry,
        {.kind = ModelStep::Kind::unload, .cause = ModelUnloadCause::critical});
    round.room.moving.insert(gpu.gpu);
    round.room.uses[*id].is_leaving = true;
  }
}

// Those with the highest priority first, then in the order of coming. Who cannot be served holds
// nobody back.
void ModelRunner::serve(Round& round) {
  const auto priority_of = [&](const ModelWaiter& waiter) {
    const auto id = round.state->names.find(waiter.model);
    const Model* model = id ? round.state->models.all.find(*id) : nullptr;
    return model == nullptr ? 0 : model->setting.priority;
  };
  table_->waiters.sort([&](const ModelWaiter& one, const ModelWaiter& other) {
    return priority_of(one) > priority_of(other);
  });
  for (auto waiter = table_->waiters.begin(); waiter != table_->waiters.end();) {
    waiter = serve(round, *waiter) ? table_->waiters.erase(waiter) : std::next(waiter);
  }
}

// Behind who waits for a lease, whom a time-out tells to give up.
void ModelRunner::serve_tasks(Round& round) {
  const auto may_step = [&](NameId id) {
    const ModelEntry& entry = table_->entries[round.text(id)];
    return !round.is_too_soon(entry) && !entry.is_busy;
  };
  for (const ModelTurn& turn : round.turns.steps) {
    if (round.room.moving.contains(turn.gpu)) continue;
    const NameId moved = turn.evicts ? turn.victim : turn.model;
    if (!may_step(moved) || (turn.evicts && round.room.uses[moved].in_use > 0)) continue;
    ModelStep step{.kind = ModelStep::Kind::load,
                   .gpu = round.text(turn.gpu),
                   .bytes = round.state->models.all.find(moved)->bytes()};
    if (turn.evicts) {
      step = {.kind = ModelStep::Kind::unload,
              .other = round.text(turn.model),
              .cause = ModelUnloadCause::room};
    }
    const Model& model = *round.state->models.all.find(moved);
    say(round, moved, model, table_->entries[round.text(moved)], std::move(step));
    round.room.uses[moved].is_leaving = true;
    round.room.moving.insert(turn.gpu);
  }
  const auto& next = round.turns.next;
  if (next) round.consider(round.now + std::max(*next - round.room.now, Duration(0)));
}

// What is refused as too late has nothing done for it: it is only told why.
bool ModelRunner::serve(Round& round, ModelWaiter& waiter) {
  const auto answer = [&](Result<ModelLease> result) {
    auto shared = std::make_shared<Result<ModelLease>>(std::move(result));
    round.answers.push_back([done = std::move(waiter.done), shared] { done(std::move(*shared)); });
    return true;
  };
  std::string reason;
  while (true) {
    const auto id = round.state->names.find(waiter.model);
    const Model* model = id ? round.state->models.all.find(*id) : nullptr;
    if (model == nullptr) {
      return answer(fail(ErrorCode::not_found, "there is no model '" + waiter.model + "'",
                         "register it first"));
    }
    ModelEntry& entry = table_->entries[waiter.model];
    if (waiter.unloads) {
      if (serve_unload(round, waiter, *id, *model, entry)) return answer(ModelLease());
      reason = "it is " + std::string(name(model->state)) +
               (round.room.uses[*id].in_use > 0
                    ? ", and used by " + std::to_string(round.room.uses[*id].in_use)
                    : "");
      break;
    }
    const bool is_to_go = std::ranges::any_of(table_->waiters, [&](const ModelWaiter& other) {
      return other.unloads && other.model == waiter.model;
    });
    if (entry.is_open && !is_to_go) {
      auto lease = lease_of(table_, waiter, entry, round.room.now);
      // For those who are served later in this round.
      ++round.room.uses[*id].in_use;
      round.room.uses[*id].used_at = entry.used_at;
      return answer(std::move(lease));
    }
    bool is_hopeless = false;
    reason = entry.reason = admit(round, waiter, *id, *model, entry, is_hopeless);
    if (is_hopeless && degrade(round, waiter, *model, reason)) continue;
    if (is_hopeless && model->retry_at > round.room.now) {
      round.consider(round.now + (model->retry_at - round.room.now));
    }
    if (is_hopeless && has_failed_for(waiter, *model, entry)) {
      return answer(fail(ErrorCode::model_loading,
                         "the model '" + waiter.model + "' cannot be loaded: " + reason,
                         "it is tried again by whoever uses it in a while"));
    }
    break;
  }
  if (round.now >= waiter.until) {
    return answer(fail(ErrorCode::timed_out,
                       "the model '" + waiter.model + "' was not ready in time: " + reason,
                       "`almanac model list` shows what is loaded"));
  }
  round.consider(waiter.until);
  return false;
}

bool ModelRunner::serve_unload(Round& round, const ModelWaiter& waiter, NameId id,
                               const Model& model, ModelEntry& entry) {
  if (model.state == ModelState::absent && !entry.is_busy) return true;
  const bool may_go = round.now < waiter.until && model.state == ModelState::resident &&
                      !entry.is_busy && round.room.uses[id].in_use == 0 &&
                      !has_one_on_its_way(round.room, *model.gpu);
  if (may_go && !round.is_too_soon(entry)) {
    say(round, id, model, entry,
        {.kind = ModelStep::Kind::unload, .cause = ModelUnloadCause::asked});
    round.room.uses[id].is_leaving = true;
    round.room.moving.insert(*model.gpu);
  }
  return false;
}

std::string ModelRunner::admit(Round& round, const ModelWaiter& waiter, NameId id,
                               const Model& model, ModelEntry& entry, bool& is_hopeless) {
  if (model.state != ModelState::absent || entry.is_busy) {
    return "it is " + std::string(name(model.state));
  }
  const bool is_to_wait = model.failures_in_row > 0 && model.retry_at > round.room.now;
  if (is_to_wait || has_failed_for(waiter, model, entry)) {
    is_hopeless = true;
    return entry.failure.empty() ? "its last load has failed" : entry.failure;
  }
  LoadPlan plan = plan_load(round.room, round.state->names, id);
  is_hopeless = plan.kind == LoadPlan::Kind::no_way;
  if (round.now >= waiter.until) {
    return plan.kind == LoadPlan::Kind::load ? "there is room for it only now" : plan.reason;
  }
  const bool moves = plan.kind == LoadPlan::Kind::load || plan.kind == LoadPlan::Kind::evict;
  ModelEntry& moved =
      plan.kind == LoadPlan::Kind::evict ? table_->entries[round.text(plan.evict.front())] : entry;
  if (moves && round.is_too_soon(moved)) return "a step of it was refused, and is tried again soon";
  if (plan.kind == LoadPlan::Kind::load) {
    say(round, id, model, entry,
        {.kind = ModelStep::Kind::load, .gpu = round.text(plan.gpu), .bytes = model.bytes()});
    round.room.moving.insert(plan.gpu);
    return "it is being loaded";
  }
  // One at a time: what comes free is then that one's, and what is still missing is planned anew.
  if (plan.kind == LoadPlan::Kind::evict) {
    const NameId other = plan.evict.front();
    say(round, other, *round.state->models.all.find(other), moved,
        {.kind = ModelStep::Kind::unload, .other = waiter.model, .cause = ModelUnloadCause::room});
    round.room.uses[other].is_leaving = true;
    round.room.moving.insert(plan.gpu);
  }
  return plan.reason;
}

bool ModelRunner::degrade(const Round& round, ModelWaiter& waiter, const Model& model,
                          const std::string& reason) const {
  const auto& alternative = model.setting.alternative;
  const bool may = waiter.may_degrade && alternative &&
                   round.state->models.all.contains(*alternative) &&
                   waiter.alternatives < limits::model_alternatives_max;
  if (!may) return false;
  waiter.model = round.text(*alternative);
  waiter.reason = reason;
  ++waiter.alternatives;
  return true;
}

}  // namespace almanac
