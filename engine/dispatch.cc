#include <almanac/engine/dispatch.h>

#include <almanac/engine/advised_order.h>
#include <almanac/engine/command_spec.h>
#include <almanac/engine/implementations.h>
#include <almanac/engine/lease_waits.h>
#include <almanac/engine/limits.h>
#include <almanac/engine/model_turns.h>
#include <almanac/projections/gpu_memory.h>
#include <almanac/projections/lane_claims.h>

#include <algorithm>
#include <map>
#include <utility>

namespace almanac {
namespace {

// Where attempts run: in the slots of the engine, and at workers elsewhere that wait.
class Places {
 public:
  using Number = LeaseWaits::Number;  // of a worker; 0 = the engine itself

  Places(const State& state, const CanRun& can_run, const LeaseWaits* workers)
      : state_(state), can_run_(can_run), workers_(workers) {
    const std::uint64_t here = state.tasks.running_here();
    const std::uint64_t elsewhere = state.tasks.remote.size();
    slots_ = state.engine.slots - std::min<std::uint64_t>(here, state.engine.slots);
    leases_ = limits::leases_max - std::min<std::uint64_t>(elsewhere, limits::leases_max);
    if (has_workers()) first_of_any_ = workers_->of_any().begin();
  }

  [[nodiscard]] bool any() const { return slots_ > 0 || (has_workers() && leases_ > 0); }
  // Why nobody does this, however much room there is.
  [[nodiscard]] std::optional<LaneBlock> refusal(const Lane& lane) const {
    const auto is_taken_by = [&](const auto& one) { return takes(*one.second, lane); };
    const bool has_worker = has_workers() && (std::ranges::any_of(of(lane), is_taken_by) ||
                                              std::ranges::any_of(of_any(lane), is_taken_by));
    return has_worker ? std::nullopt : refusal_here(lane);
  }
  // Where the next attempt of a lane runs; none where there is no room.
  [[nodiscard]] std::optional<Number> find(const Lane& lane) {
    if (slots_ > 0 && !refusal_here(lane)) return Number{0};
    if (!has_workers() || leases_ == 0) return std::nullopt;
    const auto& named = of(lane);
    auto& first = first_.try_emplace(lane.kind, named.begin()).first->second;
    const auto one = find_among(named, first, lane);
    const auto other = find_among(of_any(lane), first_of_any_, lane);
    if (!one || !other) return one ? one : other;
    return std::min(*one, *other);
  }
  void take(Number place) {
    if (place == 0) {
      --slots_;
    } else {
      --leases_;
      ++given_[place];
    }
  }

 private:
  using Workers = LeaseWaits::OfKind;

  [[nodiscard]] bool has_workers() const { return workers_ != nullptr && !workers_->empty(); }
  [[nodiscard]] const Workers& of(const Lane& lane) const {
    return workers_->of(state_.names.text(lane.kind));
  }
  // Those that name no kind take no commands: these are for who knows what they are.
  [[nodiscard]] const Workers& of_any(const Lane& lane) const {
    static const Workers none;
    return state_.names.text(lane.kind) == command_kind ? none : workers_->of_any();
  }
  // The first that takes the lane and has room. `first` is moved over those that have all.
  [[nodiscard]] std::optional<Number> find_among(const Workers& all, Workers::const_iterator& first,
                                                 const Lane& lane) const {
    if (all.empty()) return std::nullopt;
    while (first != all.end() && has_all(*first)) ++first;
    const auto worker = std::find_if(first, all.end(), [&](const auto& one) {
      return takes(*one.second, lane) && !has_all(one);
    });
    return worker == all.end() ? std::nullopt : std::optional(worker->first);
  }
  [[nodiscard]] bool takes(const LeaseSpec& asked, const Lane& lane) const {
    const auto& queues = asked.queues;
    const bool is_its_queue =
        queues.empty() || std::ranges::find(queues, state_.names.text(lane.queue)) != queues.end();
    return is_its_queue && asked.versions.takes(lane.version);
  }
  [[nodiscard]] bool has_all(const Workers::value_type& worker) const {
    const auto given = given_.find(worker.first);
    return given != given_.end() && given->second >= worker.second->tasks_max;
  }
  [[nodiscard]] std::optional<LaneBlock> refusal_here(const Lane& lane) const {
    const Implementations& known = state_.implementations;
    if (!can_run_(state_.names.text(lane.kind))) return LaneBlock::handler;
    if (!known.versions_of(lane.kind).takes(lane.version)) return LaneBlock::version;
    if (known.hold_back(lane.kind)) return LaneBlock::unavailable;
    return std::nullopt;
  }

