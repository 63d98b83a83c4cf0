// Whether what many clients were answered about their appends can have happened one after the
// other. The log itself says in which order: what is left to show is that this order agrees with
// the clock, with every expected version and with every answer.
#pragma once

#include <almanac/log/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace almanac::test {

// One append of one event, as its client saw it. Times are those of one clock for all clients.
struct AppendCall {
  enum class Outcome : std::uint8_t {
    unknown,   // no answer, or one that says so: stored once or not at all
    stored,    // acknowledged
    conflict,  // the stream was not at the expected version
    refused,   // for another reason; not stored
  };
  std::uint64_t id = 0;
  std::uint64_t stream = 0;
  std::optional<std::uint64_t> expected = {};  // version; any will do where none is said
  std::uint64_t invoked = 0;
  std::uint64_t answered = UINT64_MAX;  // never; or when the process of an unknown one had died
  Outcome outcome = Outcome::unknown;
  Position position = {};  // that was answered
};

// What the log holds, in its order.
struct StoredAppend {
  std::uint64_t id = 0;
  std::uint64_t stream = 0;
  Position position;
};

// The first thing that cannot be, in a sentence; empty when all of it can. A conflict may be with
// an append that was on its way and lost in a crash. O(n log n).
[[nodiscard]] std::string why_not_linearizable(std::span<const AppendCall> calls,
                                               std::span<const StoredAppend> log);

}  // namespace almanac::test
