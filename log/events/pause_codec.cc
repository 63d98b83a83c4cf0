#include <almanac/log/events_codec.h>

namespace almanac::codec {
namespace {

PauseScope read_scope(schema::PauseScope from) {
  auto scope = static_cast<unsigned>(from);
  KJ_REQUIRE(scope < pause_scope_count, "a scope this version does not know");
  return static_cast<PauseScope>(scope);
}

}  // namespace

void write(const WorkPaused& from, schema::WorkPaused::Builder to, NameTable& names) {
  to.setScope(static_cast<schema::PauseScope>(from.scope));
  to.setName(names.index(from.name));
}

WorkPaused read(schema::WorkPaused::Reader from, const Names& names) {
  return {read_scope(from.getScope()), names.at(from.getName())};
}

void write(const WorkResumed& from, schema::WorkResumed::Builder to, NameTable& names) {
  to.setScope(static_cast<schema::PauseScope>(from.scope));
  to.setName(names.index(from.name));
}

WorkResumed read(schema::WorkResumed::Reader from, const Names& names) {
  return {read_scope(from.getScope()), names.at(from.getName())};
}

}  // namespace almanac::codec
