#include <almanac/log/events_codec.h>

namespace almanac::codec {

void write(const ImplementationsSet& from, schema::ImplementationsSet::Builder to,
           NameTable& names) {
  to.setKind(names.index(from.kind));
  to.setVersionMin(from.versions.min);
  to.setVersionMax(from.versions.max);
  if (from.implementations.empty()) return;
  auto list = to.initImplementations(static_cast<unsigned>(from.implementations.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    list[i].setName(names.index(from.implementations[i].name));
    list[i].setAttempts(from.implementations[i].attempts);
  }
}

ImplementationsSet read(schema::ImplementationsSet::Reader from, const Names& names) {
  return {names.at(from.getKind()),
          names.list<ImplementationListView>(from.getImplementations()),
          {from.getVersionMin(), from.getVersionMax()}};
}

void write(const ImplementationLeft& from, schema::ImplementationLeft::Builder to,
           NameTable& names) {
  to.setKind(names.index(from.kind));
  to.setImplementation(names.index(from.implementation));
  set_text(from.reason, [&](unsigned size) { return to.initReason(size); });
}

ImplementationLeft read(schema::ImplementationLeft::Reader from, const Names& names) {
  return {names.at(from.getKind()), names.at(from.getImplementation()), view(from.getReason())};
}

void write(const ImplementationReturned& from, schema::ImplementationReturned::Builder to,
           NameTable& names) {
  to.setKind(names.index(from.kind));
  to.setImplementation(names.index(from.implementation));
}

ImplementationReturned read(schema::ImplementationReturned::Reader from, const Names& names) {
  return {names.at(from.getKind()), names.at(from.getImplementation())};
}

}  // namespace almanac::codec
