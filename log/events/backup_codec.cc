#include <almanac/log/events_codec.h>

namespace almanac::codec {
namespace {

void write(const BackupRun& from, schema::BackupRun::Builder to, NameTable& names) {
  to.setJob(names.index(from.job));
  to.setDue(micros(from.due));
  to.setTook(from.took.count());
}

BackupRun read(schema::BackupRun::Reader from, const Names& names) {
  return {names.at(from.getJob()), time(from.getDue()), Duration(from.getTook())};
}

}  // namespace

void write(const BackupScheduled& from, schema::BackupScheduled::Builder to, NameTable& names) {
  to.setJob(names.index(from.job));
  to.setAction(static_cast<schema::BackupAction>(from.action));
  set_text(from.schedule, [&](unsigned size) { return to.initSchedule(size); });
  set_text(from.repository, [&](unsigned size) { return to.initRepository(size); });
  to.setNext(micros(from.next));
}

BackupScheduled read(schema::BackupScheduled::Reader from, const Names& names) {
  const auto action = static_cast<std::uint16_t>(from.getAction());
  KJ_REQUIRE(action < backup_action_count, "an unknown backup action");
  return {names.at(from.getJob()), static_cast<BackupAction>(action), view(from.getSchedule()),
          view(from.getRepository()), time(from.getNext())};
}

void write(const BackupUnscheduled& from, schema::BackupUnscheduled::Builder to, NameTable& names) {
  to.setJob(names.index(from.job));
}

BackupUnscheduled read(schema::BackupUnscheduled::Reader from, const Names& names) {
  return {names.at(from.getJob())};
}

void write(const BackupStarted& from, schema::BackupStarted::Builder to, NameTable& names) {
  to.setJob(names.index(from.job));
  to.setDue(micros(from.due));
  to.setNext(micros(from.next));
  to.setMissed(from.missed);
  to.setMissedSince(micros(from.missed_since));
}

BackupStarted read(schema::BackupStarted::Reader from, const Names& names) {
  return {names.at(from.getJob()), time(from.getDue()), time(from.getNext()), from.getMissed(),
          time(from.getMissedSince())};
}

void write(const SnapshotMade& from, schema::SnapshotMade::Builder to, NameTable& names) {
  write(from.run, to.initRun(), names);
  to.setSnapshot(from.snapshot);
  to.setThrough(from.through.value);
  to.setFrameBytes(from.frame_bytes);
  to.setFileBytes(from.file_bytes);
}

SnapshotMade read(schema::SnapshotMade::Reader from, const Names& names) {
  return {read(from.getRun(), names), from.getSnapshot(), Position(from.getThrough()),
          from.getFrameBytes(), from.getFileBytes()};
}

void write(const SnapshotSkipped& from, schema::SnapshotSkipped::Builder to, NameTable& names) {
  write(from.run, to.initRun(), names);
  to.setSnapshot(from.snapshot);
}

SnapshotSkipped read(schema::SnapshotSkipped::Reader from, const Names& names) {
  return {read(from.getRun(), names), from.getSnapshot()};
}

void write(const SnapshotsPruned& from, schema::SnapshotsPruned::Builder to, NameTable& names) {
  write(from.run, to.initRun(), names);
  to.setSnapshots(from.snapshots);
  to.setFiles(from.files);
  to.setBytes(from.bytes);
}

SnapshotsPruned read(schema::SnapshotsPruned::Reader from, const Names& names) {
  return {read(from.getRun(), names), from.getSnapshots(), from.getFiles(), from.getBytes()};
}

void write(const DrillPassed& from, schema::DrillPassed::Builder to, NameTable& names) {
  write(from.run, to.initRun(), names);
  to.setSnapshot(from.snapshot);
  to.setAt(from.at.value);
  to.setFrameBytes(from.frame_bytes);
  to.setFileBytes(from.file_bytes);
  to.setRestoreTook(from.restore_took.count());
}

DrillPassed read(schema::DrillPassed::Reader from, const Names& names) {
  return {read(from.getRun(), names), from.getSnapshot(),  Position(from.getAt()),
          from.getFrameBytes(),       from.getFileBytes(), Duration(from.getRestoreTook())};
}

void write(const BackupFailed& from, schema::BackupFailed::Builder to, NameTable& names) {
  write(from.run, to.initRun(), names);
  set_text(from.code, [&](unsigned size) { return to.initCode(size); });
  set_text(from.message, [&](unsigned size) { return to.initMessage(size); });
}

BackupFailed read(schema::BackupFailed::Reader from, const Names& names) {
  return {read(from.getRun(), names), view(from.getCode()), view(from.getMessage())};
}

}  // namespace almanac::codec
