#include <almanac/engine/effects.h>

namespace almanac {

void add_effects(const State& after, const RecordedEvent& recorded, std::vector<Effect>& effects) {
  if (const auto* started = std::get_if<TaskStarted>(&recorded.event.body)) {
    const Task& task = *after.tasks.all.find(started->id);
    effects.push_back(BeginAttempt{started->id, task.lease, started->attempt, started->deadline,
                                   task.enqueued, std::string(started->implementation)});
  }
  if (const auto* over = std::get_if<TaskFailedOver>(&recorded.event.body)) {
    const Task& task = *after.tasks.all.find(over->id);
    effects.push_back(BeginAttempt{over->id, task.lease, task.attempts, over->deadline,
                                   task.enqueued, std::string(over->to)});
  }
  if (const auto* cancel = std::get_if<TaskCancelRequested>(&recorded.event.body)) {
    effects.push_back(CancelAttempt{after.tasks.all.find(cancel->id)->lease});
  }
  if (const auto* backup = std::get_if<BackupStarted>(&recorded.event.body)) {
    const BackupJob& job = *after.backups.jobs.find(*after.names.find(backup->job));
    effects.push_back(
        BeginBackup{std::string(backup->job), job.action, backup->due, !job.succeeded});
  }
}

}  // namespace almanac
