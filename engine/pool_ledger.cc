#include <almanac/engine/pool_ledger.h>

#include <almanac/engine/limits.h>

#include <algorithm>

namespace almanac {
namespace {

using SlotState = PoolSlot::State;

bool is_over(SteadyTime since, Duration bound, SteadyTime now) {
  return bound > Duration(0) && now - since >= bound;
}

// What says that an instance does not work, rather than that it has served its time.
bool is_fault(PoolRetirement reason) {
  return reason == PoolRetirement::error || reason == PoolRetirement::probe ||
         reason == PoolRetirement::discarded;
}

}  // namespace

PoolLedger::PoolLedger(const PoolOptions& options)
    : size_(options.size),
      temporary_max_(options.temporary_max),
      temporary_after_(options.temporary_after),
      age_max_(options.age_max),
      uses_max_(options.uses_max),
      slow_after_(options.slow_after),
      probe_interval_(options.probe_interval),
      backoff_(options.backoff),
      backoff_max_(options.backoff_max),
      keeps_events_(static_cast<bool>(options.on_event)),
      is_lazy_(options.is_lazy) {
  idle_.reserve(size_ + temporary_max_);
}

PoolSlot* PoolLedger::take(SteadyTime now) {
  if (idle_.empty()) return nullptr;
  PoolSlot& slot = *idle_.back();
  idle_.pop_back();
  begin_use(slot, now);
  return &slot;
}

void PoolLedger::begin_use(PoolSlot& slot, SteadyTime now) {
  slot.state = SlotState::used;
  slot.since = now;
  ++slot.uses;
  ++used_;
  ++figures_.check_outs;
}

void PoolLedger::wait(PoolWaiter& waiter) {
  waiter.place_ = waiting_.insert(waiting_.end(), &waiter);
  ++figures_.waits;
}

bool PoolLedger::leave(PoolWaiter& waiter) {
  if (waiter.slot != nullptr) return false;
  take_out(waiter);
  ++figures_.timeouts;
  return true;
}

void PoolLedger::take_out(PoolWaiter& waiter) {
  waiting_.erase(waiter.place_);
  if (waiter.is_urgent_) --urgent_;
  if (urgent_ == 0 && waiting_.empty()) is_exhausted_ = false;
}

void PoolLedger::urge(SteadyTime now) {
  for (PoolWaiter* waiter : waiting_) {
    if (waiter->is_urgent_) continue;
    if (now < waiter->since + temporary_after_) break;
    waiter->is_urgent_ = true;
    ++urgent_;
    if (!std::exchange(is_exhausted_, true)) note({.kind = PoolEvent::Kind::exhausted});
  }
}

PoolWaiter* PoolLedger::take_late(SteadyTime now) {
  const auto late = std::ranges::find_if(waiting_, [&](const PoolWaiter* waiter) {
    return !waiter->is_thread && waiter->until <= now;
  });
  if (late == waiting_.end()) return nullptr;
  PoolWaiter* waiter = *late;
  (void)leave(*waiter);
  return waiter;
}

std::optional<SteadyTime> PoolLedger::wait_due() const {
  std::optional<SteadyTime> next;
  const auto at = [&](SteadyTime due) { next = next ? std::min(*next, due) : due; };
  for (const PoolWaiter* waiter : waiting_) {
    if (waiter->is_thread) continue;
    at(waiter->until);
    if (!waiter->is_urgent_) at(waiter->since + temporary_after_);
  }
  return next;
}

PoolWaiter* PoolLedger::give_back(PoolSlot& slot, const PoolVerdict& verdict, SteadyTime now) {
  const Duration took = now - slot.since;
  figures_.use += took;
  figures_.longest_use = std::max(figures_.longest_use, took);
  if (verdict.has_failed) ++figures_.failures;
  if (slot.state == SlotState::overdue) {
    --overdue_;
    leave(slot);
    return nullptr;
  }
  --used_;
  auto reason = verdict.retirement;
  if (!reason && is_over(slot.since, slow_after_, now)) reason = PoolRetirement::slow;
  if (reason) {
    retire(slot, *reason, verdict.message, now);
    return nullptr;
  }
  if (!verdict.has_failed) {
    slot.has_worked = true;
    slot.checked = now;
  }
  return place(slot, now);
}

PoolWaiter* PoolLedger::place(PoolSlot& slot, SteadyTime now) {
  std::optional<PoolRetirement> reason;
  if (is_closed_) {
    reason = PoolRetirement::closed;
  } else if (uses_max_ > 0 && slot.uses >= uses_max_) {
    reason = PoolRetirement::uses;
  } else if (is_over(slot.made, age_max_, now)) {
    reason = PoolRetirement::age;
  } else if (waiting_.empty() && usable_ > size_) {
    reason = PoolRetirement::surplus;
  }
  if (reason) {
    retire(slot, *reason, {}, now);
    return nullptr;
  }
  if (waiting_.empty()) {
    slot.state = SlotState::idle;
    idle_.push_back(&slot);
    return nullptr;
  }
  PoolWaiter& first = *waiting_.front();
  take_out(first);
  first.slot = &slot;
  figures_.longest_wait = std::max(figures_.longest_wait, now - first.since);
  begin_use(slot, now);
  return &first;
}

void PoolLedger::retire(PoolSlot& slot, PoolRetirement reason, const std::string& message,
                        SteadyTime now) {
  count_out(slot, reason, message);
  if (is_fault(reason) && !slot.has_worked) {
    figures_.last_error = message;
    pause(now);
  }
  leave(slot);
}

void PoolLedger::count_out(const PoolSlot& slot, PoolRetirement reason,
                           const std::string& message) {
  --usable_;
  ++figures_.retired[static_cast<std::size_t>(reason)];
  note({.kind = PoolEvent::Kind::retired,
        .instance = slot.number,
        .reason = reason,
        .message = message});
}

void PoolLedger::leave(PoolSlot& slot) {
  slot.state = SlotState::leaving;
  leaving_.push_back(&slot);
}

PoolJob PoolLedger::next_job(SteadyTime now) {
  retire_by_time(now);
  if (!leaving_.empty()) {
    PoolSlot* slot = leaving_.front();
    leaving_.pop_front();
    return {PoolJob::Kind::destroy, slot};
  }
  if (wants_one(now)) {
    ++creating_;
    return {PoolJob::Kind::create};
  }
  const auto due =
      std::ranges::find_if(idle_, [&](const PoolSlot* slot) { return is_probe_due(*slot, now); });
  if (due == idle_.end()) return {};
  PoolSlot* slot = *due;
  idle_.erase(due);
  slot->state = SlotState::probed;
  return {PoolJob::Kind::probe, slot};
}

// Of those in use too long another one takes the place at once: whoever has them may never return.
void PoolLedger::retire_by_time(SteadyTime now) {
  std::erase_if(idle_, [&](PoolSlot* slot) {
    if (!is_over(slot->made, age_max_, now)) return false;
    retire(*slot, PoolRetirement::age, {}, now);
    return true;
  });
  for (const auto& slot : slots_) {
    if (slot->state != SlotState::used || !is_over(slot->since, slow_after_, now)) continue;
    slot->state = SlotState::overdue;
    --used_;
    ++overdue_;
    count_out(*slot, PoolRetirement::slow, {});
  }
}

SteadyTime PoolLedger::job_due(SteadyTime now) const {
  SteadyTime next = now + limits::pool_look_interval;
  const auto at = [&](SteadyTime due) { next = std::min(next, due); };
  if (now < create_after_) at(create_after_);
  for (const Duration bound : {slow_after_, probe_interval_}) {
    if (bound > Duration(0)) at(now + bound);  // of what happens until then
  }
  for (const auto& slot : slots_) {
    const bool is_used = slot->state == SlotState::used;
    const bool is_idle = slot->state == SlotState::idle;
    if (is_used && slow_after_ > Duration(0)) at(slot->since + slow_after_);
    if (is_idle && probe_interval_ > Duration(0)) at(slot->checked + probe_interval_);
    const SteadyTime old = slot->made + age_max_;
    if (age_max_ > Duration(0) && (is_idle || old > now)) at(old);
  }
  return next;
}

bool PoolLedger::is_probe_due(const PoolSlot& slot, SteadyTime now) const {
  return is_over(slot.checked, probe_interval_, now);
}

// As many as the pool is to have, and one more for each that is in use or waits for too long. While
// they cannot be made one is tried at a time.
bool PoolLedger::wants_one(SteadyTime now) const {
  if (is_closed_ || now < create_after_ || (failures_in_row_ > 0 && creating_ > 0)) return false;
  const std::size_t most = size_ + temporary_max_;
  if (slots_.size() + creating_ >= most) return false;
  const std::size_t kept = is_lazy_ ? std::min(size_, used_ + waiting_.size()) : size_;
  const std::size_t needed = urgent_ == 0 ? 0 : used_ + urgent_;
  return usable_ + creating_ < std::max(kept, needed);
}

PoolWaiter* PoolLedger::created(std::shared_ptr<void> instance, SteadyTime now) {
  --creating_;
  failures_in_row_ = 0;
  PoolSlot& slot = *slots_.emplace_back(std::make_unique<PoolSlot>());
  slot.instance = std::move(instance);
  slot.number = ++figures_.created;
  slot.made = now;
  slot.checked = now;
  ++usable_;
  note(
      {.kind = PoolEvent::Kind::created, .instance = slot.number, .is_temporary = usable_ > size_});
  return place(slot, now);
}

void PoolLedger::creation_failed(const std::string& message, SteadyTime now) {
  --creating_;
  ++figures_.creations_failed;
  figures_.last_error = message;
  note({.kind = PoolEvent::Kind::creation_failed, .message = message});
  pause(now);
}

// Those that failed together are one failure.
void PoolLedger::pause(SteadyTime now) {
  if (now < create_after_) return;
  Duration wait = backoff_;
  for (std::uint32_t i = 0; i < failures_in_row_ && wait < backoff_max_; ++i) wait *= 2;
  ++failures_in_row_;
  create_after_ = now + std::min(wait, backoff_max_);
}

PoolWaiter* PoolLedger::probed(PoolSlot& slot, const Result<void>& answer, SteadyTime now) {
  slot.checked = now;
  if (answer) return place(slot, now);
  retire(slot, PoolRetirement::probe, describe(answer.error()), now);
  return nullptr;
}

void PoolLedger::destroyed(PoolSlot& slot) {
  std::erase_if(slots_, [&](const auto& each) { return each.get() == &slot; });
}

std::vector<PoolWaiter*> PoolLedger::close() {
  is_closed_ = true;
  for (PoolSlot* slot : std::exchange(idle_, {})) {
    retire(*slot, PoolRetirement::closed, {}, SteadyTime());
  }
  std::vector<PoolWaiter*> all(waiting_.begin(), waiting_.end());
  for (PoolWaiter* waiter : all) take_out(*waiter);
  return all;
}

PoolFigures PoolLedger::figures() const {
  PoolFigures figures = figures_;
  figures.size = size_;
  figures.idle = idle_.size();
  figures.in_use = used_ + overdue_;
  figures.temporary = usable_ - std::min(usable_, size_);
  figures.in_making = creating_;
  figures.waiting = waiting_.size();
  return figures;
}

void PoolLedger::note(PoolEvent event) {
  if (!keeps_events_) return;
  if (events_.size() < limits::pool_events_max) {
    events_.push_back(std::move(event));
  } else {
    ++figures_.events_untold;
  }
}

}  // namespace almanac
