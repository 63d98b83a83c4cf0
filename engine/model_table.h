// What only the engine that uses models knows of them: who uses each, who waits, and what is being
// done. Shared by the runner, its jobs and the leases, which may outlive it.
#pragma once

#include <almanac/engine/model_lease.h>
#include <almanac/engine/model_measure.h>
#include <almanac/engine/model_spec.h>
#include <almanac/engine/steady_clock.h>
#include <almanac/engine/steady_time.h>
#include <almanac/projections/gpu.h>
#include <almanac/projections/models.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace almanac {

// A load, an unload or a check, on a thread of its own.
struct ModelWork {
  enum class Kind : std::uint8_t { load, unload, check };
  ModelWork() = default;
  ~ModelWork() { stop.request_stop(); }
  ModelWork(const ModelWork&) = delete;
  ModelWork& operator=(const ModelWork&) = delete;

  Kind kind = Kind::load;
  std::stop_source stop;               // asked for: it is to end soon
  std::optional<Result<void>> result;  // once it has ended
  Duration took{0};
  std::jthread thread;
};

struct ModelEntry {
  std::function<Result<void>(const ModelJob&)> on_load;
  std::function<Result<void>(const ModelJob&)> on_unload;
  std::uint32_t in_use = 0;
  Time used_at;
  std::string gpu;          // where it is loaded, for leases
  bool is_open = false;     // it is loaded, and nothing was decided against it
  bool is_leaving = false;  // it is decided that it goes
  bool is_busy = false;     // something was decided that is not in the state yet: …
  std::string target;       // … of a load, where to; …
  Position busy_since;      // … its last change then
  std::shared_ptr<std::atomic<bool>> is_lost;
  std::unique_ptr<ModelWork> work;
  SteadyTime told_next;  // what was refused is not told again before

  // Of the load that goes on; none where nobody has looked at its GPU in front of it.
  std::optional<LoadMeasure> measure;
  // Of the unload that goes on: what was free in front of it. None before somebody has looked.
  std::optional<std::uint64_t> free_before;
  // Of what it waits for since its last change: what was free last, and since when.
  std::optional<GpuMemory> look_before;
  std::uint64_t look_number = 0;
  Position waiting_at;
  SteadyTime waiting_since;
  ModelState state = ModelState::absent;  // since that change
  SteadyTime failed_at;                   // its last load here, where one has failed

  std::uint64_t untold_uses = 0;
  std::map<std::string, std::uint64_t> untold_degraded;  // by alternative
  std::string degraded_for;                              // the last reason
  std::string reason;                                    // why those who wait do
  std::string failure;                                   // of the last load
};

struct ModelWaiter {
  std::string wanted;
  std::string model;  // it, or an alternative
  std::size_t alternatives = 0;
  std::string reason;  // why it is an alternative
  SteadyTime since;    // when it came
  SteadyTime until;
  bool may_degrade = true;
  bool unloads = false;  // it is to go
  // With a lease of nothing for those who unload.
  std::function<void(Result<ModelLease>)> done;
};

struct ModelTable {
  std::mutex mutex;
  std::condition_variable_any changed;
  bool has_news = false;
  bool has_stopped = false;
  std::map<std::string, ModelEntry, std::less<>> entries;
  std::list<ModelWaiter> waiters;  // in the order of coming
  // Of GPUs: until when memory of ours may come free that nobody waits for any more, of what has
  // failed or was slow.
  std::map<std::string, SteadyTime, std::less<>> restless_until;

  // With the mutex held.
  void wake() {
    has_news = true;
    changed.notify_all();
  }
};

// With the table's mutex held, of one that is open.
[[nodiscard]] ModelLease lease_of(const std::shared_ptr<ModelTable>& table,
                                  const ModelWaiter& waiter, ModelEntry& entry, Time now);

}  // namespace almanac
