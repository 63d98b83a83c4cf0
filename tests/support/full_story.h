// A story in which every projection and every order of the state has something in it.
#pragma once

#include <almanac/tests/support/story.h>

namespace almanac::test {

// From 21 tasks on; always the same.
[[nodiscard]] Story full_story(std::uint64_t tasks);

// Goes on with what attempts leave beside tasks, with conditions, expiries and pauses.
void tell_attempts(Story& story);

// Goes on with three jobs of backups: one that has succeeded, one that failed and is not scheduled
// any more, and one that runs.
void tell_backups(Story& story);

// Goes on with a kind of two implementations, of which one was left, and a task that failed over.
void tell_implementations(Story& story);
// Goes on with two tasks that run at workers elsewhere.
void tell_remote(Story& story);
// A kind of which versions 2 and 3 are run, ready tasks of others, and what these wait for.
void tell_versions(Story& story);
// A circuit that is open, one that is half open with a probe out, and a setting.
void tell_circuits(Story& story);
// A component with an implementation that is used, one that is repaired and one that was given up.
void tell_components(Story& story);
// A card with two heaps and an alert about the first, and one that is lost.
void tell_gpus(Story& story);
// Two pools: one with an instance that went and one that did not, and one of which none was made.
void tell_pools(Story& story);
// Goes on with what is on record of how well things go: two changes, of which the last is degraded.
void tell_health(Story& story);
// Models in every state in which one can stand, each with something that was counted. Goes on from
// tell_gpus().
void tell_models(Story& story);
// Who asked for what through the doors, and who was turned away: two that are known, and one that
// is not.
void tell_audits(Story& story);
// Two advisors: one that has returned, and one that has fallen back.
void tell_advisors(Story& story);
// Four entries of two kinds: one that was changed, one that was forgotten, one that expires, and
// one without an embedding.
void tell_memories(Story& story);

// Three entries of users, sealed with nothing: one that was changed, one with an embedding, and one
// of a user who was forgotten.
void tell_sealed_memories(Story& story);

// Two users of whom something is known, in fields and turns, and one who was forgotten. Sealed with
// nothing: the state does not look inside.
void tell_contexts(Story& story);

// Goes on with a group that is open, one that is closed and goes on, and one that is over and whose
// failed task is waited for; the first two have tasks that wait for them.
void tell_groups(Story& story);

// Goes on with two schedules: one with an instant in its queue, and one that is paused.
void tell_schedules(Story& story);

}  // namespace almanac::test
