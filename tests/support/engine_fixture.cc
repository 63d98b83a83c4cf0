#include <almanac/tests/support/engine_fixture.h>

#include <utility>

namespace almanac::test {
namespace {

constexpr std::chrono::milliseconds patience = std::chrono::minutes(1);

// The task an event is about; none for others.
TaskId subject(const EventBody& body) {
  return std::visit(
      [](const auto& event) {
        if constexpr (requires { TaskId(event.id); }) {
          return TaskId(event.id);
        } else {
          return TaskId();
        }
      },
      body);
}

}  // namespace

void EngineTest::open(EngineOptions options) {
  engine.reset();
  options.folder = log_folder();
  if (options.slots == 0) options.slots = 4;
  if (options.seed == 0) options.seed = 1;
  auto opened = Engine::open(std::move(options));
  ASSERT_TRUE(opened.has_value()) << describe(opened.error());
  engine = std::move(*opened);
}

void EngineTest::open_on_manual_clock(EngineOptions options) {
  options.clock = clock.function();
  open(std::move(options));
}

TaskId EngineTest::submit(TaskSpec spec) {
  auto submitted = engine->submit(std::move(spec));
  if (submitted) return submitted->id;
  ADD_FAILURE() << describe(submitted.error());
  return {};
}

TaskId EngineTest::submit_command(const CommandSpec& command, TaskSpec spec) {
  auto payload = encode(command);
  if (!payload) {
    ADD_FAILURE() << describe(payload.error());
    return {};
  }
  spec.kind = command_kind;
  spec.payload = std::move(*payload);
  return submit(std::move(spec));
}

TaskId EngineTest::submit_shell(std::string script, TaskSpec spec) {
  return submit_command({.arguments = {"/bin/sh", "-c", std::move(script)}}, std::move(spec));
}

// A command that is refused still turns the loop, and its answer comes behind what was due.
void EngineTest::turn() { EXPECT_FALSE(engine->cancel(TaskId()).has_value()); }

void EngineTest::advance(Duration by) {
  clock.advance(by);
  turn();
}

Task EngineTest::task(TaskId id) const {
  auto state = engine->state();
  const Task* found = state->tasks.all.find(id);
  if (found != nullptr) return *found;
  ADD_FAILURE() << "there is no task " << id.value;
  return {};
}

Task EngineTest::wait_for(TaskId id, TaskState wanted) const {
  EXPECT_TRUE(engine->wait(
      [&](const State& state) { return state.tasks.all.find(id)->state == wanted; }, patience))
      << "task " << id.value << " is not " << name(wanted) << " but " << name(task(id).state);
  return task(id);
}

Task EngineTest::wait_until_ended(TaskId id) const {
  EXPECT_TRUE(engine->wait(
      [&](const State& state) { return has_ended(state.tasks.all.find(id)->state); }, patience))
      << "task " << id.value << " is still " << name(task(id).state);
  return task(id);
}

void EngineTest::wait_until_all_ended() const {
  EXPECT_TRUE(engine->wait([](const State& state) { return state.tasks.live() == 0; }, patience))
      << engine->state()->tasks.live() << " tasks have not ended";
}

AttemptOutcome EngineTest::outcome(TaskId id) const {
  AttemptOutcome outcome;
  auto read = engine->log().read_one(task(id).changed, [&](const Event& event) {
    const AttemptEnd* end = attempt_end_in(event.body);
    ASSERT_NE(end, nullptr) << type_name(event.body);
    outcome = {.status = end->status,
               .code = end->code,
               .output_dropped = end->output_dropped,
               .message = std::string(end->message),
               .result = std::string(as_text(end->result)),
               .output = std::string(as_text(end->output))};
  });
  EXPECT_TRUE(read.has_value()) << describe(read.error());
  return outcome;
}

AttemptOutcome EngineTest::outcome_at_end(TaskId id) const {
  wait_until_ended(id);
  return outcome(id);
}

std::string EngineTest::history(TaskId id) const { return test::history(engine->log(), id); }

std::string history(const Log& log, TaskId id) {
  std::string types;
  auto read = log.read(Position(1), [&](const RecordedEvent& recorded) -> Result<bool> {
    if (subject(recorded.event.body) != id) return true;
    if (!types.empty()) types += ' ';
    types += type_name(recorded.event.body);
    return true;
  });
  EXPECT_TRUE(read.has_value());
  return types;
}

}  // namespace almanac::test
