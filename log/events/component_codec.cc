#include <almanac/log/events_codec.h>

#include <kj/debug.h>

namespace almanac::codec {
namespace {

ComponentIssue issue(schema::ComponentIssue from) {
  return known<ComponentIssue>(from, component_issue_count);
}
RepairStrategy strategy(schema::RepairStrategy from) {
  return known<RepairStrategy>(from, repair_strategy_count);
}

ComponentDescribed read(schema::ComponentDescribed::Reader from, const Names& names) {
  return {.component = names.at(from.getComponent()),
          .folder = view(from.getFolder()),
          .implementations = names.list<DescribedImplementationsView>(from.getImplementations()),
          .attempts_max = from.getAttemptsMax(),
          .backoff = Duration(from.getBackoff()),
          .backoff_max = Duration(from.getBackoffMax()),
          .build_timeout = Duration(from.getBuildTimeout()),
          .check_interval = Duration(from.getCheckInterval())};
}

ComponentDiagnosed read(schema::ComponentDiagnosed::Reader from, const Names& names) {
  return {.component = names.at(from.getComponent()),
          .implementation = names.at(from.getImplementation()),
          .issue = issue(from.getIssue()),
          .evidence = view(from.getEvidence()),
          .version = view(from.getVersion()),
          .took = Duration(from.getTook()),
          .trend = known<HealthTrend>(from.getTrend(), health_trend_count),
          .next = time(from.getNext())};
}

ComponentFailed read(schema::ComponentFailed::Reader from, const Names& names) {
  return {names.at(from.getComponent()), names.at(from.getImplementation()),
          view(from.getReason())};
}

ComponentSwitched read(schema::ComponentSwitched::Reader from, const Names& names) {
  return {names.at(from.getComponent()), names.at(from.getFrom()), names.at(from.getTo()),
          known<SwitchCause>(from.getCause(), switch_cause_count)};
}

RepairRequested read(schema::RepairRequested::Reader from, const Names& names) {
  const RepairStrategy wanted = strategy(from.getStrategy());
  return {names.at(from.getComponent()), names.at(from.getImplementation()),
          from.getHasStrategy() ? std::optional(wanted) : std::nullopt};
}

RepairStarted read(schema::RepairStarted::Reader from, const Names& names) {
  return {.component = names.at(from.getComponent()),
          .implementation = names.at(from.getImplementation()),
          .issue = issue(from.getIssue()),
          .strategy = strategy(from.getStrategy()),
          .attempt = from.getAttempt(),
          .deadline = time(from.getDeadline())};
}

RepairEnded read(schema::RepairEnded::Reader from, const Names& names) {
  return {.component = names.at(from.getComponent()),
          .implementation = names.at(from.getImplementation()),
          .repair = Position(from.getRepair()),
          .outcome = known<RepairOutcome>(from.getOutcome(), repair_outcome_count),
          .left = issue(from.getLeft()),
          .took = Duration(from.getTook()),
          .message = view(from.getMessage()),
          .next = time(from.getNext())};
}

}  // namespace

void write(const ComponentDescribed& from, BodyBuilder body, NameTable& names) {
  auto to = body.initComponentDescribed();
  to.setComponent(names.index(from.component));
  set_text(from.folder, [&](unsigned size) { return to.initFolder(size); });
  if (!from.implementations.empty()) {
    auto list = to.initImplementations(static_cast<unsigned>(from.implementations.size()));
    for (unsigned i = 0; i < list.size(); ++i) {
      list[i].setName(names.index(from.implementations[i].name));
      list[i].setTraits(from.implementations[i].traits.number());
    }
  }
  to.setAttemptsMax(from.attempts_max);
  to.setBackoff(from.backoff.count());
  to.setBackoffMax(from.backoff_max.count());
  to.setBuildTimeout(from.build_timeout.count());
  to.setCheckInterval(from.check_interval.count());
}

void write(const ComponentDiagnosed& from, BodyBuilder body, NameTable& names) {
  auto to = body.initComponentDiagnosed();
  to.setComponent(names.index(from.component));
  to.setImplementation(names.index(from.implementation));
  to.setIssue(static_cast<schema::ComponentIssue>(from.issue));
  set_text(from.evidence, [&](unsigned size) { return to.initEvidence(size); });
  set_text(from.version, [&](unsigned size) { return to.initVersion(size); });
  to.setTook(from.took.count());
  to.setTrend(static_cast<schema::HealthTrend>(from.trend));
  to.setNext(micros(from.next));
}

void write(const ComponentFailed& from, BodyBuilder body, NameTable& names) {
  auto to = body.initComponentFailed();
  to.setComponent(names.index(from.component));
  to.setImplementation(names.index(from.implementation));
  set_text(from.reason, [&](unsigned size) { return to.initReason(size); });
}

void write(const ComponentSwitched& from, BodyBuilder body, NameTable& names) {
  auto to = body.initComponentSwitched();
  to.setComponent(names.index(from.component));
  to.setFrom(names.index(from.from));
  to.setTo(names.index(from.to));
  to.setCause(static_cast<schema::SwitchCause>(from.cause));
}

void write(const RepairRequested& from, BodyBuilder body, NameTable& names) {
  auto to = body.initRepairRequested();
  to.setComponent(names.index(from.component));
  to.setImplementation(names.index(from.implementation));
  to.setHasStrategy(from.strategy.has_value());
  if (from.strategy) to.setStrategy(static_cast<schema::RepairStrategy>(*from.strategy));
}

void write(const RepairStarted& from, BodyBuilder body, NameTable& names) {
  auto to = body.initRepairStarted();
  to.setComponent(names.index(from.component));
  to.setImplementation(names.index(from.implementation));
  to.setIssue(static_cast<schema::ComponentIssue>(from.issue));
  to.setStrategy(static_cast<schema::RepairStrategy>(from.strategy));
  to.setAttempt(from.attempt);
  to.setDeadline(micros(from.deadline));
}

void write(const RepairEnded& from, BodyBuilder body, NameTable& names) {
  auto to = body.initRepairEnded();
  to.setComponent(names.index(from.component));
  to.setImplementation(names.index(from.implementation));
  to.setRepair(from.repair.value);
  to.setOutcome(static_cast<schema::RepairOutcome>(from.outcome));
  to.setLeft(static_cast<schema::ComponentIssue>(from.left));
  to.setTook(from.took.count());
  set_text(from.message, [&](unsigned size) { return to.initMessage(size); });
  to.setNext(micros(from.next));
}

bool read_component_body(schema::Event::Body::Reader body, const Names& names, EventBody& to) {
  using Which = schema::Event::Body::Which;
  switch (body.which()) {
    case Which::COMPONENT_DESCRIBED: to = read(body.getComponentDescribed(), names); return true;
    case Which::COMPONENT_DIAGNOSED: to = read(body.getComponentDiagnosed(), names); return true;
    case Which::COMPONENT_FAILED: to = read(body.getComponentFailed(), names); return true;
    case Which::COMPONENT_SWITCHED: to = read(body.getComponentSwitched(), names); return true;
    case Which::REPAIR_REQUESTED: to = read(body.getRepairRequested(), names); return true;
    case Which::REPAIR_STARTED: to = read(body.getRepairStarted(), names); return true;
    case Which::REPAIR_ENDED: to = read(body.getRepairEnded(), names); return true;
    default: return false;
  }
}

}  // namespace almanac::codec
