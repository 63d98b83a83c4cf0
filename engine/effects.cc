#include <almanac/engine/effects.h>

namespace almanac {

void add_effects(const State& after, const RecordedEvent& recorded, std::vector<Effect>& effects) {
  if (const auto* started = std::get_if<TaskStarted>(&recorded.event.body)) {
    const Task& task = *after.tasks.all.find(started->id);
    effects.push_back(
        BeginAttempt{started->id, task.lease, started->attempt, started->deadline, task.enqueued});
  }
  if (const auto* cancel = std::get_if<TaskCancelRequested>(&recorded.event.body)) {
    effects.push_back(CancelAttempt{after.tasks.all.find(cancel->id)->lease});
  }
}

}  // namespace almanac
