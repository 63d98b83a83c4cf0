#include <almanac/log/events_codec.h>

#include <kj/debug.h>

namespace almanac::codec {

void write(const LimitConfigured& from, schema::LimitConfigured::Builder to, NameTable& names) {
  to.setName(names.index(from.name));
  to.setUnits(from.units);
  to.setPerMinute(from.per_minute);
  to.setBurst(from.burst);
}

void write(const TokensTaken& from, schema::TokensTaken::Builder to, NameTable& names) {
  to.setLimit(names.index(from.limit));
  to.setTokens(from.tokens);
  to.setUntil(micros(from.until));
}

void write(const LaneBlocked& from, schema::LaneBlocked::Builder to, NameTable& names) {
  to.setQueue(names.index(from.queue));
  to.setKind(names.index(from.kind));
  if (!from.demands.empty()) {
    write(from.demands, to.initDemands(static_cast<unsigned>(from.demands.size())), names);
  }
  to.setReason(static_cast<schema::LaneBlock>(from.reason));
  to.setLimit(names.index(from.limit));
  to.setNext(micros(from.next));
  to.setVersion(from.version);
}

LimitConfigured read(schema::LimitConfigured::Reader from, const Names& names) {
  return {names.at(from.getName()), from.getUnits(), from.getPerMinute(), from.getBurst()};
}

TokensTaken read(schema::TokensTaken::Reader from, const Names& names) {
  return {names.at(from.getLimit()), from.getTokens(), time(from.getUntil())};
}

LaneBlocked read(schema::LaneBlocked::Reader from, const Names& names) {
  const auto reason = static_cast<unsigned>(from.getReason());
  KJ_REQUIRE(reason < lane_block_count, "a reason this version does not know");
  return {.queue = names.at(from.getQueue()),
          .kind = names.at(from.getKind()),
          .demands = read(from.getDemands(), names),
          .reason = static_cast<LaneBlock>(reason),
          .limit = names.at(from.getLimit()),
          .next = time(from.getNext()),
          .version = from.getVersion()};
}

}  // namespace almanac::codec
