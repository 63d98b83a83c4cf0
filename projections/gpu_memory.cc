#include <almanac/projections/gpu_memory.h>

#include <almanac/projections/limits.h>
#include <almanac/projections/state.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

namespace almanac {
namespace {

struct Holder {
  Time began;
  std::uint64_t bytes = 0;
};

std::uint64_t bytes_of(std::vector<Holder>::const_iterator from,
                       std::vector<Holder>::const_iterator to) {
  return std::accumulate(from, to, std::uint64_t{0},
                         [](std::uint64_t sum, const Holder& one) { return sum + one.bytes; });
}

// The largest that is its own.
std::optional<GpuHeapKey> own_heap(const State& state, NameId gpu) {
  const GpuDevice* device = state.gpu.devices.find(gpu);
  std::optional<GpuHeapKey> largest;
  std::uint64_t size = 0;
  for (std::uint32_t i = 0; device != nullptr && i < device->heaps; ++i) {
    const GpuHeap& heap = *state.gpu.heaps.find({gpu, i});
    if (!heap.is_local || heap.memory.size <= size) continue;
    largest = {gpu, i};
    size = heap.memory.size;
  }
  return largest;
}

std::uint64_t available_then(const GpuHeap& heap, const GpuSample& sample) {
  GpuMemory memory = heap.memory;
  memory.own = sample.own;
  memory.budget = sample.budget;
  return memory.available();
}

// By how much less was free when somebody looked last within a time than in front of it.
struct Shown {
  std::uint64_t bytes = 0;
  Time at;
};

// None where nobody has looked in front of it, as far as samples are kept.
std::optional<Shown> shown_between(const GpuHeap& heap, const std::vector<GpuSample>& samples,
                                   Time from, Time to) {
  const auto behind_from = std::ranges::upper_bound(samples, from, {}, &GpuSample::at);
  const auto behind_to = std::ranges::upper_bound(samples, to, {}, &GpuSample::at);
  if (behind_from == samples.begin()) return std::nullopt;
  const std::uint64_t before = available_then(heap, *(behind_from - 1));
  const std::uint64_t after = available_then(heap, *(behind_to - 1));
  return Shown{before > after ? before - after : 0, (behind_to - 1)->at};
}

// Those that begin while others are still taking theirs cannot be told apart, and count together.
// What was shown before one of them began was taken by another, who may have ended since.
GpuHold hold_of(const State& state, NameId gpu, std::vector<Holder> holders, Time now) {
  std::ranges::sort(holders, {}, &Holder::began);
  const auto key = own_heap(state, gpu);
  const std::vector<GpuSample> samples =
      key ? state.gpu.samples_of(*key) : std::vector<GpuSample>();
  GpuHold hold;
  for (auto first = holders.begin(); first != holders.end();) {
    auto last = first;
    while (last + 1 != holders.end() &&
           (last + 1)->began <= last->began + limits::gpu_settle_time) {
      ++last;
    }
    const std::uint64_t bytes = bytes_of(first, last + 1);
    const Time until = last->began + limits::gpu_settle_time;
    const auto shown =
        key ? shown_between(*state.gpu.heaps.find(*key), samples, first->began, until)
            : std::nullopt;
    // Samples that are not kept any more have shown it, long ago.
    const std::uint64_t unknown = until < now ? bytes : 0;
    std::uint64_t seen = unknown;
    if (shown) {
      const auto later = std::find_if(
          first, last + 1, [&](const Holder& holder) { return holder.began >= shown->at; });
      seen = std::min(bytes_of(first, later), shown->bytes);
    }
    hold.held += bytes;
    hold.unseen += bytes - seen;
    if (now < until && seen < bytes / 2) hold.settles_at = std::max(hold.settles_at, until);
    first = last + 1;
  }
  return hold;
}

bool is_moved(const Model& model) {
  return model.state == ModelState::loading || model.state == ModelState::settling ||
         model.state == ModelState::unloading || model.state == ModelState::releasing;
}

std::uint64_t less(std::uint64_t whole, std::uint64_t part) {
  return whole > part ? whole - part : 0;
}

}  // namespace

bool is_gpu_memory(std::string_view demand) {
  return demand.starts_with(gpu_memory_name) &&
         (demand.size() == gpu_memory_name.size() || demand[gpu_memory_name.size()] == ':');
}

std::string_view gpu_of_demand(std::string_view demand) {
  return demand.size() <= gpu_memory_name.size() ? std::string_view()
                                                 : demand.substr(gpu_memory_name.size() + 1);
}

std::string gpu_memory_demand(std::string_view gpu) {
  std::string name(gpu_memory_name);
  if (!gpu.empty()) name.append(":").append(gpu);
  return name;
}

std::uint32_t mebibytes_of(std::uint64_t bytes) {
  const std::uint64_t whole = bytes / bytes_of_mebibyte + (bytes % bytes_of_mebibyte == 0 ? 0 : 1);
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(whole, std::numeric_limits<std::uint32_t>::max()));
}

