#include <almanac/projections/backups.h>

#include <almanac/projections/tasks.h>

namespace almanac {
namespace {

// Changes a job that there is; false when there is none.
template <class Change>
bool edit(Backups& backups, const Names& names, std::string_view job, Change change) {
  const auto id = names.find(job);
  const BackupJob* found = id ? backups.jobs.find(*id) : nullptr;
  if (found == nullptr) return false;
  BackupJob changed = *found;
  if (!change(changed)) return false;
  backups.jobs.set(*id, std::move(changed));
  return true;
}

bool end(Backups& backups, const Names& names, const EventPlace& place, const BackupRun& run,
         bool succeeded) {
  return edit(backups, names, run.job, [&](BackupJob& job) {
    if (!job.running || job.due != run.due) return false;
    job.running = false;
    job.ended = place.position;
    job.ended_at = place.at;
    if (succeeded) {
      job.succeeded = place.position;
      job.succeeded_at = place.at;
      job.failures_in_row = 0;
    } else {
      ++job.failures;
      ++job.failures_in_row;
    }
    return true;
  });
}

}  // namespace

std::optional<NameId> Backups::running() const {
  for (const auto& [id, job] : jobs) {
    if (job.running) return id;
  }
  return {};
}

std::optional<NameId> Backups::next() const {
  std::optional<NameId> first;
  Time at;
  for (const auto& [id, job] : jobs) {
    if (!job.is_scheduled() || (first && job.next >= at)) continue;
    first = id;
    at = job.next;
  }
  return first;
}

void Backups::hash_into(StateHasher& hasher) const {
  if (jobs.empty()) return;
  hasher.number(jobs.size());
  for (const auto& [id, job] : jobs) {
    hasher.number(id.value);
    hasher.text(job.schedule);
    hasher.text(job.repository);
    for (const std::uint64_t number :
         {std::uint64_t(job.action), number_of(job.next), std::uint64_t(job.running),
          number_of(job.due), number_of(job.started_at), number_of(job.ended_at), job.ended.value,
          job.succeeded.value, number_of(job.succeeded_at), job.runs, job.failures,
          job.failures_in_row, job.missed}) {
      hasher.number(number);
    }
  }
}

bool fold(Backups& backups, Names& names, const EventPlace&, const BackupScheduled& event) {
  const NameId id = names.intern(event.job);
  const BackupJob* known = backups.jobs.find(id);
  BackupJob job = known == nullptr ? BackupJob() : *known;
  if (job.running || event.schedule.empty() || event.next <= job.due) return false;
  job.action = event.action;
  job.schedule = event.schedule;
  if (job.repository != event.repository) {
    job.succeeded = {};
    job.succeeded_at = {};
  }
  job.repository = event.repository;
  job.next = event.next;
  backups.jobs.set(id, std::move(job));
  return true;
}

bool fold(Backups& backups, Names& names, const EventPlace&, const BackupUnscheduled& event) {
  return edit(backups, names, event.job, [](BackupJob& job) {
    if (!job.is_scheduled() || job.running) return false;
    job.schedule.clear();
    job.next = Time();
    return true;
  });
}

bool fold(Backups& backups, Names& names, const EventPlace& place, const BackupStarted& event) {
  if (backups.running()) return false;
  return edit(backups, names, event.job, [&](BackupJob& job) {
    if (!job.is_scheduled() || event.due < job.next || event.next <= event.due) return false;
    job.running = true;
    job.due = event.due;
    job.next = event.next;
    job.started_at = place.at;
    job.missed += event.missed;
    ++job.runs;
    return true;
  });
}

bool fold(Backups& backups, Names& names, const EventPlace& place, const SnapshotMade& event) {
  return end(backups, names, place, event.run, true);
}
bool fold(Backups& backups, Names& names, const EventPlace& place, const SnapshotSkipped& event) {
  return end(backups, names, place, event.run, true);
}
bool fold(Backups& backups, Names& names, const EventPlace& place, const SnapshotsPruned& event) {
  return end(backups, names, place, event.run, true);
}
bool fold(Backups& backups, Names& names, const EventPlace& place, const DrillPassed& event) {
  return end(backups, names, place, event.run, true);
}
bool fold(Backups& backups, Names& names, const EventPlace& place, const BackupFailed& event) {
  return end(backups, names, place, event.run, false);
}

}  // namespace almanac
