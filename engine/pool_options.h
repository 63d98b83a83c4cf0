// What a pool of instances is told, and what it tells: settings, figures, events. Part of pool.h.
#pragma once

#include <almanac/log/events/pool.h>
#include <almanac/log/types.h>

#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace almanac {

// A message of a failed operation matches when it contains the text, or a part of it is what the
// expression (ECMAScript) says. Looked at are the first 4 KiB of a message.
struct PoolErrorRule {
  std::string pattern;
  bool is_expression = false;
};

struct PoolEvent {
  enum class Kind : std::uint8_t {
    created,
    creation_failed,  // also of an instance whose first probe said no
    retired,
    exhausted,  // somebody waits for longer than temporary_after; once until nobody waits
  };
  Kind kind = Kind::created;
  std::uint64_t instance = 0;  // 1, 2, 3 … in the order in which they were made; 0 = of none
  PoolRetirement reason = PoolRetirement::age;
  bool is_temporary = false;  // created beyond the pool's size
  std::string message;        // of a failure
};

struct PoolOptions {
  std::string name = "pool";  // in what it says
  std::size_t size = 5;
  // Made beyond that while some wait, and not kept. No more than size + temporary_max exist at any
  // time, those included that are in use for too long.
  std::size_t temporary_max = 5;
  Duration temporary_after = std::chrono::milliseconds(100);
  // Of a check-out that says none.
  Duration timeout = std::chrono::seconds(5);
  // Instances are made when they are first needed; else from the start, in the background.
  bool is_lazy = false;

  // 0 = no bound.
  Duration age_max{0};
  std::uint64_t uses_max = 0;
  Duration slow_after = std::chrono::seconds(30);
  std::vector<PoolErrorRule> error_rules = {};
  // Of instances that nobody uses; one that has just worked is not probed.
  Duration probe_interval = std::chrono::seconds(30);

  // Before the next instance is made where one could not be, or failed its first use: doubled with
  // each failure in a row.
  Duration backoff = std::chrono::milliseconds(100);
  Duration backoff_max = std::chrono::seconds(30);

  // Told of every event once, in order, on a thread of the pool with no lock held.
  std::function<void(const PoolEvent&)> on_event = {};
  // Given the coroutines to resume, on that thread: the place to hand them to a loop of your own.
  // Without it they are resumed right there.
  std::function<void(std::span<const std::coroutine_handle<>>)> resume = {};
};

struct PoolFigures {
  std::size_t size = 0;  // as set
  // Now.
  std::size_t idle = 0;
  std::size_t in_use = 0;
  std::size_t temporary = 0;  // beyond the size
  std::size_t in_making = 0;
  std::size_t waiting = 0;  // check-outs
  // In total.
  std::uint64_t created = 0;
  std::uint64_t creations_failed = 0;
  std::array<std::uint64_t, pool_retirement_count> retired{};  // by reason
  std::uint64_t check_outs = 0;
  std::uint64_t waits = 0;  // check-outs that found none idle
  std::uint64_t timeouts = 0;
  std::uint64_t failures = 0;       // operations that were said to have failed
  std::uint64_t events_untold = 0;  // because on_event does not keep up
  Duration longest_wait{0};
  Duration longest_use{0};
  Duration use{0};
  std::string last_error;  // of the last instance that could not be made, or failed at once

  [[nodiscard]] std::uint64_t retired_for(PoolRetirement reason) const {
    return retired[static_cast<std::size_t>(reason)];
  }
  bool operator==(const PoolFigures&) const = default;
};

}  // namespace almanac