  const State& state_;
  const CanRun& can_run_;
  const LeaseWaits* workers_;
  std::uint64_t slots_ = 0;
  std::uint64_t leases_ = 0;
  std::map<Number, std::uint32_t> given_;
  // Of each kind the first worker that has not been given all it asked for, or one in front of it.
  std::map<NameId, Workers::const_iterator> first_;
  Workers::const_iterator first_of_any_;
};

struct Chosen {
  TaskId id;
  Places::Number place = 0;
  bool is_advised = false;
  std::optional<NameId> gpu;  // that has the memory it asks for
};

class Chooser {
 public:
  Chooser(const State& state, Time now, const CanRun& can_run, const StartOptions& options)
      : state_(state),
        now_(now),
        advice_(options.advice),
        models_(options.models),
        places_(state, can_run, options.workers) {}

  std::vector<Chosen> run() {
    std::vector<Chosen> chosen;
    if (!places_.any() || state_.tasks.ready.empty()) return chosen;
    AdvisedOrder ready = gather();
    while (places_.any()) {
      const auto next = ready.next();
      if (!next) break;
      if (has_expired(next->id)) continue;
      // Without a place to run it keeps nothing that another one could begin with.
      const auto place = places_.find(next->lane);
      if (place && take(next->lane)) {
        chosen.push_back({next->id, *place, next->is_advised, gpu_});
        places_.take(*place);
      } else {
        ready.close_lane();
      }
    }
    if (const auto due = ready.due()) wake_at(*due);
    return chosen;
  }

  // Of all lanes, in no order.
  std::vector<BlockedLane> run_blocked() {
    tells_blocked_ = true;
    AdvisedOrder ready = gather();
    while (const auto next = ready.next()) {
      if (has_expired(next->id)) continue;
      if (take(next->lane)) block(next->lane, LaneBlock::slots);
      ready.close_lane();
    }
    return std::move(blocked_);
  }

  [[nodiscard]] std::optional<Time> next() const { return next_; }

 private:
  // What there is of one thing while this runs.
  struct Room {
    std::uint64_t most = 0;
    std::uint64_t free = 0;  // for who comes next
    std::uint64_t kept = 0;  // wanted by tasks in front, whether it is there or not
  };

  // One of those that were left over for the next turn to cancel.
  [[nodiscard]] bool has_expired(TaskId id) const {
    const auto next = state_.tasks.next_expiry();
    if (!next || *next > now_) return false;
    const Time at = expiry(state_.tasks, id, *state_.tasks.all.find(id));
    return at != Time() && at <= now_;
  }

  static bool stands_in_front(const LaneClaim& claim) {
    return claim.on == ClaimOn::circuit || claim.on == ClaimOn::model || is_memory(claim);
  }
  static bool is_memory(const LaneClaim& claim) { return claim.on == ClaimOn::gpu_memory; }

  // What lets nothing begin, of that which stands in front of all else.
  auto first_shut(const std::vector<LaneClaim>& claims) {
    return std::ranges::find_if(claims, [&](const LaneClaim& one) {
      return is_memory(one) ? !find_gpu(one) : stands_in_front(one) && room(one).free == 0;
    });
  }

  // With most left, of those that are not kept for another.
  std::optional<NameId> find_gpu(const LaneClaim& claim) {
    const GpuAsked asked = gpu_asked(state_, claim.limit);
    if (!asked.is_known) return std::nullopt;
    std::optional<NameId> best;
    for (const auto& [gpu, device] : state_.gpu.devices) {
      const bool is_it = (!asked.gpu || *asked.gpu == gpu) && !is_kept(gpu, claim);
      if (!is_it || memory_left(gpu) < claim.amount * bytes_of_mebibyte) continue;
      if (!best || memory_left(gpu) > memory_left(*best)) best = gpu;
    }
    return best;
  }
  [[nodiscard]] bool is_kept(NameId gpu, const LaneClaim& claim) const {
    if (models_ == nullptr) return false;
    const auto keeper = models_->kept.find(gpu);
    return keeper != models_->kept.end() && keeper->second != MemoryWish{claim.limit, claim.amount};
  }
  std::uint64_t& memory_left(NameId gpu) {
    const auto [entry, is_new] = memory_left_.try_emplace(gpu);
    if (is_new) entry->second = memory_to_give(state_, gpu, now_);
    return entry->second;
  }

  // The lanes that can start something, or have something to keep.
  AdvisedOrder gather() {
    return {state_, now_, advice_, [this](const Lane& lane) {
              if (state_.pauses.hold_back(lane)) return false;
              if (const auto refusal = places_.refusal(lane)) {
                block(lane, *refusal);
                return false;
              }
              if (!tells_blocked_ && !places_.find(lane)) return false;
              auto claims = claims_of(state_, lane);
              if (claims.empty()) return true;
              if (const auto shut = first_shut(claims); shut != claims.end()) {
                refuse(lane, *shut);
                return false;
              }
              // With nothing of what it takes first it has nothing to keep, and no turn to wait
              // for.
              if (!is_memory(claims.front()) && room(claims.front()).free == 0) {
                refuse(lane, claims.front());
                return false;
              }
              claims_.emplace(lane, std::move(claims));
              return true;
            }};
  }

