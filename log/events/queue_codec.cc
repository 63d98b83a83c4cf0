#include <almanac/log/events_codec.h>

namespace almanac::codec {
namespace {

bool has_order(const QueueConfigured& event) {
  return event.policy != QueuePolicy::priority || event.ageing != Duration(0) ||
         event.window != Duration(0) || event.short_work != Duration(0) || !event.weights.empty();
}

void write_order(const QueueConfigured& from, schema::QueueOrder::Builder to, NameTable& names) {
  to.setPolicy(static_cast<schema::QueuePolicy>(from.policy));
  to.setAgeing(from.ageing.count());
  to.setWindow(from.window.count());
  to.setShortWork(from.short_work.count());
  if (from.weights.empty()) return;
  auto weights = to.initWeights(static_cast<unsigned>(from.weights.size()));
  for (unsigned i = 0; i < weights.size(); ++i) {
    weights[i].setName(names.index(from.weights[i].name));
    weights[i].setWeight(from.weights[i].weight);
  }
}

void read_order(schema::QueueOrder::Reader from, const Names& names, QueueConfigured& to) {
  const auto policy = static_cast<unsigned>(from.getPolicy());
  KJ_REQUIRE(policy < queue_policy_count, "a policy this version does not know");
  to.policy = static_cast<QueuePolicy>(policy);
  to.ageing = Duration(from.getAgeing());
  to.window = Duration(from.getWindow());
  to.short_work = Duration(from.getShortWork());
  to.weights = names.list<QueueWeightListView>(from.getWeights());
}

void write_retention(const QueueRetention& from, schema::QueueRetention::Builder to) {
  to.setSucceeded(from.succeeded.count());
  to.setFailed(from.failed.count());
  to.setCancelled(from.cancelled.count());
}

QueueRetention read_retention(schema::QueueRetention::Reader from) {
  return {.succeeded = Duration(from.getSucceeded()),
          .failed = Duration(from.getFailed()),
          .cancelled = Duration(from.getCancelled())};
}

}  // namespace

void write(const QueueConfigured& from, schema::QueueConfigured::Builder to, NameTable& names) {
  to.setQueue(names.index(from.queue));
  to.setSlots(from.slots);
  if (has_order(from)) write_order(from, to.initOrder(), names);
  if (from.retention != QueueRetention()) write_retention(from.retention, to.initRetention());
}

QueueConfigured read(schema::QueueConfigured::Reader from, const Names& names) {
  QueueConfigured to{.queue = names.at(from.getQueue()), .slots = from.getSlots()};
  if (from.hasOrder()) read_order(from.getOrder(), names, to);
  if (from.hasRetention()) to.retention = read_retention(from.getRetention());
  return to;
}

}  // namespace almanac::codec
