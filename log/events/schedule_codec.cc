#include <almanac/log/events_codec.h>

namespace almanac::codec {
namespace {

template <class To, class From>
To known(From from, int count, const char* what) {
  const auto number = static_cast<std::uint16_t>(from);
  KJ_REQUIRE(number < count, "an unknown value", what);
  return static_cast<To>(number);
}

}  // namespace

void write(const ScheduleDefined& from, schema::ScheduleDefined::Builder to, NameTable& names) {
  to.setSchedule(names.index(from.schedule));
  set_text(from.recurrence, [&](unsigned size) { return to.initRecurrence(size); });
  to.setMissed(static_cast<schema::MissedPolicy>(from.missed));
  to.setWindow(from.window.count());
  to.setOverlap(static_cast<schema::OverlapPolicy>(from.overlap));
  to.setNext(micros(from.next));
  write(from.task, to.initTask(), names);
}

ScheduleDefined read(schema::ScheduleDefined::Reader from, const Names& names) {
  return {names.at(from.getSchedule()),
          view(from.getRecurrence()),
          known<MissedPolicy>(from.getMissed(), missed_policy_count, "policy for missed instants"),
          Duration(from.getWindow()),
          known<OverlapPolicy>(from.getOverlap(), overlap_policy_count, "policy for overlaps"),
          time(from.getNext()),
          read(from.getTask(), names)};
}

void write(const SchedulePaused& from, schema::SchedulePaused::Builder to, NameTable& names) {
  to.setSchedule(names.index(from.schedule));
  set_text(from.reason, [&](unsigned size) { return to.initReason(size); });
}

SchedulePaused read(schema::SchedulePaused::Reader from, const Names& names) {
  return {names.at(from.getSchedule()), view(from.getReason())};
}

void write(const ScheduleResumed& from, schema::ScheduleResumed::Builder to, NameTable& names) {
  to.setSchedule(names.index(from.schedule));
  to.setNext(micros(from.next));
}

ScheduleResumed read(schema::ScheduleResumed::Reader from, const Names& names) {
  return {names.at(from.getSchedule()), time(from.getNext())};
}

void write(const ScheduleRemoved& from, schema::ScheduleRemoved::Builder to, NameTable& names) {
  to.setSchedule(names.index(from.schedule));
}

ScheduleRemoved read(schema::ScheduleRemoved::Reader from, const Names& names) {
  return {names.at(from.getSchedule())};
}

void write(const ScheduleFired& from, schema::ScheduleFired::Builder to, NameTable& names) {
  to.setSchedule(names.index(from.schedule));
  to.setInstant(micros(from.instant));
  to.setTask(from.task.value);
  to.setNext(micros(from.next));
}

ScheduleFired read(schema::ScheduleFired::Reader from, const Names& names) {
  return {names.at(from.getSchedule()), time(from.getInstant()), TaskId(from.getTask()),
          time(from.getNext())};
}

void write(const ScheduleQueued& from, schema::ScheduleQueued::Builder to, NameTable& names) {
  to.setSchedule(names.index(from.schedule));
  to.setInstant(micros(from.instant));
  to.setNext(micros(from.next));
}

ScheduleQueued read(schema::ScheduleQueued::Reader from, const Names& names) {
  return {names.at(from.getSchedule()), time(from.getInstant()), time(from.getNext())};
}

void write(const ScheduleSkipped& from, schema::ScheduleSkipped::Builder to, NameTable& names) {
  to.setSchedule(names.index(from.schedule));
  to.setReason(static_cast<schema::SkipReason>(from.reason));
  to.setCount(from.count);
  to.setFirst(micros(from.first));
  to.setLast(micros(from.last));
  to.setNext(micros(from.next));
}

ScheduleSkipped read(schema::ScheduleSkipped::Reader from, const Names& names) {
  return {names.at(from.getSchedule()),
          known<SkipReason>(from.getReason(), skip_reason_count, "reason to skip an instant"),
          from.getCount(),
          time(from.getFirst()),
          time(from.getLast()),
          time(from.getNext())};
}

}  // namespace almanac::codec
