// The fields of the backup domain's events.
#pragma once

#include <almanac/log/events/backup.h>
#include <almanac/tools/events/field_names.h>

namespace almanac {

template <class Fields>
void describe_run(Fields& fields, Describes<BackupRun> auto& run) {
  fields.always("job", run.job);
  fields("due", run.due);
  fields("took_us", run.took);
}

template <class Fields>
void describe(Fields& fields, Describes<BackupScheduled> auto& event) {
  fields.always("job", event.job);
  fields.always("action", event.action);
  fields("schedule", event.schedule);
  fields("repository", event.repository);
  fields("next", event.next);
}

template <class Fields>
void describe(Fields& fields, Describes<BackupUnscheduled> auto& event) {
  fields.always("job", event.job);
}

template <class Fields>
void describe(Fields& fields, Describes<BackupStarted> auto& event) {
  fields.always("job", event.job);
  fields("due", event.due);
  fields("next", event.next);
  fields("missed", event.missed);
  fields("missed_since", event.missed_since);
}

template <class Fields>
void describe(Fields& fields, Describes<SnapshotMade> auto& event) {
  describe_run(fields, event.run);
  fields("snapshot", event.snapshot);
  fields("through", event.through);
  fields("frame_bytes", event.frame_bytes);
  fields("file_bytes", event.file_bytes);
}

template <class Fields>
void describe(Fields& fields, Describes<SnapshotSkipped> auto& event) {
  describe_run(fields, event.run);
  fields("snapshot", event.snapshot);
}

template <class Fields>
void describe(Fields& fields, Describes<SnapshotsPruned> auto& event) {
  describe_run(fields, event.run);
  fields.always("snapshots", event.snapshots);
  fields("files", event.files);
  fields("bytes", event.bytes);
}

template <class Fields>
void describe(Fields& fields, Describes<DrillPassed> auto& event) {
  describe_run(fields, event.run);
  fields("snapshot", event.snapshot);
  fields("at", event.at);
  fields("frame_bytes", event.frame_bytes);
  fields("file_bytes", event.file_bytes);
  fields("restore_took_us", event.restore_took);
}

template <class Fields>
void describe(Fields& fields, Describes<BackupFailed> auto& event) {
  describe_run(fields, event.run);
  fields("code", event.code);
  fields("message", event.message);
}

}  // namespace almanac
