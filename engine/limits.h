// The ceilings of the engine, each with its arithmetic.
#pragma once

#include <almanac/log/limits.h>
#include <almanac/log/types.h>

#include <cstddef>
#include <cstdint>

namespace almanac::limits {

// Commands that may wait for the loop. A full mailbox answers `busy`.
inline constexpr std::size_t mailbox_commands_max = 65'536;

// Notes about requests (AuditNote) in one command: some 400 bytes each.
inline constexpr std::size_t audit_notes_max = 1'024;
static_assert(audit_notes_max <= batch_events_max);

// Events of the program in one append: one batch.
inline constexpr std::size_t appended_events_max = 10'000;
static_assert(appended_events_max <= batch_events_max);

// Tasks in one submission. Each becomes at most one event, and all of them one batch.
inline constexpr std::size_t submission_tasks_max = 100'000;
static_assert(submission_tasks_max <= batch_events_max);

inline constexpr std::uint32_t slots_max = 4'096;
inline constexpr std::int32_t queue_weight_max = 1'000'000;
inline constexpr std::size_t queue_weights_max = 10'000;
inline constexpr std::uint16_t attempts_max = 1'000;
// Of timeouts and backoffs: now plus any of them is far from the end of a 64-bit clock.
inline constexpr Duration duration_max = std::chrono::hours(24 * 365 * 100);
inline constexpr std::size_t dependencies_max = 10'000;
inline constexpr std::size_t tags_max = 64;
inline constexpr std::size_t demands_max = 64;
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
// Delayed tasks made ready in one turn, and tasks cancelled in it because they have expired.
inline constexpr std::size_t due_per_turn = 10'000;
inline constexpr std::size_t expired_per_turn = 1'000;
// A turn of so few events and bytes, while no other is on its way to the disk, is written by the
// loop itself: whoever it serves waits for that anyway.
inline constexpr std::size_t alone_events_max = 8;
inline constexpr std::size_t alone_bytes_max = 64 * kibibyte;
// How long a thread looks out for the handler that is about to begin: for most syncs.
inline constexpr std::chrono::microseconds look_out_time{300};
// Ready tasks that one event moves because time has changed their rank.
inline constexpr std::size_t reranked_per_turn = 10'000;
// A rank that has changed matters when something is started, which is a turn by itself: for its own
// sake alone the order is not brought up to date more often than this.
inline constexpr Duration rerank_interval = std::chrono::seconds(1);
static_assert(doomed_per_turn + due_per_turn + expired_per_turn + slots_max <= batch_events_max);

// Each is looked at when an attempt of its kind begins.
inline constexpr std::size_t implementations_max = 16;
inline constexpr Duration probe_interval_min = std::chrono::milliseconds(10);
// Between two probes of an implementation that cannot be used.
inline constexpr Duration probe_backoff_max = std::chrono::minutes(1);
// However many attempts fail, an implementation is not probed more often because of that.
inline constexpr Duration probe_pause = std::chrono::milliseconds(100);
// Each is looked at when another one is switched, and all when an engine starts.
inline constexpr std::size_t components_max = 64;
inline constexpr Duration component_duration_min = std::chrono::milliseconds(10);
// A probe below this is never called slow: what it takes then is the machine's doing.
inline constexpr Duration slow_probe_min = std::chrono::milliseconds(10);
// One issue may hide another. What goes on and on is given up after attempts at so many.
inline constexpr std::uint32_t component_issues_in_row = 4;
// Of what a command of a component writes: enough to see what a build says is wrong.
inline constexpr std::size_t component_output_bytes_max = 128 * kibibyte;
// Builds that are kept of an implementation; the oldest goes first.
inline constexpr std::size_t component_builds_max = 3;
// How often it is looked how well things go, and how long a change of that lasts before `almanac
// run` puts it on record.
inline constexpr Duration health_interval = std::chrono::seconds(1);
inline constexpr Duration health_hold = std::chrono::seconds(30);
// A probe that takes longer says no.
inline constexpr Duration probe_timeout = std::chrono::seconds(10);

// Results of requests are told to the engine this often, and so long after a process that died they
// are missing.
inline constexpr Duration circuit_interval = std::chrono::seconds(1);
// When a request is worth another try that was refused because all probes are out.
inline constexpr Duration circuit_retry = std::chrono::milliseconds(100);
inline constexpr Duration circuit_duration_min = std::chrono::milliseconds(10);
inline constexpr Duration circuit_duration_max = std::chrono::hours(24 * 366);
// Each is an entry of the state while it is out, and looked at when another one is to begin.
inline constexpr std::uint16_t circuit_probes_max = 1'000;
inline constexpr std::size_t circuit_moves_per_turn = 1'000;

// Instances of a pool, temporary ones included: each is looked at when one is made or has to go.
inline constexpr std::size_t pool_instances_max = 1'000;
// Threads of a pool that make, probe and destroy its instances.
inline constexpr std::size_t pool_makers_max = 4;
// Events of a pool that wait for its observer; more are counted and dropped.
inline constexpr std::size_t pool_events_max = 10'000;
inline constexpr Duration pool_duration_max = std::chrono::hours(24 * 366);
// Tasks that an advisor is asked about at once: a request of some hundred kilobytes.
inline constexpr std::size_t advisor_tasks_max = 1'000;
inline constexpr Duration advisor_duration_min = std::chrono::milliseconds(1);
// However little there is to do, a pool looks after its instances this often.
inline constexpr Duration pool_look_interval = std::chrono::minutes(1);

// As many as Vulkan knows.
inline constexpr std::size_t gpu_heaps_max = 16;
inline constexpr std::size_t gpu_devices_max = 64;
inline constexpr Duration gpu_interval_min = std::chrono::milliseconds(10);
inline constexpr Duration gpu_interval_max = std::chrono::hours(1);
// All alerts of all devices end, and others begin, in one batch.
static_assert(gpu_devices_max * (2 + 2 * gpu_heaps_max) <= batch_events_max);

// Of a model: more than there is memory in a GPU.
inline constexpr std::uint64_t model_bytes_max = std::uint64_t{1} << 50U;
inline constexpr Duration model_timeout_min = std::chrono::milliseconds(10);
inline constexpr std::size_t model_commands_bytes_max = 64 * kibibyte;
// After a load or an unload that failed; twice as long each time, up to the second.
inline constexpr Duration model_backoff = std::chrono::seconds(1);
inline constexpr Duration model_backoff_max = std::chrono::minutes(1);
// Uses are told to the engine this often.
inline constexpr Duration model_use_interval = std::chrono::seconds(1);
// Of so many the set that makes room is the cheapest there is; of more, one that is cheap.
inline constexpr std::size_t model_search_max = 20;
// Alternatives of alternatives.
inline constexpr std::size_t model_alternatives_max = 4;

// Of one entry that a program remembers (memory_spec.h).
inline constexpr std::size_t memory_content_bytes_max = 1 * mebibyte;
inline constexpr std::size_t memory_summary_bytes_max = 64 * kibibyte;
inline constexpr std::size_t embedding_dimension_max = 8'192;
inline constexpr std::size_t memory_tags_max = 32;
inline constexpr std::size_t metadata_values_max = 64;
inline constexpr std::size_t metadata_text_bytes_max = 4 * kibibyte;
// Of those that are stored, changed or forgotten in one append, also with the end of a task: with
// the result of that they are one batch.
inline constexpr std::size_t transaction_memories_max = 1'000;
inline constexpr std::size_t transaction_bytes_max = 8 * mebibyte;
static_assert(transaction_memories_max * (memory_tags_max + 2) < frame_names_max);
static_assert(transaction_bytes_max + output_bytes_max + message_bytes_max <= batch_bytes_max);
// That one search finds.
inline constexpr std::size_t memory_hits_max = 10'000;
// Entries that expire in one turn; the rest follows in the next.
inline constexpr std::size_t expired_memories_per_turn = 1'000;

// Tasks changed by one command. Each becomes at most one event, and all of them one batch.
inline constexpr std::size_t changes_max = 10'000;
static_assert(changes_max <= batch_events_max);

// Tasks that have ended leave the state some time after they may: all tasks are looked at once in
// this time, some of them in a turn, at some 10 ns each.
inline constexpr Duration forget_interval = std::chrono::minutes(1);
inline constexpr std::size_t forget_looks_per_turn = 20'000;
inline constexpr std::size_t forgotten_per_turn = 5'000;

// Of a worker elsewhere: so long it may be silent. A sign of life is an entry of the mailbox.
inline constexpr Duration lease_time_min = std::chrono::milliseconds(10);
inline constexpr Duration lease_time_max = std::chrono::hours(24);
// Tasks of one answer: their payloads are in memory at once, 1 GiB of them at most.
inline constexpr std::size_t lease_tasks_max = 128;
static_assert(lease_tasks_max * payload_bytes_max <= 1024 * mebibyte);
inline constexpr std::size_t lease_names_max = 1'000;  // of kinds, and of queues
// A loop that turns so much later than it was to was held up (a machine that stood still, a process
// that was stopped), and has heard nobody meanwhile.
inline constexpr Duration held_up_min = std::chrono::seconds(5);
// Attempts at workers elsewhere. Each is an entry of the state and of what is known in memory.
inline constexpr std::size_t leases_max = 100'000;
// Leases that one call says to be alive.
inline constexpr std::size_t heartbeat_leases_max = 10'000;

// What an attempt tells of its progress sooner after the last time is dropped.
inline constexpr Duration progress_interval = std::chrono::seconds(1);
inline constexpr std::size_t partial_bytes_max = 64 * kibibyte;

// What a command is shown of the results of those it depends on.
inline constexpr std::size_t dependency_bytes_max = 16 * mebibyte;

// The end of an attempt takes what is kept of its output or result, a message, and so much for its
// event, the names in it and a frame of its own. What is kept of results counts as outputs do
// (EngineOptions::output_bytes_max); one that is larger may have to wait for space.
inline constexpr std::size_t ending_overhead_bytes = 1 * kibibyte;
static_assert(event_overhead_bytes_max + 2 * (name_overhead_bytes_max + name_bytes_max) <
              ending_overhead_bytes);
// Room in the log for the ends of all that runs, as much of it as fits into 64 MiB: 481 attempts
// with the default output. Twice what they take, because a frame lies in one piece and what it does
// not fit into stays empty. In steps, so that it changes seldom.
inline constexpr std::size_t reserve_bytes_max = 64 * mebibyte;
inline constexpr std::size_t reserve_step_bytes = 256 * kibibyte;
static_assert(2 * (output_bytes_max + message_bytes_max + ending_overhead_bytes) <=
              reserve_bytes_max);
static_assert(reserve_bytes_max % reserve_step_bytes == 0);
static_assert(reserve_bytes_max <= journal_bytes_max / 4);

// What lanes wait for is looked at this often at most, and recorded of those that have waited as
// long: what is over sooner leaves no record. So many in one look; the rest follows in the next.
inline constexpr Duration reasons_interval = std::chrono::seconds(1);
inline constexpr std::size_t reasons_per_turn = 1'000;

// Of a recurrence such as "every 15 minutes".
inline constexpr Duration recurrence_interval_max = std::chrono::days(366);

// Each is looked at in every turn of the loop.
inline constexpr std::size_t backup_jobs_max = 16;

// Their definitions are part of the state and of its checkpoints: 160 MiB at most.
inline constexpr std::size_t schedules_max = 10'000;
inline constexpr std::size_t schedule_payload_bytes_max = 16 * kibibyte;
// Instants of one schedule that wait for its last task.
inline constexpr std::size_t queued_instants_max = 100;
// An instant that is decided later than this was missed: long enough for an engine that is started
// anew, or a machine that is slow.
inline constexpr Duration firing_lateness_max = std::chrono::minutes(1);
// Instants decided in one turn, each at most four events of which one has a payload.
inline constexpr std::size_t firings_per_turn = 500;
static_assert(4 * firings_per_turn <= batch_events_max);
static_assert(firings_per_turn * (schedule_payload_bytes_max + label_bytes_max) <= batch_bytes_max);

// What is known of a user is part of the state and of its checkpoints.
inline constexpr std::size_t user_bytes_max = 128;
inline constexpr std::size_t context_field_name_bytes_max = 64;
inline constexpr std::size_t context_text_bytes_max = 64 * kibibyte;  // of a value, or a turn
inline constexpr std::size_t context_fields_max = 1'000;
// Fields and turns of one change, which is one batch.
inline constexpr std::size_t context_change_parts_max = 100;
static_assert(context_change_parts_max * (context_text_bytes_max + kibibyte) <= batch_bytes_max);

// What the engine says of itself (diagnostics.h). With the longest texts, of which a line has few,
// what waits to be written is about 64 MiB; lines as they are take 2 MiB.
inline constexpr std::size_t log_lines_waiting_max = 8'192;
inline constexpr std::size_t log_text_bytes_max = 8 * kibibyte;
inline constexpr std::size_t log_file_bytes_max = 10'000'000;
inline constexpr std::size_t log_files_max = 7;

// Of a monitor (monitor.h): each operation is 11 KiB for each thread that does it, of 16 at most.
inline constexpr std::size_t monitored_operations_max = 1'000;
inline constexpr std::size_t error_rules_max = 64;
// An expression takes the stack for each byte.
inline constexpr std::size_t error_text_bytes_max = 4 * kibibyte;

// A refused commit (disk full) is tried again after this long.
inline constexpr Duration storage_retry_interval = std::chrono::seconds(1);
// The monotonic clock behind timers stops while the machine sleeps: never wait longer than this
// before looking at the wall clock again.
inline constexpr Duration timer_interval_max = std::chrono::seconds(30);

// Waits for locks and tokens of the program's own.
inline constexpr Duration wait_default = std::chrono::seconds(30);
inline constexpr Duration wait_max = std::chrono::hours(24);
// That read at once under one lock.
inline constexpr std::uint32_t readers_max = 1'000'000;

}  // namespace almanac::limits
