// Looks at the GPUs beside the engine, and tells it what is worth an event.
#pragma once

#include <almanac/engine/command.h>
#include <almanac/engine/gpu_options.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace almanac {

// How long until the next look, by the last wait and what this look and the one before have seen.
[[nodiscard]] Duration next_look(Duration last, const GpuReading& before, const GpuReading& now,
                                 const GpuWatchOptions& options);

// What the engine has been told, by the rules by which it decides (gpu.h): what is withheld would
// have been no event. One thread at a time.
class GpuNews {
 public:
  explicit GpuNews(const GpuSetting& setting) : setting_(setting) {}
  // What to ask the engine about a reading, if anything; from then on it counts as told.
  [[nodiscard]] std::optional<ReportGpu> take(const GpuReading& reading, Time now);
  // The engine did not take something: all is news again.
  void forget() { told_.reset(); }

 private:
  // Of each heap, from either end: the level it had before this watch began may have stayed.
  using Levels = std::vector<std::pair<GpuLevel, GpuLevel>>;
  struct Told {
    GpuDeviceReading seen;  // as it was sampled last
    Levels levels;
  };
  [[nodiscard]] Levels levels_after(const Levels& before, const GpuDeviceReading& seen) const;
  [[nodiscard]] bool may_change_level(const GpuDeviceReading& seen) const;
  // Whether it is news; from then on it is told.
  bool take(const GpuDeviceReading& seen, bool is_due);

  GpuSetting setting_;
  std::optional<std::map<std::string, Told>> told_;
  bool was_in_trouble_ = false;
  Time sampled_at_;  // all of them
};

// Owned by the engine. A thread of its own does all of it: a driver may take milliseconds to
// answer, or hang.
class GpuWatch {
 public:
  struct Surroundings {
    std::function<Time()> clock;       // called on the watch's thread, as is
    std::function<GpuReading()> read;  // one look; dies on that thread
    // Asks the engine; answers on any thread, also after the watch is gone.
    std::function<void(Command, std::function<void(Result<Answer>)>)> tell;
  };
  GpuWatch(Surroundings surroundings, const GpuWatchOptions& options);
  ~GpuWatch() = default;
  GpuWatch(const GpuWatch&) = delete;
  GpuWatch& operator=(const GpuWatch&) = delete;

  // Looks at once. Any thread.
  void look_now();

 private:
  void watch(const std::stop_token& stop);

  Surroundings surroundings_;
  const GpuWatchOptions options_;
  std::shared_ptr<std::atomic<bool>> was_refused_ = std::make_shared<std::atomic<bool>>(false);
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool is_due_ = false;
  std::jthread thread_;  // the last: it ends before what it uses
};

}  // namespace almanac
