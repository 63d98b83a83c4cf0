#include <almanac/log/events_codec.h>

#include <kj/debug.h>

namespace almanac::codec {
namespace {

PoolRetirement retirement(schema::PoolRetirement from) {
  const auto number = static_cast<unsigned>(from);
  KJ_REQUIRE(number < pool_retirement_count, "a reason this version does not know");
  return static_cast<PoolRetirement>(number);
}

InstanceCreated read(schema::InstanceCreated::Reader from, const Names& names) {
  return {names.at(from.getPool()), from.getInstance(), from.getIsTemporary()};
}

InstanceRetired read(schema::InstanceRetired::Reader from, const Names& names) {
  return {names.at(from.getPool()), from.getInstance(), retirement(from.getReason()),
          view(from.getMessage())};
}

InstanceFailed read(schema::InstanceFailed::Reader from, const Names& names) {
  return {names.at(from.getPool()), view(from.getMessage())};
}

PoolExhausted read(schema::PoolExhausted::Reader from, const Names& names) {
  return {names.at(from.getPool())};
}

}  // namespace

void write(const InstanceCreated& from, schema::Event::Body::Builder body, NameTable& names) {
  auto to = body.initInstanceCreated();
  to.setPool(names.index(from.pool));
  to.setInstance(from.instance);
  to.setIsTemporary(from.is_temporary);
}

void write(const InstanceRetired& from, schema::Event::Body::Builder body, NameTable& names) {
  auto to = body.initInstanceRetired();
  to.setPool(names.index(from.pool));
  to.setInstance(from.instance);
  to.setReason(static_cast<schema::PoolRetirement>(from.reason));
  set_text(from.message, [&](unsigned size) { return to.initMessage(size); });
}

void write(const InstanceFailed& from, schema::Event::Body::Builder body, NameTable& names) {
  auto to = body.initInstanceFailed();
  to.setPool(names.index(from.pool));
  set_text(from.message, [&](unsigned size) { return to.initMessage(size); });
}

void write(const PoolExhausted& from, schema::Event::Body::Builder body, NameTable& names) {
  body.initPoolExhausted().setPool(names.index(from.pool));
}

bool read_pool_body(schema::Event::Body::Reader body, const Names& names, EventBody& to) {
  using Which = schema::Event::Body::Which;
  switch (body.which()) {
    case Which::INSTANCE_CREATED: to = read(body.getInstanceCreated(), names); return true;
    case Which::INSTANCE_RETIRED: to = read(body.getInstanceRetired(), names); return true;
    case Which::INSTANCE_FAILED: to = read(body.getInstanceFailed(), names); return true;
    case Which::POOL_EXHAUSTED: to = read(body.getPoolExhausted(), names); return true;
    default: return false;
  }
}

}  // namespace almanac::codec
