// What cannot make its deadline is refused when it is submitted.
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// Its queue "press" is one by deadline.
struct PressDesk : Desk {
  PressDesk() {
    EXPECT_TRUE(ask(ConfigureQueue{.queue = "press", .policy = QueuePolicy::deadline}));
  }
};

Result<Answer> submit(Desk& desk, TaskSpec spec) {
  spec.kind = "work";
  return desk.ask(EnqueueTasks{{std::move(spec)}});
}

TEST(Admission, RefusesWhatCannotMakeItsDeadlineWithNumbers) {
  PressDesk desk;
  const Error late = error_of(submit(desk, {.queue = "press",
                                            .label = "print",
                                            .deadline = desk.now + minutes(5),
                                            .estimate = minutes(6)}));
  EXPECT_EQ(late.code, ErrorCode::refused);
  EXPECT_EQ(late.message,
            "'print' is refused: it cannot make its deadline: it could begin 300.000 s before it, "
            "and takes 360.000 s by its estimate");
  EXPECT_TRUE(desk.state().tasks.all.empty());
  EXPECT_TRUE(
      submit(desk, {.queue = "press", .deadline = desk.now + minutes(6), .estimate = minutes(6)}));
}

TEST(Admission, CountsFromWhenATaskMayBegin) {
  PressDesk desk;
  const TaskSpec spec{.queue = "press",
                      .run_at = desk.now + minutes(3),
                      .deadline = desk.now + minutes(5),
                      .estimate = minutes(3)};
  EXPECT_EQ(error_of(submit(desk, spec)).code, ErrorCode::refused);
}

TEST(Admission, SaysThatATaskWithoutAnEstimateIsTakenToNeedNoTime) {
  PressDesk desk;
  const Error late = error_of(submit(desk, {.queue = "press", .deadline = desk.now - seconds(2)}));
  EXPECT_NE(late.message.find("2.000 s after it, and has no estimate and is taken to need no time"),
            std::string::npos)
      << late.message;
  EXPECT_TRUE(submit(desk, {.queue = "press", .deadline = desk.now}));
}

TEST(Admission, IsOfQueuesByDeadlineAlone) {
  PressDesk desk;
  EXPECT_TRUE(submit(desk, {.queue = "other", .deadline = desk.now - minutes(1)}));
  EXPECT_TRUE(submit(desk, {.queue = "press"})) << "without a deadline there is none to miss";
}

TEST(Admission, AnswersAKeyThatIsKnownThoughItIsLateByNow) {
  PressDesk desk;
  const TaskSpec spec{
      .queue = "press", .deadline = desk.now + minutes(1), .idempotency_key = "print"};
  ASSERT_TRUE(submit(desk, spec));
  desk.now += minutes(5);
  EXPECT_TRUE(submit(desk, spec));
}

}  // namespace
}  // namespace almanac::test
