#include <almanac/engine/model_plan.h>

#include <almanac/engine/gpu.h>
#include <almanac/engine/limits.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <limits>
#include <numeric>
#include <tuple>

namespace almanac {
namespace {

// Far above what there is, and far below where a sum would overflow.
constexpr std::uint64_t room_max = std::uint64_t{1} << 60U;

std::int64_t signed_bytes(std::uint64_t bytes) {
  return static_cast<std::int64_t>(std::min(bytes, room_max));
}

const GpuRoom* find_room(const ModelRoom& room, NameId gpu) {
  const auto found = std::ranges::find(room.gpus, gpu, &GpuRoom::gpu);
  return found == room.gpus.end() ? nullptr : &*found;
}

const ModelUse& use_of(const ModelRoom& room, NameId model) {
  static const ModelUse none;
  const auto found = room.uses.find(model);
  return found == room.uses.end() ? none : found->second;
}

// What a model counts for where it is.
std::uint64_t held_bytes(const Model& model) { return std::max(model.bytes(), model.reserved); }

bool is_on_its_way(const ModelRoom& room, NameId id, const Model& model) {
  return use_of(room, id).is_leaving || model.state == ModelState::loading ||
         model.state == ModelState::settling || model.state == ModelState::unloading ||
         model.state == ModelState::releasing;
}

// May be below zero, where more is promised than there is. With what is on its way out of it, or
// without.
std::int64_t room_left(const ModelRoom& room, const GpuRoom& gpu, bool counts_leaving = false) {
  std::int64_t reserved = 0;
  std::int64_t held = 0;
  for (const auto& [id, model] : room.models.all) {
    if (model.gpu != gpu.gpu) continue;
    reserved += signed_bytes(model.reserved);
    const bool is_leaving = model.state == ModelState::unloading ||
                            model.state == ModelState::releasing ||
                            (model.state == ModelState::resident && use_of(room, id).is_leaving);
    if (counts_leaving && is_leaving) {
      reserved -= signed_bytes(model.bytes());
    } else if (model.holds_memory()) {
      held += signed_bytes(held_bytes(model));
    }
  }
  if (const auto tasks = room.held.find(gpu.gpu); tasks != room.held.end()) {
    reserved += signed_bytes(tasks->second.unseen);
    held += signed_bytes(tasks->second.held);
  }
  const GpuMemory& memory = gpu.memory;
  const std::uint64_t most = memory.is_estimate ? memory.available() : memory.size;
  return std::min(signed_bytes(memory.available()) - reserved, signed_bytes(most) - held);
}

std::uint64_t sum_of(const std::vector<EvictionCandidate>& candidates) {
  return std::accumulate(candidates.begin(), candidates.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const EvictionCandidate& one) {
                           return sum + std::min(one.bytes, room_max);
                         });
}

// The more it was used of late, the sooner it is loaded again.
Duration again(const EvictionCandidate& one) {
  constexpr std::uint64_t uses_max = 1'000'000;
  const auto uses = static_cast<std::int64_t>(std::min(one.heat, uses_max));
  return std::min(one.load_time, Duration(std::chrono::hours(1))) * (1'000 + uses) / 1'000;
}

// What a set costs, of candidates of which none has too high a priority.
struct SetCost {
  Duration load_time{0};
  Time used_at;
  std::size_t count = 0;
  auto operator<=>(const SetCost&) const = default;

  [[nodiscard]] SetCost with(const EvictionCandidate& one) const {
    return {load_time + again(one), std::max(used_at, one.used_at), count + 1};
  }
};

// Tries all sets, the dearest candidate first, and gives up those that are dearer than the best.
class SetSearch {
 public:
  SetSearch(const std::vector<EvictionCandidate>& candidates, std::uint64_t bytes)
      : candidates_(candidates), bytes_(bytes), left_(candidates.size() + 1) {
    for (std::size_t i = candidates.size(); i-- > 0;) {
      left_[i] = left_[i + 1] + candidates[i].bytes;
    }
    search(0, 0, {});
  }
  [[nodiscard]] std::vector<NameId> best() const {
    std::vector<NameId> models;
    for (const std::size_t i : best_) models.push_back(candidates_[i].model);
    return models;
  }

 private:
  void search(std::size_t next, std::uint64_t freed, const SetCost& cost) {
    if (has_best_ && cost >= best_cost_) return;
    if (freed >= bytes_) {
      best_ = chosen_;
      best_cost_ = cost;
      has_best_ = true;
      return;
    }
    if (freed + left_[next] < bytes_) return;
    search(next + 1, freed, cost);
    chosen_.push_back(next);
    search(next + 1, freed + candidates_[next].bytes, cost.with(candidates_[next]));
    chosen_.pop_back();
  }

  const std::vector<EvictionCandidate>& candidates_;
  std::uint64_t bytes_;
  std::vector<std::uint64_t> left_;  // that all from here on free
  std::vector<std::size_t> chosen_;
  std::vector<std::size_t> best_;
  SetCost best_cost_;
  bool has_best_ = false;
};

// What is dear for what it frees is left out as long as the rest is enough.
std::vector<NameId> cheap_set(std::vector<EvictionCandidate> candidates, std::uint64_t bytes) {
  const auto price = [](const EvictionCandidate& one) {
    return static_cast<double>(again(one).count() + 1) / static_cast<double>(one.bytes + 1);
  };
  std::ranges::stable_sort(candidates, [&](const auto& a, const auto& b) {
    return std::tuple(price(a), a.used_at) > std::tuple(price(b), b.used_at);
  });
  std::uint64_t left = sum_of(candidates);
  std::vector<NameId> set;
  for (const EvictionCandidate& one : candidates) {
    if (left - one.bytes >= bytes) {
      left -= one.bytes;
    } else {
      set.push_back(one.model);
    }
  }
  return set;
}

std::string gib_text(std::uint64_t bytes) {
  char text[32];
  (void)std::snprintf(text, sizeof(text), "%.1f",
                      static_cast<double>(bytes) / static_cast<double>(std::uint64_t{1} << 30U));
  return text;
}

std::string shortage(const ModelRoom& room, const Names& names, const GpuRoom& gpu,
                     std::uint64_t needs, std::uint64_t evictable_bytes) {
  std::string text = "needs " + gib_text(needs) + " GiB, device " +
                     std::string(names.text(gpu.gpu).substr(0, 8)) + " has " +
                     gib_text(free_bytes(room, gpu.gpu)) + " free, " +
                     gib_text(gpu.memory.others()) + " used by others, evictable ";
  return text + (evictable_bytes == 0 ? "0" : gib_text(evictable_bytes));
}

// Tasks are still taking what they were given.
bool is_settling(const ModelRoom& room, NameId gpu) {
  const auto tasks = room.held.find(gpu);
  return tasks != room.held.end() && tasks->second.settles_at > room.now;
}

// What can be done on one GPU, and at which cost.
struct Choice {
  LoadPlan plan;
  std::int64_t left = 0;  // room, as it is
  std::int32_t priority = std::numeric_limits<std::int32_t>::min();
  SetCost cost;
};

Choice choice_on(const ModelRoom& room, const Names& names, const RoomWish& wish,
                 const GpuRoom& gpu) {
  Choice choice{.plan = {.gpu = gpu.gpu}, .left = room_left(room, gpu)};
  const std::uint64_t needs = wish.bytes;
  const bool is_moving =
      has_one_on_its_way(room, gpu.gpu) || (wish.is_model && is_settling(room, gpu.gpu));
  const bool has_room = choice.left >= signed_bytes(needs);
  if (has_room && !is_moving) {
    choice.plan.kind = LoadPlan::Kind::load;
    return choice;
  }
  const auto candidates = evictable(room, gpu.gpu, wish.priority);
  choice.plan.reason = shortage(room, names, gpu, needs, sum_of(candidates));
  if (is_moving) {
    choice.plan.reason += "; something is on its way there";
    return choice;
  }
  const auto missing = static_cast<std::uint64_t>(signed_bytes(needs) - choice.left);
  auto set = cheapest_set(candidates, missing);
  choice.plan.kind = set ? LoadPlan::Kind::evict : LoadPlan::Kind::no_way;
  if (!set) return choice;
  for (const NameId id : *set) {
    const auto one = std::ranges::find(candidates, id, &EvictionCandidate::model);
    choice.priority = std::max(choice.priority, one->priority);
    choice.cost = choice.cost.with(*one);
  }
  choice.plan.evict = std::move(*set);
  return choice;
}

bool is_better(const Choice& one, const Choice& other) {
  if (one.plan.kind != other.plan.kind) return one.plan.kind < other.plan.kind;
  if (one.plan.kind == LoadPlan::Kind::evict) {
    return std::tuple(one.priority, one.cost) < std::tuple(other.priority, other.cost);
  }
  return one.left > other.left;
}

GpuMemory largest_own_heap(const GpuDeviceReading& seen) {
  GpuMemory largest;
  for (const GpuHeapReading& heap : seen.heaps) {
    if (heap.is_local && heap.memory.size > largest.size) largest = heap.memory;
  }
  return largest;
}

}  // namespace

bool has_one_on_its_way(const ModelRoom& room, NameId gpu) {
  return room.moving.contains(gpu) || std::ranges::any_of(room.models.all, [&](const auto& entry) {
           return entry.value.gpu == gpu && is_on_its_way(room, entry.key, entry.value);
         });
}

std::vector<GpuRoom> rooms_of(const State& state) {
  std::vector<GpuRoom> rooms;
  for (const auto& [id, device] : state.gpu.devices) {
    GpuRoom room{
        .gpu = id,
        .is_usable = device.presence == GpuPresence::present && device.sampled_at != Time()};
    for (std::uint32_t i = 0; i < device.heaps; ++i) {
      const GpuHeap& heap = *state.gpu.heaps.find({id, i});
      if (!heap.is_local || heap.memory.size <= room.memory.size) continue;
      room.memory = heap.memory;
      room.level = heap.level;
    }
    rooms.push_back(room);
  }
  return rooms;
}

void refresh(std::vector<GpuRoom>& rooms, const State& state, const GpuReading& seen,
             const GpuSetting& setting) {
  for (GpuRoom& room : rooms) {
    const auto device =
        std::ranges::find(seen.devices, state.names.text(room.gpu), &GpuDeviceReading::device);
    if (device == seen.devices.end() || !device->trouble.empty()) {
      room.is_usable = false;
    } else if (room.is_usable) {
      room.memory = largest_own_heap(*device);
      room.level = std::min(room.level, level_after(room.level, room.memory, setting));
    }
  }
}

std::uint64_t free_bytes(const ModelRoom& room, NameId gpu) {
  const GpuRoom* found = find_room(room, gpu);
  if (found == nullptr || !found->is_usable) return 0;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(room_left(room, *found), 0));
}

