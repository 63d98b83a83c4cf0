#include <almanac/engine/gpu.h>

#include <almanac/engine/limits.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

namespace almanac {
namespace {

std::uint64_t distance(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : b - a; }

// A driver that says that there are more is not believed.
std::uint32_t heaps_of(const GpuDeviceReading& seen) {
  return static_cast<std::uint32_t>(std::min(seen.heaps.size(), limits::gpu_heaps_max));
}

std::string_view message_of(const std::string& trouble) {
  return std::string_view(trouble).substr(0, limits::message_bytes_max);
}

// What one look says of one device, against what is known of it.
class DeviceDecision {
 public:
  DeviceDecision(const State& state, const ReportGpu& command, const DecideContext& context,
                 std::string_view device, std::vector<Event>& events)
      : state_(state), command_(command), context_(context), device_(device), events_(events) {
    const auto id = state.names.find(device);
    known_ = id ? state.gpu.devices.find(*id) : nullptr;
    if (known_ != nullptr) id_ = *id;
  }

  // Nothing of one that was never there, or that is gone already.
  void vanish(GpuAbsence absence, std::string_view message) {
    const bool can_go = known_ != nullptr && (known_->presence == GpuPresence::present ||
                                              known_->presence == GpuPresence::unknown);
    if (!can_go) return;
    clear_alerts();
    add(GpuDeviceVanished{device_, absence, message});
  }

  void see(const GpuDeviceReading& seen) {
    const bool is_same = is_as_described(seen);
    const bool is_here = is_same && known_->presence == GpuPresence::present;
    if (!is_same) clear_alerts();
    if (!is_here) appear(seen);
    const std::uint32_t count = heaps_of(seen);
    std::vector<GpuLevel> before(count, GpuLevel::normal);
    std::vector<GpuLevel> after(count, GpuLevel::normal);
    const GpuSetting& setting = command_.setting;
    bool is_news = !is_here || command_.is_due;
    for (std::uint32_t i = 0; i < count; ++i) {
      const GpuHeap* heap = is_same ? state_.gpu.heaps.find({id_, i}) : nullptr;
      if (heap != nullptr) before[i] = heap->level;
      const GpuMemory& memory = seen.heaps[i].memory;
      if (seen.heaps[i].is_local) after[i] = level_after(before[i], memory, setting);
      is_news = is_news || before[i] != after[i] ||
                (heap != nullptr && differs(heap->memory, memory, setting));
    }
    if (is_news) sample(seen);
    for (std::uint32_t i = 0; i < count; ++i) {
      if (before[i] == after[i]) continue;
      if (after[i] == GpuLevel::normal) {
        add(GpuAlertCleared{device_, i});
      } else {
        add(GpuAlertRaised{device_, i, after[i], before[i]});
      }
    }
  }

 private:
  template <class Body>
  void add(const Body& body) {
    events_.push_back({.at = context_.now, .body = body});
  }

  [[nodiscard]] bool is_as_described(const GpuDeviceReading& seen) const {
    if (known_ == nullptr || known_->heaps != heaps_of(seen) || known_->kind != seen.kind ||
        state_.names.text(known_->name) != seen.name) {
      return false;
    }
    for (std::uint32_t i = 0; i < known_->heaps; ++i) {
      const GpuHeap& heap = *state_.gpu.heaps.find({id_, i});
      const GpuHeapReading& now = seen.heaps[i];
      if (heap.memory.size != now.memory.size || heap.is_local != now.is_local ||
          heap.memory.is_estimate != now.memory.is_estimate) {
        return false;
      }
    }
    return true;
  }

  void clear_alerts() {
    for (std::uint32_t i = 0; known_ != nullptr && i < known_->heaps; ++i) {
      const bool is_raised = state_.gpu.heaps.find({id_, i})->level != GpuLevel::normal;
      if (is_raised) add(GpuAlertCleared{device_, i});
    }
  }

  void appear(const GpuDeviceReading& seen) {
    const auto sizes = context_.memory.array<std::uint64_t>(heaps_of(seen));
    GpuDeviceAppeared event{
        .device = device_, .name = seen.name, .kind = seen.kind, .sizes = sizes};
    for (std::uint32_t i = 0; i < sizes.size(); ++i) {
      sizes[i] = seen.heaps[i].memory.size;
      if (seen.heaps[i].is_local) event.local |= 1U << i;
      event.is_estimate = event.is_estimate || seen.heaps[i].memory.is_estimate;
    }
    add(event);
  }

  void sample(const GpuDeviceReading& seen) {
    const auto own = context_.memory.array<std::uint64_t>(heaps_of(seen));
    const auto budget = context_.memory.array<std::uint64_t>(heaps_of(seen));
    for (std::size_t i = 0; i < own.size(); ++i) {
      own[i] = seen.heaps[i].memory.own;
      budget[i] = seen.heaps[i].memory.budget;
    }
    add(GpuSampled{device_, own, budget});
  }

