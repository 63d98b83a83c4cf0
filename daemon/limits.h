// The ceilings of the daemon's doors, each with its arithmetic. What a configuration may change is
// in http_settings.h, these are the bounds of it.
#pragma once

#include <almanac/engine/limits.h>
#include <almanac/log/limits.h>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace almanac::limits {

// The request line and all header fields. A request that has more is refused before it is parsed.
inline constexpr std::size_t http_head_bytes_max = 16 * kibibyte;
// Header fields of one request: each costs two texts.
inline constexpr std::size_t http_fields_max = 128;
// A body lies in memory as a whole, and what it asks for once more as one batch of the log.
inline constexpr std::size_t http_body_bytes_default = 16 * mebibyte;
inline constexpr std::size_t http_body_bytes_max = 64 * mebibyte;
static_assert(http_body_bytes_default <= batch_bytes_max);
// A larger one is not read on the loop: 64 KiB of JSON take half a millisecond.
inline constexpr std::size_t http_small_body_bytes = 64 * kibibyte;
// An idle connection takes some 3 KiB and what is kept of its buffer, one that reads or writes up
// to twice the buffers below.
inline constexpr std::size_t http_connections_default = 1'024;
inline constexpr std::size_t http_connections_max = 65'536;
// What was read and is not understood yet, while an answer is on its way: then nothing more is
// read.
inline constexpr std::size_t http_input_bytes_max = 64 * kibibyte;
// What is to be written before an event stream is asked for more.
inline constexpr std::size_t http_output_bytes_high = 256 * kibibyte;
// Of its buffer an idle connection keeps no more.
inline constexpr std::size_t http_output_bytes_kept = 16 * kibibyte;
// A refused request is read on for so long and so much, so that its refusal can arrive.
inline constexpr std::chrono::seconds http_linger_max{2};
inline constexpr std::size_t http_linger_bytes_max = 16 * mebibyte;
// How often deadlines are looked at.
inline constexpr std::chrono::milliseconds http_sweep_interval{250};
// How often a stream, and who waits for a task, is asked for its token again: one that was revoked
// is told no more a second later.
inline constexpr std::chrono::milliseconds http_pass_interval{1'000};

// Items of one page.
inline constexpr std::size_t page_items_default = 100;
inline constexpr std::size_t page_items_max = 1'000;
// A page of the log ends behind the event that brings it here: one has 16 MiB at most, 1,000 of
// them would be in memory together.
inline constexpr std::size_t page_bytes_max = 4 * mebibyte;
// And so many events are looked at for one, whether they match or not: a tenth of a second.
inline constexpr std::uint64_t page_events_max = 100'000;
// A worker, and whoever waits for repairs, is answered within this time.
inline constexpr std::chrono::seconds long_poll_max{60};
// A model is loaded, or gone, within this time.
inline constexpr std::chrono::minutes model_wait_max{10};
// Threads that answer what takes long, and those that ask the engine and wait.
inline constexpr std::size_t http_threads_default = 2;
inline constexpr std::size_t http_threads_max = 64;
// Requests that wait for one of them; more are answered `busy`.
inline constexpr std::size_t http_waiting_max = 1'024;

// Snapshots that wait to be made or verified, and those that are remembered: some 1 KiB each.
inline constexpr std::size_t snapshot_works_waiting_max = 8;
inline constexpr std::size_t snapshot_works_kept = 100;

// The last events as they are told, shared by all streams: a stream that is not behind costs no
// reading of the log.
inline constexpr std::size_t told_events_max = 8'192;
inline constexpr std::size_t told_bytes_max = 16 * mebibyte;
// An event stream that has nothing to tell says so this often, or whoever is between would end it.
inline constexpr std::chrono::seconds stream_silence_max{15};
// Parts of the time line.
inline constexpr std::size_t timeline_buckets_default = 100;
inline constexpr std::size_t timeline_buckets_max = 1'000;
// Events that a request may have looked at one by one: two seconds, and for one whose answer has
// all that changed between two moments, a fifth of the memory of a large body for each thousand.
inline constexpr std::uint64_t route_events_max = 2'000'000;
inline constexpr std::uint64_t diff_events_max = 100'000;
// Past states that are kept for `?at=`, and which share of the machine's memory all states of the
// process may take before those go: a state each 50,000 events of a log of 10,000,000 are 200,
// which share most of what they hold.
inline constexpr std::size_t past_states_kept = 512;
inline constexpr std::size_t past_memory_share = 4;
// Answers that are given again while nothing changes.
inline constexpr std::size_t answers_kept = 4'096;
inline constexpr std::size_t answer_bytes_kept = 16 * mebibyte;
inline constexpr std::size_t answer_bytes_max = 64 * kibibyte;
static_assert(answer_bytes_max <= answer_bytes_kept);
// Between two rounds in which all streams are told what there is; as long as one takes, and no
// longer.
inline constexpr std::chrono::milliseconds stream_pause_max{20};

// Tokens of one file.
inline constexpr std::size_t tokens_max = 1'000;
inline constexpr std::size_t token_file_bytes_max = 1 * mebibyte;

// Refusals on record of one source: so many at once, and so many a second from then on. Of all
// sources together ten times as much: an event takes some 200 bytes, so that nobody can add more
// than 170 MiB a day from outside, and an hour of it takes 7 MiB.
inline constexpr double refusals_burst = 20;
inline constexpr double refusals_per_second = 1;
inline constexpr double all_refusals_burst = 200;
inline constexpr double all_refusals_per_second = 10;
// Sources of which that is known: some 1 KiB each. Who is quiet for so long is forgotten.
inline constexpr std::size_t refusal_sources_max = 1'000;
inline constexpr std::chrono::minutes refusal_memory{1};
// Lines of the log about refusals, of each kind: a line has some 150 bytes, so that an hour of them
// takes 6 MiB.
inline constexpr std::uint32_t refusal_lines_per_second = 10;
// How often what was counted and left out goes on record.
inline constexpr std::chrono::minutes audit_interval{1};
// Of a text of an event that tells of a request.
inline constexpr std::size_t audit_text_bytes_max = 200;

// Of a key, as text.
inline constexpr std::size_t tls_file_bytes_max = 256 * kibibyte;

// Of the wire protocol, which has its other ceilings in WireOptions.
inline constexpr std::size_t wire_connections_max = 65'536;
// Queues that INFO tells of though they are empty: 128 bytes each.
inline constexpr std::size_t wire_queues_max = 10'000;
inline constexpr std::size_t wire_password_bytes_max = 4 * kibibyte;

// A disk with less free is taken for full where the log was refused room.
inline constexpr std::uint64_t disk_room_min = 64 * mebibyte;

}  // namespace almanac::limits
