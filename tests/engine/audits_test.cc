// What doors say of requests becomes events, and changes are held to the version they expect.
#include <almanac/engine/limits.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>

#include <string>

namespace almanac::test {
namespace {

TEST(DecideAudits, MakesAnEventOfEachNoteInTheirOrder) {
  Desk desk;
  RecordAudits record;
  record.notes = {
      {.request = 1, .principal = "ci", .action = "POST /v1/tasks", .count = 3},
      {.reason = RefusalReason::host, .remote = "127.0.0.1:1", .status = 421, .count = 7}};
  ASSERT_TRUE(desk.ask(record).has_value());
  const Audits& audits = desk.state().audits;
  ASSERT_EQ(audits.requests.size(), 1U);
  EXPECT_EQ(audits.requests.begin()->value.count, 3U);
  ASSERT_EQ(audits.refusals.size(), 1U);
  EXPECT_EQ(audits.refusals.begin()->value.status, 421U);
  EXPECT_EQ(audits.refusals.begin()->value.count, 7U);
  EXPECT_LT(audits.requests.begin()->key, audits.refusals.begin()->key);
}

TEST(DecideAudits, TakesNoMoreThanFitIntoOneCommand) {
  Desk desk;
  RecordAudits record;
  record.notes.resize(limits::audit_notes_max + 1);
  const auto asked = desk.ask(record);
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().code, ErrorCode::invalid);
}

TEST(ExpectedVersion, HoldsCancellationsAndChanges) {
  Desk desk;
  const TaskId task = desk.submit({.kind = "work"});
  const Position version = desk.state().tasks.all.find(task)->changed;
  const auto change = [&](TaskChange what, Position expected) {
    return desk.ask(ChangeTasks{
        .ids = {task}, .change = what, .reason = {}, .skips = false, .expected = expected});
  };
  EXPECT_EQ(change(TaskChange::pause, version.next()).error().code, ErrorCode::conflict);
  EXPECT_TRUE(change(TaskChange::pause, version));
  const auto stale = desk.ask(CancelTask{task, "", version});
  ASSERT_FALSE(stale);
  EXPECT_NE(stale.error().message.find(std::to_string(version.value)), std::string::npos);
  EXPECT_TRUE(desk.ask(CancelTask{task, "", desk.state().tasks.all.find(task)->changed}));
}

}  // namespace
}  // namespace almanac::test
