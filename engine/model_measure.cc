#include <almanac/engine/model_measure.h>

#include <algorithm>

namespace almanac {
namespace {

std::uint64_t steady_within(const GpuMemory& memory) { return memory.size / 100; }

std::uint64_t grown(std::uint64_t from, std::uint64_t to) { return to > from ? to - from : 0; }

bool makes_sense(std::uint64_t taken, std::uint64_t declared, const GpuMemory& now) {
  return taken > 0 && taken >= declared / 2 && taken - taken / 2 <= declared && taken <= now.size;
}

}  // namespace

LoadMeasure::LoadMeasure(const GpuMemory& before, std::uint64_t held_by_tasks, bool is_restless)
    : before_(before),
      now_(before),
      least_(before.available()),
      held_(held_by_tasks),
      is_restless_(is_restless) {}

void LoadMeasure::see(const GpuMemory& now, std::uint64_t held_by_tasks) {
  // None begins while a model is on its way there: what is less has ended.
  if (held_by_tasks < held_) is_restless_ = true;
  held_ = held_by_tasks;
  now_ = now;
  if (now.available() > least_ + steady_within(now)) has_risen_ = true;
  least_ = std::min(least_, now.available());
}

std::uint64_t LoadMeasure::learned(std::uint64_t declared) const {
  if (now_.is_estimate || is_restless_) return 0;
  const std::uint64_t own = grown(before_.own, now_.own);
  if (makes_sense(own, declared, now_)) return own;
  const std::uint64_t taken = grown(now_.available(), before_.available());
  if (!makes_sense(taken, declared, now_) || (has_risen_ && taken < declared)) return 0;
  return taken;
}

bool is_steady(const GpuMemory& before, const GpuMemory& now) {
  const std::uint64_t was = before.available();
  const std::uint64_t is = now.available();
  return (was > is ? was - is : is - was) <= steady_within(now);
}

// Half of more than there is would not be reached.
bool shows_release(std::uint64_t before, const GpuMemory& now, std::uint64_t bytes) {
  constexpr std::uint64_t most = std::uint64_t{1} << 60U;
  return now.is_estimate || now.available() >= before + std::min(bytes, most) / 2;
}

}  // namespace almanac
