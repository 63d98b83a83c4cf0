#include <almanac/engine/gpu_watch.h>

#include <almanac/engine/diagnostics.h>
#include <almanac/engine/gpu.h>
#include <almanac/log/this_thread.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace almanac {
namespace {

// Of the same device.
bool is_same(const GpuDeviceReading& before, const GpuDeviceReading& now) {
  return before.name == now.name && before.kind == now.kind &&
         before.trouble.empty() == now.trouble.empty() &&
         std::ranges::equal(before.heaps, now.heaps, [](const auto& was, const auto& is) {
           return was.memory.size == is.memory.size && was.is_local == is.is_local &&
                  was.memory.is_estimate == is.memory.is_estimate;
         });
}

bool has_moved(const GpuDeviceReading& before, const GpuDeviceReading& now,
               const GpuSetting& setting) {
  return !std::ranges::equal(before.heaps, now.heaps, [&](const auto& was, const auto& is) {
    return !differs(was.memory, is.memory, setting);
  });
}

// Where a few percent more, or less, are an alert or the end of one.
bool is_near(const GpuMemory& memory, std::uint32_t percent, std::uint32_t width) {
  const std::uint32_t lower = percent > width ? percent - width : 0;
  return memory.reaches(lower) && !memory.reaches(percent + width);
}

bool is_near_threshold(const GpuHeapReading& heap, const GpuSetting& setting) {
  if (!heap.is_local) return false;
  const std::uint32_t width = std::max(setting.hysteresis_percent, 1U);
  return is_near(heap.memory, setting.warning_percent, width) ||
         is_near(heap.memory, setting.critical_percent, width);
}

}  // namespace

Duration next_look(Duration last, const GpuReading& before, const GpuReading& now,
                   const GpuWatchOptions& options) {
  const bool is_calm = std::ranges::equal(
      before.devices, now.devices, [&](const GpuDeviceReading& was, const GpuDeviceReading& is) {
        return was.device == is.device && is_same(was, is) && !has_moved(was, is, options.setting);
      });
  const bool is_near = std::ranges::any_of(now.devices, [&](const GpuDeviceReading& seen) {
    return std::ranges::any_of(seen.heaps, [&](const GpuHeapReading& heap) {
      return is_near_threshold(heap, options.setting);
    });
  });
  if (!is_calm || is_near) return options.interval_min;
  return std::clamp(2 * last, options.interval_min, options.interval_max);
}

GpuNews::Levels GpuNews::levels_after(const Levels& before, const GpuDeviceReading& seen) const {
  Levels levels = before;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (!seen.heaps[i].is_local) continue;
    const GpuMemory& memory = seen.heaps[i].memory;
    levels[i] = {level_after(levels[i].first, memory, setting_),
                 level_after(levels[i].second, memory, setting_)};
  }
  return levels;
}

bool GpuNews::may_change_level(const GpuDeviceReading& seen) const {
  const auto told = told_->find(seen.device);
  return told != told_->end() && is_same(told->second.seen, seen) &&
         levels_after(told->second.levels, seen) != told->second.levels;
}

bool GpuNews::take(const GpuDeviceReading& seen, bool is_due) {
  const auto [entry, is_new] = told_->try_emplace(seen.device);
  Told& told = entry->second;
  const bool is_known = !is_new && is_same(told.seen, seen);
  if (is_known && !is_due && !has_moved(told.seen, seen, setting_)) return false;
  if (!is_known) told.levels.assign(seen.heaps.size(), {GpuLevel::normal, GpuLevel::critical});
  told = {.seen = seen, .levels = levels_after(told.levels, seen)};
  return true;
}

std::optional<ReportGpu> GpuNews::take(const GpuReading& reading, Time now) {
  const bool is_first = !told_;
  if (is_first) told_.emplace();
  bool is_news = is_first || was_in_trouble_ == reading.trouble.empty();
  was_in_trouble_ = !reading.trouble.empty();
  // Where it is not certain what the engine makes of it, all are sampled, so that both know the
  // same.
  const bool is_due =
      !reading.devices.empty() && (is_first || now - sampled_at_ >= setting_.sample_interval ||
                                   std::ranges::any_of(reading.devices, [&](const auto& seen) {
                                     return may_change_level(seen);
                                   }));
  if (is_due) sampled_at_ = now;
  const auto vanished = std::erase_if(*told_, [&](const auto& told) {
    return std::ranges::find(reading.devices, told.first, &GpuDeviceReading::device) ==
           reading.devices.end();
  });
  is_news = is_news || vanished > 0;
  for (const GpuDeviceReading& seen : reading.devices) is_news = take(seen, is_due) || is_news;
  if (!is_news) return std::nullopt;
  return ReportGpu{reading, setting_, is_due};
}

GpuWatch::GpuWatch(Surroundings surroundings, const GpuWatchOptions& options)
    : surroundings_(std::move(surroundings)),
      options_(options),
      thread_([this](const std::stop_token& stop) { watch(stop); }) {}

void GpuWatch::look_now() {
  const std::lock_guard lock(mutex_);
  is_due_ = true;
  changed_.notify_one();
}

void GpuWatch::watch(const std::stop_token& stop) {
  this_thread::set_name("almanac-gpu");
  this_thread::give_way();
  GpuNews news(options_.setting);
  GpuReading before;
  Duration wait = options_.interval_min;
  const auto answered = [refused = was_refused_](const Result<Answer>& answer) {
    if (!answer) *refused = true;
  };
  while (!stop.stop_requested()) {
    GpuReading reading = surroundings_.read();
    if (reading.trouble != before.trouble && !reading.trouble.empty()) {
      note("GPUs cannot be looked at: " + reading.trouble);
    }
    if (was_refused_->exchange(false)) news.forget();
    if (auto report = news.take(reading, surroundings_.clock())) {
      surroundings_.tell(std::move(*report), answered);
    }
    wait = next_look(wait, before, reading, options_);
    before = std::move(reading);
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, wait, [&] { return std::exchange(is_due_, false); });
  }
  surroundings_.read = nullptr;
}

}  // namespace almanac