  [[nodiscard]] bool gives_way(const LaneClaim& claim) const {
    return claim.on == ClaimOn::model && models_ != nullptr &&
           models_->closed.contains(claim.limit);
  }

  Room& room(const LaneClaim& claim) {
    auto [entry, added] = rooms_.try_emplace({claim.on, claim.limit});
    if (added) {
      const auto [most, free] = room_for(state_, claim, now_);
      entry->second = {most, gives_way(claim) ? 0 : free};
    }
    return entry->second;
  }

  // All that a task of the lane asks for; or nothing, and then it keeps its turn.
  bool take(const Lane& lane) {
    gpu_.reset();
    const auto found = claims_.find(lane);
    if (found == claims_.end()) return true;
    const auto& claims = found->second;
    const auto is_impossible = [&](const LaneClaim& one) {
      return !is_memory(one) && one.amount > room(one).most;
    };
    const auto is_short = [&](const LaneClaim& one) {
      return !is_memory(one) && one.amount > room(one).free;
    };
    // Who waits for a circuit or a model keeps nothing, or one that fails would hold up what needs
    // others.
    auto refused = first_shut(claims);
    if (refused == claims.end()) refused = std::ranges::find_if(claims, is_impossible);
    const bool keeps = refused == claims.end();
    if (keeps) refused = std::ranges::find_if(claims, is_short);
    const bool takes = refused == claims.end();
    if (!takes) refuse(lane, *refused);
    if (!keeps) return false;
    for (auto claim = claims.begin(); claim != refused; ++claim) {
      if (!takes && stands_in_front(*claim)) continue;  // a probe is for who can begin
      if (is_memory(*claim)) {
        gpu_ = find_gpu(*claim);
        memory_left(*gpu_) -= claim->amount * bytes_of_mebibyte;
        // It was kept for this one: what is left is for others, in another look.
        if (models_ != nullptr && models_->kept.contains(*gpu_)) wake_at(now_);
        continue;
      }
      room(*claim).free -= claim->amount;
      if (!takes) room(*claim).kept += claim->amount;
    }
    if (!takes) room(*refused).free = 0;
    if (!takes) room(*refused).kept += refused->amount;
    return takes;
  }

  void refuse(const Lane& lane, const LaneClaim& claim) {
    if (is_memory(claim)) {
      const bool never = never_fits(state_, claim.limit, claim.amount);
      if (never) return block(lane, LaneBlock::too_large, claim.limit);
      return block(lane, LaneBlock::gpu_memory, claim.limit, overdue_at(claim));
    }
    const Room& left = room(claim);
    if (claim.on == ClaimOn::circuit) {
      const Time until = circuit_of(state_.circuits, claim.limit).until;
      return block(lane, LaneBlock::circuit, claim.limit, until);
    }
    if (claim.on == ClaimOn::model) {
      return block(lane, LaneBlock::model, claim.limit, overdue_at(claim.limit));
    }
    if (claim.amount > left.most) return block(lane, LaneBlock::too_large, claim.limit);
    if (claim.on == ClaimOn::queue_slots) {
      return block(lane, left.kept > 0 ? LaneBlock::behind : LaneBlock::queue_slots);
    }
    const Time due = claim.on == ClaimOn::tokens ? wait_for_tokens(claim, left) : Time();
    if (left.kept > 0) return block(lane, LaneBlock::behind, claim.limit);
    if (claim.on == ClaimOn::units) return block(lane, LaneBlock::units, claim.limit);
    block(lane, LaneBlock::tokens, claim.limit, due);
  }

  [[nodiscard]] Time overdue_at(NameId model) const {
    if (models_ == nullptr) return {};
    const auto found = models_->overdue_at.find(model);
    return found == models_->overdue_at.end() ? Time() : found->second;
  }

  [[nodiscard]] Time overdue_at(const LaneClaim& claim) const {
    if (models_ == nullptr) return {};
    const auto found = models_->memory_overdue_at.find({claim.limit, claim.amount});
    return found == models_->memory_overdue_at.end() ? Time() : found->second;
  }

  // When there are enough for those in front and for it. Not set where there never are: one of
  // those has to start first.
  Time wait_for_tokens(const LaneClaim& claim, const Room& left) {
    const std::uint64_t wanted = left.kept + claim.amount;
    const auto setting = setting_of(state_.limits, state_.names, claim.limit);
    if (wanted > setting.burst) return {};
    const Time due =
        tokens_due(state_.limits, claim.limit, setting, static_cast<std::uint32_t>(wanted));
    // Not before now: what was taken in this run is not in the state yet, and one look more tells.
    wake_at(due);
    return due;
  }

