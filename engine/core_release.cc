// What happens once events are durable.
#include <almanac/engine/circuit_board.h>
#include <almanac/engine/core.h>
#include <almanac/engine/dependency_results.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace almanac {
namespace {

// Of events that were released and are still at hand.
constexpr std::size_t recent_bytes_max = 1 * limits::mebibyte;
constexpr std::size_t recent_turns_max = 64;

// Nothing of what users may want forgotten is kept beyond its time.
bool is_about_tasks_alone(const Command& command) {
  if (const auto* finish = std::get_if<FinishAttempt>(&command)) {
    return finish->outcome.memories.empty();
  }
  return std::holds_alternative<EnqueueTasks>(command) ||
         std::holds_alternative<LeaseTasks>(command) ||
         std::holds_alternative<HandBackAttempt>(command);
}

}  // namespace

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
    if (submission->done) std::exchange(submission->done, nullptr)(std::move(answer));
  }
}

std::size_t Core::Turn::bytes() const {
  std::size_t bytes = 2 * events.size() * sizeof(RecordedEvent);
  for (const Checked& each : batches) bytes += each.cost.bytes;
  return bytes;
}

// What was submitted a moment ago is begun, or asked for by a worker, in one of the next turns:
// then the log need not be asked for it. The events' memory is all that is kept.
void Core::keep_recent(std::shared_ptr<Turn> turn) {
  const std::size_t bytes = turn->bytes();
  if (turn->events.empty() || bytes > recent_bytes_max) return;
  for (const auto& [submission, answer, through] : turn->answered) {
    if (!is_about_tasks_alone(submission->command)) return;
  }
  turn->after = State();
  turn->effects.clear();
  recent_bytes_ += bytes;
  recent_.push_back(std::move(turn));
  while (recent_bytes_ > recent_bytes_max || recent_.size() > recent_turns_max) {
    recent_bytes_ -= recent_.front()->bytes();
    recent_.pop_front();
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

// Most tasks are started with the event that enqueues them, or soon behind it; of others it is in
// the log.
Result<void> Core::read_enqueued(Position enqueued, std::span<const RecordedEvent> released,
                                 const std::function<void(const Event&)>& visit) const {
  const Position first = released.front().position;
  if (enqueued < first) {
    const auto recent = std::ranges::find_if(recent_, [&](const auto& turn) {
      return turn->events.front().position <= enqueued && enqueued <= turn->events.back().position;
    });
    if (recent == recent_.end()) return log_.read_one(enqueued, visit);
    const auto& events = (*recent)->events;
    visit(events[enqueued.value - events.front().position.value].event);
    return {};
  }
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
