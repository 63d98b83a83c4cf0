// The ceilings of the engine, each with its arithmetic.
#pragma once

#include <almanac/log/limits.h>
#include <almanac/log/types.h>

#include <cstddef>
#include <cstdint>

namespace almanac::limits {

// Commands that may wait for the loop. A full mailbox answers `busy`.
inline constexpr std::size_t mailbox_commands_max = 65'536;

// Tasks in one submission. Each becomes at most one event, and all of them one batch.
inline constexpr std::size_t submission_tasks_max = 50'000;
static_assert(submission_tasks_max <= batch_events_max);

inline constexpr std::uint32_t slots_max = 4'096;
inline constexpr std::uint16_t attempts_max = 1'000;
// Of timeouts and backoffs: now plus any of them is far from the end of a 64-bit clock.
inline constexpr Duration duration_max = std::chrono::hours(24 * 365 * 100);
inline constexpr std::size_t dependencies_max = 10'000;
inline constexpr std::size_t tags_max = 64;
inline constexpr std::size_t label_bytes_max = 512;
inline constexpr std::size_t payload_bytes_max = 8 * mebibyte;
inline constexpr std::size_t task_bytes_max =
    payload_bytes_max + dependencies_max * sizeof(TaskId) + label_bytes_max;
static_assert(task_bytes_max <= event_bytes_max);

// What a command left behind outside its process group lives no longer than this, and one look at
// all processes serves every command that ended within it.
inline constexpr Duration sweep_interval = std::chrono::milliseconds(200);

// Output of a command kept in the log; the rest is counted and dropped.
inline constexpr std::size_t output_bytes_default = 64 * kibibyte;
inline constexpr std::size_t output_bytes_max = 4 * mebibyte;
inline constexpr std::size_t message_bytes_max = 4 * kibibyte;
static_assert(output_bytes_max + message_bytes_max <= event_bytes_max);

// Tasks cancelled in one turn because what they depend on has failed. The rest follows in the
// next turns, so that one failure at the root of a large graph never makes one huge batch.
inline constexpr std::size_t doomed_per_turn = 1'000;
// Delayed tasks made ready in one turn.
inline constexpr std::size_t due_per_turn = 10'000;
static_assert(doomed_per_turn + due_per_turn + slots_max <= batch_events_max);

// A refused commit (disk full) is tried again after this long.
inline constexpr Duration storage_retry_interval = std::chrono::seconds(1);
// The monotonic clock behind timers stops while the machine sleeps: never wait longer than this
// before looking at the wall clock again.
inline constexpr Duration timer_interval_max = std::chrono::seconds(30);

}  // namespace almanac::limits
