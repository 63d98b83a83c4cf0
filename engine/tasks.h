// Decisions about tasks: cancelling them, the ends of their attempts, and what time brings.
// Submitting them is engine/submission.h, choosing which runs next engine/dispatch.h.
#pragma once

#include <almanac/engine/decision.h>
#include <almanac/engine/submission.h>

#include <optional>
#include <string_view>

namespace almanac {

// What ends a task that does not run, or tells one that does to end; nothing when it has ended or
// was told. Borrows the reason.
[[nodiscard]] std::optional<EventBody> cancellation(TaskId id, const Task& task,
                                                    std::string_view reason);

// Errors: not_found, conflict (it has ended).
[[nodiscard]] Result<Decision> decide_one(const State& state, const CancelTask& command,
                                          const DecideContext& context);
// The event that cancels the task or tells it to stop; none when it was told already. Errors: as
// above.
[[nodiscard]] Result<std::optional<EventBody>> cancel(const State& state, TaskId id,
                                                      std::string_view reason);
// Errors: refused (the lease is no longer the task's, or of another timeline; nothing of a late
// result is kept).
[[nodiscard]] Result<Decision> decide_one(const State& state, const FinishAttempt& command,
                                          const DecideContext& context);
[[nodiscard]] Result<Decision> decide_one(const State& state, const HandBackAttempt& command,
                                          const DecideContext& context);

// Errors: as above.
[[nodiscard]] Result<Decision> decide_one(const State& state, const ReportProgress& command,
                                          const DecideContext& context);

// An attempt that ended by a crash: it is handed back, or, with the last crash the task may have,
// has failed.
[[nodiscard]] EventBody crashed(const State& state, TaskId id, HandBackReason reason,
                                AttemptEnd end, Arena& memory);

// The task whose attempt has this token. Errors: refused (its lease is another one by now, or the
// token is of another timeline).
[[nodiscard]] Result<const Task*> find_attempt(const State& state, TaskId id,
                                               const FencingToken& token,
                                               const DecideContext& context);

// Whether the last event that changed the task is the expected one; so it is where none is
// expected, or there is no such task. Errors: conflict (with both positions).
[[nodiscard]] Result<void> check_version(const State& state, TaskId id,
                                         std::optional<Position> expected);

// That there is none, or no longer.
[[nodiscard]] Error unknown_task(const State& state, TaskId id);

// What has become true by itself: delayed tasks that are due, ranks that time has changed, tasks
// that have expired, and waiting ones whose dependency did not end as it must have. Some of it when
// there is much (limits.h): ask again after folding until it is empty.
[[nodiscard]] std::vector<Event> decide_due(const State& state, const DecideContext& context);

}  // namespace almanac
