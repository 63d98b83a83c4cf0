// Snapshots that are made and verified because somebody asked over HTTP: one after the other, on a
// thread of their own, as each may take minutes. The last of them are remembered until the daemon
// ends.
#pragma once

#include <almanac/daemon/work_threads.h>
#include <almanac/log/error.h>
#include <almanac/log/log.h>
#include <almanac/log/types.h>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

enum class SnapshotTask : std::uint8_t { create, verify };
enum class SnapshotWorkState : std::uint8_t { waiting, running, done, failed };
[[nodiscard]] std::string_view name(SnapshotTask task);
[[nodiscard]] std::string_view name(SnapshotWorkState state);

// A value.
struct SnapshotAsked {
  SnapshotTask task = SnapshotTask::create;
  std::filesystem::path repository;
  std::string tag = {};         // of one that is made
  bool full = false;            // the same: builds on nothing that is there
  std::uint64_t number = 0;     // of one that is verified; 0 = all
  std::uint64_t percent = 100;  // of what is verified
  bool operator==(const SnapshotAsked&) const = default;
};

// A value.
struct SnapshotWork {
  std::uint64_t number = 0;
  SnapshotAsked asked;
  SnapshotWorkState state = SnapshotWorkState::waiting;
  double share = 0;  // of it that is done, 0 to 1
  Time asked_at;
  Time ended_at;                       // not set = it has not
  nlohmann::ordered_json result = {};  // as `almanac snapshot --json` tells it
  std::optional<Error> error = {};     // of one that failed

  [[nodiscard]] bool has_ended() const { return ended_at != Time(); }
};
[[nodiscard]] nlohmann::ordered_json snapshot_work_json(const SnapshotWork& work);

// Any thread. Dies before the log.
class SnapshotWorks {
 public:
  SnapshotWorks(const Log& log, std::filesystem::path folder);
  ~SnapshotWorks();  // stops, and waits for what runs
  SnapshotWorks(const SnapshotWorks&) = delete;
  SnapshotWorks& operator=(const SnapshotWorks&) = delete;

  // As soon as those before are done. What was asked for with this key before is what was begun
  // then; an empty key is none. Errors: busy (too many wait), conflict (the key was for something
  // else), stopped.
  [[nodiscard]] Result<SnapshotWork> begin(SnapshotAsked asked, const std::string& key);
  [[nodiscard]] std::vector<SnapshotWork> all() const;  // the newest first
  [[nodiscard]] std::optional<SnapshotWork> find(std::uint64_t number) const;
  // Calls with it once it has ended: at once, or later on its thread. False = there is none.
  [[nodiscard]] bool when_ended(std::uint64_t number,
                                std::function<void(const SnapshotWork&)> call);
  // What runs and waits ends as soon as it can, as failed. Returns at once.
  void stop();

 private:
  struct Entry {
    SnapshotWork work;
    std::string key;
    std::vector<std::function<void(const SnapshotWork&)>> waiting;
  };
  void run(std::uint64_t number);
  Result<nlohmann::ordered_json> perform(std::uint64_t number, const SnapshotAsked& asked);
  void progress(std::uint64_t number, double share);
  void forget_old();

  const Log& log_;
  const std::filesystem::path folder_;
  std::stop_source stop_;
  mutable std::mutex mutex_;  // of all below, but for the thread
  std::map<std::uint64_t, Entry> works_;
  std::uint64_t last_ = 0;
  WorkThreads thread_;
};

}  // namespace almanac
