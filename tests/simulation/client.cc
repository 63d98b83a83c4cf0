#include <almanac/tests/simulation/client.h>

#include <almanac/log/hash.h>

#include <utility>

namespace almanac::test {

using namespace std::chrono_literals;

namespace {

const std::vector<std::string> queues = {"default", "narrow", "wide"};

}  // namespace

void Client::act(SimulatedEngine& engine) {
  const auto drawn = machine_.draw.below(100);
  if (drawn < 60) return submit(engine);
  if (drawn < 66) return submit_again(engine);
  if (drawn < 70) return submit_badly(engine);
  if (drawn < 88) return cancel(engine);
  if (drawn < 95) return configure_queue(engine);
  review_all(engine);
}

Dependency Client::draw_dependency(std::size_t index) {
  const auto known = machine_.oracle.durable().tasks.last.value;
  if (index > 0 && (known == 0 || machine_.draw.chance(60))) {
    return InBatch{machine_.draw.below(index)};
  }
  return TaskId(1 + machine_.draw.below(known));
}

TaskSpec Client::draw_spec(std::size_t index) {
  Draw& draw = machine_.draw;
  TaskSpec spec{.kind = draw.one_of(simulated_kinds), .queue = draw.one_of(queues)};
  spec.label = "submission " + std::to_string(++labels_);
  spec.priority = static_cast<std::int32_t>(draw.below(3)) - 1;
  spec.attempts_max = static_cast<std::uint16_t>(1 + draw.below(4));
  spec.backoff.initial = draw.between(0s, 10s);
  spec.backoff.max = draw.between(1s, 10min);
  if (draw.chance(20)) spec.run_at = machine_.clock() + draw.between(-1min, 2h);
  if (draw.chance(50)) spec.timeout = draw.between(1s, 1min);
  const auto known = machine_.oracle.durable().tasks.last.value;
  while (index + known > 0 && draw.chance(30)) spec.dependencies.push_back(draw_dependency(index));
  return spec;
}

void Client::submit(SimulatedEngine& engine) {
  machine_.coverage.reach(Verb::submit);
  EnqueueTasks submission;
  const auto tasks = 1 + machine_.draw.below(4);
  const bool keyed = machine_.draw.chance(30);
  for (std::size_t i = 0; i < tasks; ++i) {
    submission.tasks.push_back(draw_spec(i));
    if (keyed) submission.tasks.back().idempotency_key = submission.tasks.back().label;
  }
  if (keyed) keyed_.push_back(submission);
  send(engine, std::move(submission));
}

// What was not answered, or was, or refused: with the same keys there is one task for each.
void Client::submit_again(SimulatedEngine& engine) {
  if (keyed_.empty()) return;
  machine_.coverage.reach(Verb::submit_again);
  EnqueueTasks submission = machine_.draw.one_of(keyed_);
  for (TaskSpec& spec : submission.tasks) spec.label = "submission " + std::to_string(++labels_);
  send(engine, std::move(submission));
}

void Client::submit_badly(SimulatedEngine& engine) {
  machine_.coverage.reach(Verb::submit_badly);
  EnqueueTasks submission;
  for (std::size_t i = 0; i < 2; ++i) submission.tasks.push_back(draw_spec(i));
  switch (machine_.draw.below(3)) {
    case 0: submission.tasks[0].dependencies = {InBatch{1}, InBatch{0}}; break;
    case 1: submission.tasks[1].dependencies = {TaskId(1'000'000)}; break;
    default: submission.tasks[1].kind.clear();
  }
  const auto label = submission.tasks[0].label;
  machine_.oracle.submission_is_refused({label, submission.tasks[1].label});
  engine.tell(std::move(submission), [this](const Result<Answer>& answer) { note(answer); });
}

void Client::send(SimulatedEngine& engine, EnqueueTasks submission) {
  std::vector<std::string> labels;
  for (const TaskSpec& spec : submission.tasks) labels.push_back(spec.label);
  engine.tell(std::move(submission), [this, labels](const Result<Answer>& answer) {
    note(answer);
    if (answer) {
      machine_.oracle.submission_is_accepted(labels, std::get<std::vector<Submitted>>(*answer));
    } else if (answer.error().code != ErrorCode::unknown_outcome) {
      machine_.oracle.submission_is_refused(labels);
    }
  });
}

void Client::cancel(SimulatedEngine& engine) {
  const auto known = machine_.oracle.durable().tasks.last.value;
  const TaskId id(1 + machine_.draw.below(known + 1));
  machine_.coverage.reach(Verb::cancel);
  machine_.oracle.cancel_is_asked(id);
  engine.tell(CancelTask{id, "no longer wanted"}, [this, id](const Result<Answer>& answer) {
    note(answer);
    if (answer) machine_.oracle.cancel_is_accepted(id);
  });
}

void Client::configure_queue(SimulatedEngine& engine) {
  machine_.coverage.reach(Verb::configure_queue);
  ConfigureQueue settings{.queue = machine_.draw.one_of(queues),
                          .slots = static_cast<std::uint32_t>(machine_.draw.below(4))};
  engine.tell(std::move(settings), [this](const Result<Answer>& answer) { note(answer); });
}

void Client::review_all(SimulatedEngine& engine) {
  ReviewTasks review;
  for (const auto& [id, hold] : machine_.oracle.durable().tasks.held) review.ids.push_back(id);
  if (review.ids.empty()) return;
  machine_.coverage.reach(Verb::review);
  review.decision = static_cast<ReviewDecision>(machine_.draw.below(review_decision_count));
  engine.tell(std::move(review), [this](const Result<Answer>& answer) { note(answer); });
}

void Client::note(const Result<Answer>& answer) {
  const auto text = answer ? std::string("accepted") : std::string(name(answer.error().code));
  digest_ = xxh3(as_bytes(std::to_string(digest_) + text));
}

}  // namespace almanac::test
