// The ceilings of the tools, each with its arithmetic.
#pragma once

#include <almanac/engine/limits.h>
#include <almanac/snapshots/limits.h>

#include <cstddef>

namespace almanac::limits {

// A line holds at most one task of a JSON Lines workload: its command in any spelling that makes
// sense, and room for the names of what it depends on.
inline constexpr std::size_t workload_line_bytes_max = 16 * mebibyte;
static_assert(workload_line_bytes_max >= payload_bytes_max + mebibyte);
// A workload is held in memory while it is checked, at about three times its size.
inline constexpr std::size_t workload_bytes_max = 256 * mebibyte;
inline constexpr std::size_t workload_tasks_max = 1'000'000;
// A request of a recorded trace, of which there are as many at most as tasks in a workload.
inline constexpr std::size_t trace_line_bytes_max = 1 * mebibyte;
// Lists and tables inside each other. Four are in use: file, defaults, env, variable.
inline constexpr std::size_t workload_nesting_max = 16;

// A line of an exported log holds one event, each byte of its text as \u0000 at worst.
inline constexpr std::size_t export_line_bytes_max = 6 * event_bytes_max + mebibyte;
// Lists and objects inside each other. Three are in use: the event, a list, bytes in it.
inline constexpr std::size_t export_nesting_max = 8;
// The events of a frame are in memory together while they are imported. A frame holds what its
// first mebibyte of batches brought, and one more batch.
inline constexpr std::size_t export_frame_events_max = 2 * batch_events_max;
inline constexpr std::size_t export_frame_bytes_max = 4 * export_line_bytes_max;

// Lists and objects inside each other, of an entry of memory and of the body of a request. Three
// are in use: the entry, its metadata, a list in that.
inline constexpr std::size_t json_nesting_max = 64;

// Each reads the log in a transaction of its own, of which LMDB has 256 for all processes.
inline constexpr std::size_t verify_jobs_max = 64;

// What a causal tree shows: tasks in all, and events that led to its root.
inline constexpr std::size_t tree_tasks_max = 1'000;
inline constexpr std::size_t tree_causes_max = 100;

// A word longer than this is not compared with others, and at most so many others are looked at.
inline constexpr std::size_t nearest_word_bytes_max = 64;
inline constexpr std::size_t nearest_candidates_max = 100'000;

// Frames that are restored in a second, for a guess: 56 MiB were, on two busy processors.
inline constexpr std::uint64_t restore_bytes_per_second = 50 * mebibyte;

// An overview: tasks that run, ends, and how far it looks back for those; and the events it reads
// for each of its rates, half a millisecond.
inline constexpr std::size_t overview_running_max = 100;
inline constexpr std::size_t overview_ends_max = 20;
inline constexpr std::size_t overview_ends_reads_max = 2'048;
inline constexpr std::uint64_t rate_reads_max = 8'192;

}  // namespace almanac::limits
