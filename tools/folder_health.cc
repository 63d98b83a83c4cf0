#include <almanac/tools/folder_health.h>

#include <almanac/tools/state_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/state_health.h>
#include <almanac/log/write_lock.h>

#include <fmt/core.h>

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

namespace almanac {
namespace {

// What an engine does late is late by more than it may take to start one.
constexpr Duration late = limits::firing_lateness_max;
constexpr std::uint64_t deaths_degraded = 1;
constexpr std::uint64_t deaths_unhealthy = 3;
constexpr std::uint64_t pool_exhausted_degraded = 3;
constexpr std::uint64_t pool_troubles_degraded = 3;
constexpr std::uint64_t pool_troubles_unhealthy = 10;
constexpr std::uint16_t map_degraded_permille = 900;
constexpr std::uint16_t map_unhealthy_permille = 980;
constexpr std::uint64_t disk_degraded_bytes = 256 * limits::mebibyte;
constexpr std::uint64_t disk_unhealthy_bytes = 64 * limits::mebibyte;

// By its number alone it could live where we do not see it, as in a container: then it holds the
// lock of the folder. That is asked last, as asking is in the way of an engine that starts.
bool has_died(const EngineInfo& engine, const std::filesystem::path& folder) {
  if (!engine.running) return false;
  const bool is_there = ::kill(static_cast<pid_t>(engine.process_id), 0) == 0 || errno != ESRCH;
  return !is_there && WriteLock::share(folder).has_value();
}

struct PoolTroubles {
  std::uint64_t instances = 0;  // that were no good, or could not be made
  std::uint64_t exhausted = 0;
};

// What died within a window: engines, which the next start shows, attempts with what ran them, and
// instances of pools.
struct Deaths {
  std::uint64_t engines = 0;
  std::uint64_t crashes = 0;
  std::map<std::string, PoolTroubles> pools = {};

  void see(const EventBody& body) {
    if (std::holds_alternative<EngineStarted>(body)) {
      engines += is_up_ ? 1 : 0;
      is_told_ = std::exchange(is_up_, true);
    } else if (std::holds_alternative<EngineStopped>(body)) {
      is_up_ = false;
    } else if (const auto* back = std::get_if<TaskHandedBack>(&body)) {
      const bool has_crashed =
          back->reason == HandBackReason::crashed || back->reason == HandBackReason::silent;
      crashes += has_crashed ? 1 : 0;
      // … but by what it left.
      const bool was_up = back->reason == HandBackReason::engine_died;
      if (was_up && !std::exchange(is_told_, true)) ++engines;
    } else if (const auto* ended = std::get_if<TaskFailed>(&body)) {
      crashes += ended->crashes > 0 ? 1 : 0;  // the last one it may have
    } else if (const auto* retired = std::get_if<InstanceRetired>(&body)) {
      if (is_trouble(retired->reason)) ++of(retired->pool).instances;
    } else if (const auto* failed = std::get_if<InstanceFailed>(&body)) {
      ++of(failed->pool).instances;
    } else if (const auto* exhausted = std::get_if<PoolExhausted>(&body)) {
      ++of(exhausted->pool).exhausted;
    }
  }

 private:
  PoolTroubles& of(std::string_view pool) { return pools[std::string(pool)]; }

  bool is_up_ = false;  // an engine that was started before the window is not known of, …
  bool is_told_ = false;
};

class Assessor {
 public:
  explicit Assessor(const HealthOptions& options)
      : options_(options), state_(options.state), window_(format_duration(options.window)) {}

  Result<FolderHealth> assess() {
    health_.position = state_.position;
    health_.recorded = state_.health;
    health_.from = options_.now - options_.window;
    health_.to = options_.now;
    Result<void> looked = look_at_window();
    if (looked && !options_.is_past) looked = look_at_space();
    if (!looked) return std::unexpected(looked.error());
    look_at_engine();
    std::ranges::move(health_reasons(state_, options_.now), std::back_inserter(health_.reasons));
    std::ranges::stable_sort(health_.reasons, std::ranges::greater(), &HealthReason::health);
    return std::move(health_);
  }

 private:
  void add(Health health, std::string sentence) {
    health_.reasons.push_back({health, std::move(sentence)});
  }

  Result<void> look_at_window() {
    auto first = options_.log.position_at(health_.from);
    if (!first) return std::unexpected(first.error());
    const Position from(first->value - 1);
    health_.before = from;
    auto kinds = gather_stats({.log = options_.log,
                               .state = state_,
                               .from = from,
                               .from_time = health_.from,
                               .by = StatsBy::kind});
    if (!kinds) return std::unexpected(kinds.error());
    health_.kinds = std::move(*kinds);
    for (const auto& [kind, stats] : health_.kinds.groups) look_at_kind(kind, stats);
    const auto overdue = health_.kinds.total.overdue;
    if (overdue > 0) {
      add(Health::degraded, counted(overdue, "task") + (overdue == 1 ? " is" : " are") +
                                " behind the deadline and not done");
    }
    return from < state_.position ? look_at_deaths(from) : Result<void>();
  }