  const State& state_;
  const ReportGpu& command_;
  const DecideContext& context_;
  std::string_view device_;
  std::vector<Event>& events_;
  const GpuDevice* known_ = nullptr;
  NameId id_;
};

// None of a sample, and of what is of another domain.
std::optional<GpuChange> change_in(const State& after, const Event& event) {
  GpuChange change{.at = event.at};
  std::string_view device;
  if (const auto* appeared = std::get_if<GpuDeviceAppeared>(&event.body)) {
    device = appeared->device;
  } else if (const auto* vanished = std::get_if<GpuDeviceVanished>(&event.body)) {
    change.kind = GpuChange::Kind::vanished;
    device = vanished->device;
  } else if (const auto* raised = std::get_if<GpuAlertRaised>(&event.body)) {
    change.kind = GpuChange::Kind::alert_raised;
    change.heap = raised->heap;
    change.level = raised->level;
    change.before = raised->before;
    device = raised->device;
  } else if (const auto* cleared = std::get_if<GpuAlertCleared>(&event.body)) {
    change.kind = GpuChange::Kind::alert_cleared;
    change.heap = cleared->heap;
    device = cleared->device;
  } else {
    return std::nullopt;
  }
  const NameId id = *after.names.find(device);
  const GpuDevice& known = *after.gpu.devices.find(id);
  change.device = device;
  change.name = after.names.text(known.name);
  change.presence = known.presence;
  if (const GpuHeap* heap = after.gpu.heaps.find({id, change.heap})) change.memory = heap->memory;
  return change;
}

}  // namespace

Result<void> check(const GpuWatchOptions& options) {
  const GpuSetting& setting = options.setting;
  const bool has_order = setting.hysteresis_percent < setting.warning_percent &&
                         setting.warning_percent < setting.critical_percent &&
                         setting.critical_percent <= 100;
  if (!has_order) {
    return fail(ErrorCode::invalid,
                "the levels of a GPU's memory are not in order: hysteresis < warning < critical <= "
                "100 percent",
                "such as 5, 80 and 90");
  }
  if (setting.step_percent == 0 || setting.step_percent > 100) {
    return fail(ErrorCode::invalid, "a step of a GPU's memory is 1 to 100 percent");
  }
  const bool has_times = options.interval_min >= limits::gpu_interval_min &&
                         options.interval_min <= options.interval_max &&
                         options.interval_max <= limits::gpu_interval_max &&
                         setting.sample_interval >= options.interval_min &&
                         setting.sample_interval <= limits::duration_max;
  if (!has_times) {
    return fail(ErrorCode::invalid,
                "the times of a GPU watch are not in order: 10 ms <= interval_min <= interval_max "
                "<= 1 h, and sample_interval not below the first");
  }
  return {};
}

GpuLevel level_after(GpuLevel before, const GpuMemory& memory, const GpuSetting& setting) {
  if (memory.reaches(setting.critical_percent)) return GpuLevel::critical;
  const bool stays_critical = before == GpuLevel::critical &&
                              memory.reaches(setting.critical_percent - setting.hysteresis_percent);
  if (stays_critical) return GpuLevel::critical;
  if (memory.reaches(setting.warning_percent)) return GpuLevel::warning;
  const bool stays_up = before != GpuLevel::normal &&
                        memory.reaches(setting.warning_percent - setting.hysteresis_percent);
  return stays_up ? GpuLevel::warning : GpuLevel::normal;
}

bool differs(const GpuMemory& before, const GpuMemory& now, const GpuSetting& setting) {
  const std::uint64_t step = std::max<std::uint64_t>(now.size / 100 * setting.step_percent, 1);
  return distance(before.own, now.own) >= step || distance(before.budget, now.budget) >= step ||
         distance(before.used(), now.used()) >= step;
}

Result<Decision> decide_one(const State& state, const ReportGpu& command,
                            const DecideContext& context) {
  Decision decision;
  const GpuReading& reading = command.reading;
  const auto about = [&](std::string_view device) {
    return DeviceDecision(state, command, context, device, decision.events);
  };
  const GpuAbsence absence = reading.trouble.empty() ? GpuAbsence::removed : GpuAbsence::driver;
  for (const auto& [id, device] : state.gpu.devices) {
    const std::string_view known = state.names.text(id);
    if (std::ranges::find(reading.devices, known, &GpuDeviceReading::device) ==
        reading.devices.end()) {
      about(context.memory.text(known)).vanish(absence, message_of(reading.trouble));
    }
  }
  const std::size_t count = std::min(reading.devices.size(), limits::gpu_devices_max);
  for (const GpuDeviceReading& seen : std::span(reading.devices).first(count)) {
    if (seen.trouble.empty()) {
      about(seen.device).see(seen);
    } else {
      about(seen.device).vanish(GpuAbsence::lost, message_of(seen.trouble));
    }
  }
  return decision;
}

void tell_gpu_changes(const State& after, std::span<const RecordedEvent> events,
                      const std::function<void(const GpuChange&)>& tell) {
  for (const RecordedEvent& recorded : events) {
    if (const auto change = change_in(after, recorded.event)) tell(*change);
  }
}

}  // namespace almanac
