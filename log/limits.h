// The ceilings of the log, each with its arithmetic. Exceeding one is a refusal, never a crash.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace almanac::limits {

inline constexpr std::size_t kibibyte = 1024;
inline constexpr std::size_t mebibyte = 1024 * kibibyte;
inline constexpr std::size_t gibibyte = 1024 * mebibyte;

// One event, all its text and bytes included.
inline constexpr std::size_t event_bytes_max = 16 * mebibyte;
// The events of one batch are committed in one frame or not at all.
inline constexpr std::size_t batch_bytes_max = 16 * mebibyte;
inline constexpr std::size_t batch_events_max = 100'000;
// The writer starts another frame once one holds this much.
inline constexpr std::size_t frame_bytes_target = 1 * mebibyte;
// One LMDB transaction takes frames until they hold this much. What a commit costs beside its
// bytes, in syncs and in the file system when the file grows, is 5 to 10 ms: a third of it with 4
// MiB, and frames that are synced meanwhile wait behind it.
inline constexpr std::size_t commit_bytes_target = 12 * mebibyte;
// The times of a frame's events are 32 bits of microseconds behind the frame's own, which hold
// 71.5 minutes.
inline constexpr std::chrono::minutes frame_span_max{70};
static_assert(std::chrono::microseconds(frame_span_max).count() <= UINT32_MAX);
// Names (kinds, queues, tags, types) are stored once per frame and referred to by 16 bits.
inline constexpr std::size_t frame_names_max = 65'535;
inline constexpr std::size_t name_bytes_max = 128;
// What an encoded event, or a name in the table, costs at most beyond the bytes it carries.
inline constexpr std::size_t event_overhead_bytes_max = 320;
inline constexpr std::size_t name_overhead_bytes_max = 16;
// The largest frame: one that was just under its target and took the largest batch.
inline constexpr std::size_t frame_bytes_max = 64 * mebibyte;
static_assert(frame_bytes_target + batch_bytes_max + batch_events_max * event_overhead_bytes_max +
                  frame_names_max * (name_bytes_max + name_overhead_bytes_max) <=
              frame_bytes_max);
inline constexpr std::size_t key_bytes_max = 512;
// Address space kept for the map; the file itself grows as needed.
inline constexpr std::size_t map_bytes_default = 64 * gibibyte;
// A reader takes at most this many values or bytes before it lets go of its LMDB transaction, so
// that it never pins pages the writer wants to reuse; and so many frames from memory.
inline constexpr std::size_t read_slice_values = 64;
inline constexpr std::size_t read_slice_frames = 64;
inline constexpr std::size_t read_slice_bytes = 8 * mebibyte;

// The journal's segments. It begins with a small one; each further one is half of what there is, so
// that a log of little use stays small. A frame that is larger gets a segment of its own size.
inline constexpr std::size_t journal_segment_bytes_min = 256 * kibibyte;
inline constexpr std::size_t journal_segment_bytes_max = 8 * mebibyte;
inline constexpr std::size_t journal_segments_max = 256;
// They are written in blocks, which are what every disk and file system in use wants, in the file
// and in memory; at once a frame of the usual size and the block it begins in.
inline constexpr std::size_t journal_block_bytes = 4 * kibibyte;
inline constexpr std::size_t journal_write_bytes = 2 * mebibyte;
// Frames wait in memory until they are in the store: at most so many bytes and one frame more. With
// the pages of the commit that takes them and what is appended meanwhile a writer stays below
// 64 MiB.
inline constexpr std::size_t recent_bytes_max = 22 * mebibyte;
// The journal keeps them until two commits of the store later, in segments that may be half free.
inline constexpr std::size_t journal_bytes_max = 512 * mebibyte;
static_assert(2 * (recent_bytes_max + frame_bytes_max + 2 * commit_bytes_target) <=
              journal_bytes_max);
// They are brought to the store as soon as there is a good load, or after this long: a commit of
// the store holds up what is synced meanwhile, which one append in a hundred should not meet …
inline constexpr std::size_t settle_bytes_min = 12 * mebibyte;
inline constexpr std::chrono::milliseconds settle_interval{1000};
// … and tried again after this long when it has no room.
inline constexpr std::chrono::milliseconds settle_retry_interval{250};

// A frame from this size on is digested beside its sync; a smaller one takes less than 20
// microseconds.
inline constexpr std::size_t digest_aside_bytes_min = 24 * kibibyte;
// Appended and not on disk yet, before an append is told to wait.
inline constexpr std::size_t pending_bytes_default = 16 * mebibyte;
// Frames that share one value of the store: LMDB gives a value whole pages, of which it wastes half
// a one. Finding one frame looks at the headers of those in front of it.
inline constexpr std::size_t pack_bytes_max = 1 * mebibyte;
inline constexpr std::size_t pack_frames_max = 64;
// Values that one transaction removes from the front of a log.
inline constexpr std::size_t trim_slice_values = 64;
// Records of the index that are read, and at most removed, at once.
inline constexpr std::size_t index_slice_records = 256;
// Events that the index takes in at once when it catches up.
inline constexpr std::size_t index_slice_events = 50'000;

}  // namespace almanac::limits