std::int64_t bytes_to_be_free(const ModelRoom& room, NameId gpu) {
  const GpuRoom* found = find_room(room, gpu);
  return found == nullptr || !found->is_usable ? -1 : room_left(room, *found, true);
}

bool can_load(const ModelRoom& room, NameId gpu, std::uint64_t bytes) {
  return bytes > 0 && free_bytes(room, gpu) >= bytes;
}

std::vector<EvictionCandidate> evictable(const ModelRoom& room, NameId gpu, std::int32_t priority) {
  std::vector<EvictionCandidate> candidates;
  for (const auto& [id, model] : room.models.all) {
    const ModelUse& use = use_of(room, id);
    const bool may_go = model.gpu == gpu && model.state == ModelState::resident &&
                        !model.setting.is_pinned && use.in_use == 0 && !use.is_leaving &&
                        model.setting.priority <= priority &&
                        room.now - model.loaded_at >= model.setting.residency;
    if (!may_go) continue;
    candidates.push_back({id, std::min(model.bytes(), room_max), model.setting.priority,
                          model.load_time, std::max(model.used_at, use.used_at),
                          heat_at(model, room.now)});
  }
  return candidates;
}

std::optional<std::vector<NameId>> cheapest_set(std::vector<EvictionCandidate> candidates,
                                                std::uint64_t bytes) {
  if (sum_of(candidates) < bytes) return std::nullopt;
  // The highest priority that is needed: the least for which those of no higher one are enough.
  std::ranges::stable_sort(candidates, {}, &EvictionCandidate::priority);
  std::uint64_t freed = 0;
  std::size_t enough = 0;
  while (freed < bytes) freed += candidates[enough++].bytes;
  if (enough == 0) return std::vector<NameId>();
  const std::int32_t highest = candidates[enough - 1].priority;
  std::erase_if(candidates, [&](const auto& one) { return one.priority > highest; });
  if (candidates.size() > limits::model_search_max) return cheap_set(std::move(candidates), bytes);
  std::ranges::stable_sort(candidates, std::greater(), again);
  return SetSearch(candidates, bytes).best();
}

