// The ceilings of the archive, each with its arithmetic. What is over one is refused before memory
// is asked for.
#pragma once

#include <almanac/log/limits.h>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace almanac::limits {

// A block is closed once it holds so many events and so many bytes: enough of both for a compressor
// to find what repeats, and little enough to be read for one event.
inline constexpr std::size_t block_events_min = 256;
inline constexpr std::size_t block_bytes_min = 128 * kibibyte;
// One frame more than that.
inline constexpr std::size_t block_bytes_max = block_bytes_min + frame_bytes_max;
// What a thread compresses at a time: much against what it takes to start one.
inline constexpr std::size_t block_run_bytes = 4 * mebibyte;
// Blocks that are unpacked at once, so that their chains are digested side by side.
inline constexpr std::size_t blocks_unpacked = 8;
// How often so many are unpacked ahead of who reads them: enough that neither waits for a switch of
// threads.
inline constexpr std::size_t unpacked_ahead_max = 2;

// A segment is closed once its frames have so many bytes.
inline constexpr std::size_t segment_bytes_target = 64 * mebibyte;
inline constexpr std::size_t segment_bytes_max = segment_bytes_target + frame_bytes_max;
// Below that, so many segments become one: an hour's would fill a manifest otherwise.
inline constexpr std::size_t segment_merge_count = 8;

// As a file: bytes that cannot be compressed grow by less than one in 128, and a block has 80 bytes
// in the index. Encryption adds less than one byte in 1,024.
inline constexpr std::size_t segment_file_bytes_max = segment_bytes_max / 127 * 128 + mebibyte;
static_assert(segment_bytes_max / block_bytes_min * 80 + segment_bytes_max / 1'000 < mebibyte);

// A state as bytes, which is held in memory twice when it is a delta. zstd's window reaches as far.
inline constexpr std::uint64_t checkpoint_bytes_max = 1 * gibibyte;
// A delta is kept only while it is so many times smaller than the checkpoint it stands on.
inline constexpr std::uint64_t delta_times_smaller_min = 2;

// Of a file that is copied, in memory at a time.
inline constexpr std::size_t copy_piece_bytes = 1 * mebibyte;

inline constexpr std::size_t tag_bytes_max = 64;

// A tail is written anew with every second: once it has so many segments, some 400 KiB, the next
// snapshot is due.
inline constexpr std::size_t tail_segments_max = 1'000;
// A manifest, of which each segment takes some 400 bytes: 40,000 segments are 2.5 TiB of frames.
inline constexpr std::size_t manifest_bytes_max = 16 * mebibyte;

// The first events of a branch of its own, in one frame: at some 60 bytes a quarter of a mebibyte.
inline constexpr std::size_t parting_events_max = 4'096;
static_assert(parting_events_max <= batch_events_max);

// Who follows a log holds its repository's lock for as long as it takes to archive what is new:
// milliseconds, and a second or two where 64 MiB are merged.
inline constexpr std::chrono::seconds repository_wait_max{10};

}  // namespace almanac::limits