  void look_at_kind(const std::string& kind, const TaskStats& stats) {
    const auto ended = stats.succeeded + stats.attempts_failed;
    const Health health = health_of(stats.attempts_failed, ended, options_.failures);
    if (health == Health::healthy) return;
    add(health, fmt::format("{} of {} of kind '{}' failed in the last {} ({})",
                            stats.attempts_failed, counted(ended, "attempt"), printable(kind),
                            window_, percent_text(stats.attempts_failed, ended)));
  }

  Result<void> look_at_deaths(Position from) {
    Deaths deaths;
    auto read = options_.log.read(from.next(), [&](const RecordedEvent& recorded) -> Result<bool> {
      deaths.see(recorded.event.body);
      return recorded.position < state_.position;
    });
    if (!read) return read;
    if (deaths.engines >= deaths_degraded) {
      add(deaths.engines >= deaths_unhealthy ? Health::unhealthy : Health::degraded,
          "the engine died " + counted(deaths.engines, "time") + " in the last " + window_);
    }
    if (deaths.crashes > 0) {
      add(Health::degraded, counted(deaths.crashes, "attempt") + " crashed in the last " + window_);
    }
    for (const auto& [pool, troubles] : deaths.pools) look_at_pool(pool, troubles);
    return {};
  }

  void look_at_pool(const std::string& pool, const PoolTroubles& seen) {
    const std::string name = "the pool '" + printable(pool) + "' ";
    if (seen.instances >= pool_troubles_degraded) {
      add(seen.instances >= pool_troubles_unhealthy ? Health::unhealthy : Health::degraded,
          name + "has lost or could not make " + counted(seen.instances, "instance") +
              " in the last " + window_);
    }
    if (seen.exhausted >= pool_exhausted_degraded) {
      add(Health::degraded,
          name + "was exhausted " + counted(seen.exhausted, "time") + " in the last " + window_);
    }
  }

  Result<void> look_at_space() {
    auto size = options_.log.size();
    if (!size) return std::unexpected(size.error());
    const auto used = size->store_bytes - std::min(size->store_free_bytes, size->store_bytes);
    const auto most = std::max<std::uint64_t>(size->map_bytes, 1);
    if (is_above(used, most, map_degraded_permille)) {
      add(is_above(used, most, map_unhealthy_permille) ? Health::unhealthy : Health::degraded,
          fmt::format("the log uses {} of what it may have", percent_text(used, most)));
    }
    std::error_code error;
    const auto disk = std::filesystem::space(options_.folder, error);
    if (error || disk.available >= disk_degraded_bytes) return {};
    add(disk.available < disk_unhealthy_bytes ? Health::unhealthy : Health::degraded,
        fmt::format("the disk of the folder has {} MiB left", disk.available / limits::mebibyte));
    return {};
  }

  void look_at_engine() {
    if (!state_.engine.running) {
      std::uint64_t ready = 0;
      for (const auto& [lane, places] : state_.tasks.ready.lanes()) {
        if (!state_.pauses.hold_back(lane)) ready += places.size();
      }
      if (ready == 0) return;
      return add(Health::degraded,
                 "no engine runs, and " + counted(ready, "task") + " could begin");
    }
    const auto live = state_.tasks.live();
    if (!options_.is_past && has_died(state_.engine, options_.folder)) {
      return add(live > 0 ? Health::unhealthy : Health::degraded,
                 fmt::format("the engine (process {}) has died, with {} to do",
                             state_.engine.process_id, counted(live, "task")));
    }
    const auto due = state_.tasks.next_due();
    if (due && *due + late < options_.now) {
      add(Health::unhealthy, "the engine has not done what was due at " + format_second(*due));
    }
  }

  const HealthOptions& options_;
  const State& state_;
  const std::string window_;
  FolderHealth health_;
};

}  // namespace

Result<FolderHealth> assess(const HealthOptions& options) { return Assessor(options).assess(); }

nlohmann::ordered_json health_json(const FolderHealth& health) {
  nlohmann::ordered_json json{{"health", name(health.health())},
                              {"position", health.position.value},
                              {"from", format_time(health.from)},
                              {"to", format_time(health.to)}};
  json["reasons"] = nlohmann::ordered_json::array();
  for (const HealthReason& reason : health.reasons) {
    json["reasons"].push_back({{"health", name(reason.health)}, {"reason", reason.sentence}});
  }
  if (health.recorded.changes > 0) json["recorded"] = health_json(health.recorded);
  return json;
}

}  // namespace almanac
