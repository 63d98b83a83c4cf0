// The ceilings of the projections, each with its arithmetic.
#pragma once

#include <almanac/log/types.h>

#include <cstddef>

namespace almanac::limits {

// A question that a person types is a line or two; one that a program writes, a page.
inline constexpr std::size_t query_bytes_max = 16'384;
// Parentheses, calls and ! inside each other. Reading one costs six calls of some hundred bytes.
inline constexpr std::size_t query_nesting_max = 64;
// Operators one behind the other are nested as well, once they are read: what walks the tree takes
// a frame of some 200 bytes for each, which must stay far below a thread's stack of 8 MiB.
inline constexpr std::size_t query_operators_max = 2'048;
static_assert((query_nesting_max + query_operators_max) * 1'000 < 4'000'000);

// A probe of a program that has not said by then what became of it has failed.
inline constexpr Duration circuit_probe_time = std::chrono::minutes(1);

// The last repairs are remembered, for people; what has helped is counted of all.
inline constexpr std::size_t repairs_kept_max = 100;
// A probe of a component is cut off long before; what a log says beyond that makes no average.
inline constexpr Duration probe_took_max = std::chrono::hours(24);

// Requests, and refusals, that a state keeps in words, some 300 bytes each. All are in the log.
inline constexpr std::size_t audits_kept_max = 100;
// Who is counted alone: those that tokens were made for, and some users. The others together.
inline constexpr std::size_t audit_principals_max = 1'000;

// Turns of a conversation that a state keeps of each user: some days of talk. Older ones stay in
// the log.
inline constexpr std::size_t context_turns_kept_max = 10'000;

// Idempotency keys of custom events that a state knows, at some 80 bytes each.
inline constexpr std::size_t custom_keys_max = 100'000;

// By which what was used counts half: some sessions of a person, and less than a day.
inline constexpr Duration model_heat_half_life = std::chrono::hours(2);

// What a task takes of a GPU's memory is thought to be taken by then, as a model's is behind its
// load; what is taken later stays kept free as well.
inline constexpr Duration gpu_settle_time = std::chrono::seconds(10);

}  // namespace almanac::limits