std::optional<NameId> to_relieve(const ModelRoom& room, NameId gpu) {
  const GpuRoom* found = find_room(room, gpu);
  const bool is_critical =
      found != nullptr && found->is_usable && found->level == GpuLevel::critical;
  if (!is_critical || has_one_on_its_way(room, gpu)) return std::nullopt;
  std::optional<NameId> oldest;
  Time oldest_use;
  for (const auto& [id, model] : room.models.all) {
    const ModelUse& use = use_of(room, id);
    const bool may_go = model.gpu == gpu && model.state == ModelState::resident &&
                        !model.setting.is_pinned && use.in_use == 0;
    const Time used_at = std::max({model.used_at, use.used_at, model.loaded_at});
    if (!may_go || (oldest && used_at >= oldest_use)) continue;
    oldest = id;
    oldest_use = used_at;
  }
  return oldest;
}

LoadPlan plan_load(const ModelRoom& room, const Names& names, NameId id) {
  const Model& model = *room.models.all.find(id);
  const RoomWish wish{model.bytes(), model.setting.gpu, model.setting.priority};
  if (const auto more = wish_behind_failures(model)) {
    LoadPlan plan = plan_room(room, names, *more);
    if (plan.kind == LoadPlan::Kind::evict) return plan;
  }
  return plan_room(room, names, wish);
}

std::optional<RoomWish> wish_behind_failures(const Model& model) {
  if (model.failures_in_row % 4 != 3) return std::nullopt;
  return RoomWish{2 * model.bytes(), model.setting.gpu, model.setting.priority};
}

LoadPlan plan_room(const ModelRoom& room, const Names& names, const RoomWish& wish) {
  std::optional<Choice> best;
  for (const GpuRoom& gpu : room.gpus) {
    if (!gpu.is_usable || (wish.gpu && *wish.gpu != gpu.gpu)) continue;
    Choice choice = choice_on(room, names, wish, gpu);
    if (!best || is_better(choice, *best)) best = std::move(choice);
  }
  if (best) return std::move(best->plan);
  return {.reason = "needs " + gib_text(wish.bytes) +
                    " GiB, and no GPU that it could go to is "
                    "known to work"};
}

}  // namespace almanac
