// What happens once events are durable.
#include <almanac/engine/circuit_board.h>
#include <almanac/engine/core.h>
#include <almanac/engine/dependency_results.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace almanac {

// Publish first, then act, then answer: nobody is told of what a reader cannot see yet, and what is
// to run does not wait until all are told.
void Core::release(Turn& turn) {
  if (!turn.events.empty()) {
    running_ = running_in(turn.after);
    published_.publish(turn.after, projections_.fold(turn.events));
    if (options_.on_events) options_.on_events(turn.after, turn.events);
  }
  follow_remote(turn);
  for (const Effect& effect : turn.effects) carry_out(effect, turn.events);
  attempts_.run_begun();
  for (auto& [submission, answer, through] : turn.answered) {
    if (answer && std::holds_alternative<StartEngine>(submission->command)) begun_ = true;
    auto* leased = answer ? std::get_if<std::vector<LeasedTask>>(&*answer) : nullptr;
    if (leased != nullptr) fill(*leased, turn.events);
    if (submission->done) submission->done(std::move(answer));
  }
}

// The writer cuts commits between batches, not between turns: what is durable of a turn whose rest
// was refused is released like any other.
void Core::release_durable_part(Turn& turn) {
  Turn part;
  part.after = *published_.state();
  for (const RecordedEvent& recorded : turn.events) {
    if (recorded.position > durable_) break;
    fold_into(part.after, recorded);
    add_effects(part.after, recorded, part.effects);
    part.events.push_back(recorded);
  }
  auto refused = std::ranges::find_if(
      turn.answered, [&](const Turn::Answered& one) { return one.through > durable_; });
  std::move(turn.answered.begin(), refused, std::back_inserter(part.answered));
  turn.answered.erase(turn.answered.begin(), refused);
  release(part);
}

// What is about a component. An engine that keeps none has nobody to tell, and still ends the
// repair of one that died.
void Core::tell_healer(const Effect& effect) {
  if (healer_ == nullptr) return;
  if (const auto* repair = std::get_if<BeginRepair>(&effect)) {
    healer_->begin(*repair);
    if (stop_ != Stop::no) healer_->stop();
  } else if (const auto* check = std::get_if<CheckComponent>(&effect)) {
    healer_->check(*check);
  } else {
    healer_->switched(std::get<ComponentSwitch>(effect));
  }
}

void Core::carry_out(const Effect& effect, std::span<const RecordedEvent> released) {
  if (const auto* cancel = std::get_if<CancelAttempt>(&effect)) {
    return attempts_.cancel(cancel->lease, now());
  }
  if (const auto* show = std::get_if<ShowCircuit>(&effect)) {
    circuits_.update(show->service);
    if (show->move) circuits_.moved(*show->move);
    return;
  }
  if (const auto* backup = std::get_if<BeginBackup>(&effect)) {
    backups_.begin(*backup);
    if (stop_ != Stop::no) backups_.stop();
    return;
  }
  const auto* attempt = std::get_if<BeginAttempt>(&effect);
  if (attempt == nullptr) return tell_healer(effect);
  if (stop_ != Stop::no) return attempts_.hand_back(attempt->id, attempt->lease);
  begin(*attempt, released);
}

// Most tasks are started with the event that enqueues them; of others it is in the log.
Result<void> Core::read_enqueued(Position enqueued, std::span<const RecordedEvent> released,
                                 const std::function<void(const Event&)>& visit) const {
  const Position first = released.front().position;
  if (enqueued < first) return log_.read_one(enqueued, visit);
  visit(released[enqueued.value - first.value].event);
  return {};
}

// What others have come to is read in between: no event can be looked up while another one is.
void Core::begin(const BeginAttempt& effect, std::span<const RecordedEvent> released) {
  Attempts::Inputs inputs;
  std::vector<TaskId> dependencies;
  bool is_command = false;
  auto read = read_enqueued(effect.enqueued, released, [&](const Event& event) {
    const TaskEnqueued& enqueued = request_in(event.body);
    if (enqueued.dependencies.empty()) return attempts_.begin(effect, enqueued, {}, now());
    dependencies.assign(enqueued.dependencies.begin(), enqueued.dependencies.end());
    is_command = enqueued.kind == command_kind;
  });
  if (read && dependencies.empty()) return;
  inputs.dependencies = find_ended(*published_.state(), dependencies);
  if (read && is_command) {
    auto json = results_json(log_, inputs.dependencies);
    if (!json) read = std::unexpected(json.error());
    if (json) inputs.json = std::move(*json);
  }
  if (read) {
    read = read_enqueued(effect.enqueued, released, [&](const Event& event) {
      attempts_.begin(effect, request_in(event.body), std::move(inputs), now());
    });
  }
  if (read) return;
  AttemptOutcome outcome{.status = AttemptStatus::not_started, .message = describe(read.error())};
  attempts_.finish(effect.id, effect.lease, std::move(outcome));
}

}  // namespace almanac
