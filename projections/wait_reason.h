// Why a task does not run: one reason, that which has to change first, with its numbers.
#pragma once

#include <almanac/projections/state.h>

#include <cstdint>
#include <optional>
#include <string_view>

namespace almanac {

enum class Wait : std::uint8_t {
  dependency,   // a task it depends on has not ended as it must
  doomed,       // … and never will
  delay,        // its time has not come
  engine,       // no engine runs
  handler,      // neither the engine that runs nor a worker that waits does tasks of its kind
  too_large,    // it asks for more than a limit has by now
  tokens,       // a limit has not the tokens it asks for
  queue_limit,  // its queue runs as many as it may
  limit,        // a limit has not the units it asks for
  slots,        // the engine runs as many as it may
  turn,         // what is left of a limit is kept for a task in front of it
  behind,       // others of its lane stand before it
  next,         // nothing: it starts as soon as the engine gets to it
  review,       // somebody has to decide whether it runs
  paused,       // it, its queue or its kind is, until it is resumed
  retry,        // what it depends on has failed, and somebody has to retry that
  unavailable,  // no implementation of its kind can be used
  circuit,      // that of a service it needs is open, or half open and its probes are out
  version,      // what runs its kind runs other versions
  group,        // a group it waits for is not over, or not as it must be
  advice,       // an advisor that nothing begins without does not advise
  model,        // it names a model that is not loaded, or gives way to another
  worker,       // the workers that do its kind are all at work, and none of them waits
  gpu_memory,   // no GPU has the memory it asks for, or that is kept for another
};
[[nodiscard]] std::string_view name(Wait wait);

struct WaitReason {
  Wait wait = Wait::next;
  std::optional<NameId> limit;  // or the queue, of queue_limit, the service, of circuit, the
                                // model, or the advisor, of advice
  std::uint64_t asked = 0;      // of it; of version, its own
  std::uint64_t used = 0;       // of it, or of the engine's slots; of tokens, how many there are;
                                // of a circuit, probes; of workers, tasks of its kind they run
  std::uint64_t most = 0;       // there can be
  TaskId other;                 // who is to blame, or stands before it
  Time next;                    // when it can change at the earliest; not set = when something ends
  bool operator==(const WaitReason&) const = default;
};

// As of a state and a time not before it; none when the task runs, has ended or does not exist.
// What an engine alone knows (handler, turn) is said where the log has it on record (LaneBlocked).
// Pure. O(tasks that run in its queue or hold what it asks for; conditions of dependencies).
[[nodiscard]] std::optional<WaitReason> wait_reason(const State& state, TaskId id, Time now);

}  // namespace almanac
