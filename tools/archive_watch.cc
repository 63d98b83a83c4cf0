#include <almanac/tools/archive_watch.h>

#include <almanac/tools/units.h>

#include <fmt/core.h>

#include <algorithm>

namespace almanac {
namespace {

constexpr std::chrono::milliseconds look_interval{50};

}  // namespace

void ArchiveWatch::progress(const std::string& what, double share, std::uint64_t bytes) {
  const auto now = std::chrono::steady_clock::now();
  if (now < look_next_) return;
  look_next_ = now + look_interval;
  if (interrupt_.has_come()) stop_.request_stop();
  if (!line_.is_due()) return;
  const double seconds = std::max(std::chrono::duration<double>(now - began_).count(), 0.001);
  auto text =
      fmt::format("{}, {:.0f}%, {}/s", what, 100 * share,
                  format_bytes(static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds)));
  if (share > 0) {
    const std::chrono::duration<double> left(seconds * (1 - share) / share);
    text += fmt::format(", {} left", format_compact(std::chrono::duration_cast<Duration>(left)));
  }
  line_.show(text);
}

std::function<void(const RestoreProgress&)> restore_progress(ArchiveWatch& watch) {
  return [&watch](const RestoreProgress& progress) {
    const auto all = progress.last.value - progress.first.value + 1;
    const auto done = progress.through.value - progress.first.value + 1;
    watch.progress(fmt::format("{} of {} restored", progress.through.value, progress.last.value),
                   static_cast<double>(done) / static_cast<double>(all), progress.frame_bytes);
  };
}

}  // namespace almanac