std::map<NameId, GpuHold> held_memory(const State& state, Time now) {
  std::map<NameId, std::vector<Holder>> holders;
  for (const auto& [id, place] : state.tasks.on_gpu) {
    holders[place.gpu].push_back(
        {state.tasks.all.find(id)->started_at, place.mebibytes * bytes_of_mebibyte});
  }
  std::map<NameId, GpuHold> holds;
  for (auto& [gpu, those] : holders) holds.emplace(gpu, hold_of(state, gpu, std::move(those), now));
  return holds;
}

std::uint64_t memory_of(const State& state, NameId gpu) {
  const auto key = own_heap(state, gpu);
  if (!key) return 0;
  const GpuMemory& memory = state.gpu.heaps.find(*key)->memory;
  return memory.is_estimate ? estimated_budget(memory.size) : memory.size;
}

std::optional<std::uint64_t> most_memory(const State& state, std::string_view gpu) {
  std::optional<std::uint64_t> most;
  for (const auto& [id, device] : state.gpu.devices) {
    if (!gpu.empty() && state.names.text(id) != gpu) continue;
    most = std::max(most.value_or(0), memory_of(state, id));
  }
  return most;
}

bool never_fits(const State& state, NameId demand, std::uint32_t mebibytes) {
  const auto most = most_memory(state, gpu_of_demand(state.names.text(demand)));
  return most && mebibytes * bytes_of_mebibyte > *most;
}

GpuAsked gpu_asked(const State& state, NameId demand) {
  const std::string_view identity = gpu_of_demand(state.names.text(demand));
  if (identity.empty()) return {};
  const auto gpu = state.names.find(identity);
  return {gpu, gpu && state.gpu.devices.find(*gpu) != nullptr};
}

std::uint64_t memory_to_give(const State& state, NameId gpu, Time now) {
  const GpuDevice* device = state.gpu.devices.find(gpu);
  const auto key = own_heap(state, gpu);
  const bool is_usable = device != nullptr && key && device->presence == GpuPresence::present &&
                         device->sampled_at != Time();
  if (!is_usable) return 0;
  std::uint64_t reserved = 0;
  std::uint64_t held = 0;
  for (const auto& [id, model] : state.models.all) {
    if (model.gpu != gpu) continue;
    if (is_moved(model)) return 0;
    reserved += model.reserved;
    if (model.holds_memory()) held += std::max(model.bytes(), model.reserved);
  }
  const auto holds =
      state.tasks.on_gpu.empty() ? std::map<NameId, GpuHold>() : held_memory(state, now);
  if (const auto own = holds.find(gpu); own != holds.end()) {
    reserved += own->second.unseen;
    held += own->second.held;
  }
  const GpuMemory& memory = state.gpu.heaps.find(*key)->memory;
  const std::uint64_t most = memory.is_estimate ? memory.available() : memory.size;
  return std::min(less(memory.available(), reserved), less(most, held));
}

std::vector<std::string> broken_places(const State& state) {
  std::vector<std::string> broken;
  for (const auto& [id, place] : state.tasks.on_gpu) {
    const Task* task = state.tasks.all.find(id);
    if (task != nullptr && holds_lease(task->state) && state.names.contains(place.gpu)) continue;
    broken.push_back("task " + std::to_string(id.value) + " has memory of a GPU and does not run");
  }
  return broken;
}

}  // namespace almanac