  void wake_at(Time due) { next_ = std::max(now_, next_ ? std::min(*next_, due) : due); }

  void block(const Lane& lane, LaneBlock reason, std::optional<NameId> limit = {}, Time next = {}) {
    if (!tells_blocked_) return;
    blocked_.push_back({lane, {.reason = reason, .limit = limit, .next = next, .since = now_}});
  }

  const State& state_;
  const Time now_;
  const Advice* const advice_;
  const ModelTurns* const models_;
  Places places_;
  std::map<Lane, std::vector<LaneClaim>> claims_;  // of those that ask for something
  std::map<std::pair<ClaimOn, NameId>, Room> rooms_;
  std::map<NameId, std::uint64_t> memory_left_;  // of GPUs, while this runs
  std::optional<NameId> gpu_;                    // of the last that takes memory
  bool tells_blocked_ = false;
  std::vector<BlockedLane> blocked_;
  std::optional<Time> next_;
};

}  // namespace

// Lanes are ordered by queue first.
ReadyQueue::ReadyQueue(const State& state, const std::function<bool(const Lane&)>& takes)
    : state_(state) {
  const auto& lanes = state.tasks.ready.lanes();
  sources_.reserve(lanes.size());
  heads_.reserve(lanes.size());
  for (const auto& [lane, places] : lanes) {
    if (takes(lane)) add(lane, places);
  }
  fronts_.reserve(queues_.size());
  for (std::uint32_t queue = 0; queue < queues_.size(); ++queue) {
    const auto heads = heads_of(queues_[queue]);
    std::make_heap(heads.begin(), heads.end());
    add_front(queue);
  }
}

void ReadyQueue::add(const Lane& lane, const Places& places) {
  const auto source = static_cast<std::uint32_t>(sources_.size());
  if (sources_.empty() || sources_.back().lane.queue != lane.queue) queues_.push_back({source});
  ++queues_.back().count;
  sources_.push_back({lane, &places, places.begin()});
  heads_.push_back({*sources_.back().next, source});
}

void ReadyQueue::add_front(std::uint32_t queue) {
  const TaskId id = heads_[queues_[queue].first].place.id;
  fronts_.push_back({state_.tasks.all.find(id)->priority, id, queue});
  std::push_heap(fronts_.begin(), fronts_.end());
}

void ReadyQueue::put_back() {
  if (!given_) return;
  const auto [number, lane] = *std::exchange(given_, std::nullopt);
  Queue& queue = queues_[number];
  if (lane) {
    Source& source = sources_[*lane];
    if (++source.next != source.places->end()) {
      heads_[queue.first + queue.count++] = {*source.next, *lane};
      const auto heads = heads_of(queue);
      std::push_heap(heads.begin(), heads.end());
    }
  }
  if (queue.count > 0) add_front(number);
}

std::optional<ReadyQueue::Next> ReadyQueue::next() {
  put_back();
  if (fronts_.empty()) return std::nullopt;
  std::pop_heap(fronts_.begin(), fronts_.end());
  const std::uint32_t number = fronts_.back().queue;
  fronts_.pop_back();
  const auto heads = heads_of(queues_[number]);
  std::pop_heap(heads.begin(), heads.end());
  --queues_[number].count;
  const Head& head = heads.back();
  given_ = {number, head.source};
  return Next{sources_[head.source].lane, head.place.id};
}

void ReadyQueue::close_lane() { given_->source.reset(); }

Starts decide_starts(const State& state, const DecideContext& context, const CanRun& can_run,
                     const StartOptions& options) {
  Starts starts;
  Chooser chooser(state, context.now, can_run, options);
  for (const auto& [id, place, is_advised, gpu] : chooser.run()) {
    const Task& task = *state.tasks.all.find(id);
    TaskStarted start{.id = id,
                      .attempt = task.attempts + 1,
                      .deadline = task.timeout > Duration(0) ? context.now + task.timeout : Time()};
    if (place == 0) {
      start.implementation = implementation_for(state, task, context.memory);
    } else {
      const LeaseSpec& asked = options.workers->spec(place);
      start.worker = context.memory.text(asked.worker);
      start.lease_time = asked.lease_time;
      starts.grants.push_back({starts.events.size(), place});
    }
    if (is_advised) start.advisor = context.memory.text(options.advice->advisor);
    if (gpu) start.gpu = context.memory.text(state.names.text(*gpu));
    starts.events.push_back({.at = context.now, .body = start});
  }
  starts.next = chooser.next();
  return starts;
}

std::vector<BlockedLane> blocked_lanes(const State& state, Time now, const CanRun& can_run,
                                       const StartOptions& options) {
  const StartOptions unadvised{.workers = options.workers, .models = options.models};
  return Chooser(state, now, can_run, unadvised).run_blocked();
}

}  // namespace almanac
