// The jobs that engines do by themselves, snapshots, drills and pruning: when each is due, and how
// it went. One runs at a time.
#pragma once

#include <almanac/log/events/backup.h>
#include <almanac/projections/names.h>
#include <almanac/projections/persistent/map.h>

#include <cstdint>
#include <optional>
#include <string>

namespace almanac {

struct BackupJob {
  BackupAction action = BackupAction::snapshot;
  std::string schedule;  // empty = no engine does it any more
  std::string repository;
  Time next;  // when it is due

  bool running = false;
  Time due;  // of the last run, as is:
  Time started_at;
  Time ended_at;
  Position ended;      // the event that says how it went; as long as one runs, the run before
  Position succeeded;  // the same of the last one that did, in this repository
  Time succeeded_at;
  std::uint64_t runs = 0;             // begun
  std::uint64_t failures = 0;         // of those
  std::uint64_t failures_in_row = 0;  // since the last success
  std::uint64_t missed = 0;           // times it was due and was not done

  [[nodiscard]] bool is_scheduled() const { return !schedule.empty(); }
  bool operator==(const BackupJob&) const = default;
};

// A value; O(1) copy. Changed by fold() alone.
struct Backups {
  PersistentMap<NameId, BackupJob> jobs;

  // The one that runs.
  [[nodiscard]] std::optional<NameId> running() const;
  // The one that is due first, of those that are scheduled.
  [[nodiscard]] std::optional<NameId> next() const;

  // Nothing while there are none, so that states of before there were backups keep their digests.
  void hash_into(StateHasher& hasher) const;
};

struct EventPlace;

// Each changes `backups` as the event says. What contradicts it changes nothing and answers false.
bool fold(Backups& backups, Names& names, const EventPlace& place, const BackupScheduled& event);
bool fold(Backups& backups, Names& names, const EventPlace& place, const BackupUnscheduled& event);
bool fold(Backups& backups, Names& names, const EventPlace& place, const BackupStarted& event);
bool fold(Backups& backups, Names& names, const EventPlace& place, const SnapshotMade& event);
bool fold(Backups& backups, Names& names, const EventPlace& place, const SnapshotSkipped& event);
bool fold(Backups& backups, Names& names, const EventPlace& place, const SnapshotsPruned& event);
bool fold(Backups& backups, Names& names, const EventPlace& place, const DrillPassed& event);
bool fold(Backups& backups, Names& names, const EventPlace& place, const BackupFailed& event);

}  // namespace almanac
