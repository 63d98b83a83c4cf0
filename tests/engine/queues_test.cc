// Deciding the settings of queues.
#include <almanac/engine/limits.h>
#include <almanac/engine/queues.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

TEST(ConfigureQueue, IsRecordedOnlyWhenItChangesSomething) {
  Desk desk;
  for (auto [slots, events] : {std::pair(0U, 0U), {2U, 1U}, {2U, 0U}, {3U, 1U}, {0U, 1U}}) {
    ASSERT_TRUE(desk.ask(ConfigureQueue{"mail", slots}).has_value());
    EXPECT_EQ(desk.last().size(), events) << slots;
  }
}

TEST(ConfigureQueue, TakesAQueueNoTaskHasNamedYet) {
  Desk desk;
  ASSERT_TRUE(desk.ask(ConfigureQueue{"mail", 1}).has_value());
  EXPECT_EQ(*desk.state().queues.slots.find(*desk.state().names.find("mail")), 1U);
}

TEST(ConfigureQueue, LeavesWhatIsNotNamedAsItIs) {
  Desk desk;
  ASSERT_TRUE(desk.ask(ConfigureQueue{.queue = "mail", .slots = 3}));
  ASSERT_TRUE(desk.ask(ConfigureQueue{.queue = "mail", .policy = QueuePolicy::urgency}));
  ASSERT_TRUE(desk.ask(ConfigureQueue{.queue = "mail", .weights = {{"overdue", 70}}}));
  const NameId mail = *desk.state().names.find("mail");
  const Policy policy = desk.state().tasks.ranking.policy(mail);
  EXPECT_EQ(*desk.state().queues.slots.find(mail), 3U);
  EXPECT_EQ(policy.kind, QueuePolicy::urgency);
  EXPECT_EQ(policy.weight(UrgencyPart::overdue), 70);
  EXPECT_EQ(policy.weight(UrgencyPart::high), 30) << "as it began";
  ASSERT_TRUE(desk.ask(ConfigureQueue{.queue = "mail", .weights = {{"overdue", 70}}}));
  EXPECT_TRUE(desk.last().empty()) << "nothing has changed";
  ASSERT_TRUE(desk.ask(ConfigureQueue{.queue = "mail", .policy = QueuePolicy::fifo}));
  EXPECT_EQ(desk.state().tasks.ranking.policy(mail), Policy{.kind = QueuePolicy::fifo});
}

TEST(ConfigureQueue, SaysHowLongTasksAreKept) {
  using std::chrono::hours;
  Desk desk;
  const auto kept = [&] {
    return retention_of(desk.state().queues, *desk.state().names.find("mail"));
  };
  ASSERT_TRUE(desk.ask(ConfigureQueue{.queue = "mail", .retain_succeeded = hours(1)}));
  ASSERT_TRUE(desk.ask(ConfigureQueue{.queue = "mail", .retain_failed = retained_for_ever}));
  ASSERT_TRUE(desk.ask(ConfigureQueue{.queue = "mail", .policy = QueuePolicy::fifo}));
  EXPECT_EQ(kept(), (QueueRetention{.succeeded = hours(1), .failed = retained_for_ever}))
      << "what is not named stays";
  ASSERT_TRUE(desk.ask(ConfigureQueue{.queue = "mail", .retain_succeeded = hours(1)}));
  EXPECT_TRUE(desk.last().empty()) << "nothing has changed";
  const auto engines = Duration(0);
  ASSERT_TRUE(desk.ask(
      ConfigureQueue{.queue = "mail", .retain_succeeded = engines, .retain_failed = engines}));
  EXPECT_TRUE(desk.state().queues.retention.empty());
  for (const Duration wrong : {Duration(-1), limits::duration_max + Duration(1)}) {
    EXPECT_EQ(error_of(desk.ask(ConfigureQueue{.queue = "q", .retain_cancelled = wrong})).code,
              ErrorCode::invalid);
  }
}

TEST(ConfigureQueue, GivesOwnersTheirShares) {
  Desk desk;
  const std::map<std::string, std::int32_t> shares = {{"ann", 300}, {"bob", 50}};
  ASSERT_TRUE(
      desk.ask(ConfigureQueue{.queue = "mail", .policy = QueuePolicy::fair, .weights = shares}));
  ASSERT_TRUE(desk.ask(ConfigureQueue{.queue = "mail", .weights = {{"ann", 100}}}));
  const auto& owners = desk.state().tasks.ranking.policy(*desk.state().names.find("mail")).owners;
  ASSERT_EQ(owners.size(), 1U) << "100 is what everybody has";
  EXPECT_EQ(desk.state().names.text(owners.front().owner), "bob");
  EXPECT_EQ(owners.front().weight, 50);
}

TEST(ConfigureQueue, RefusesWhatThePolicyDoesNotUse) {
  Desk desk;
  for (const ConfigureQueue& wrong : std::vector<ConfigureQueue>{
           {.queue = "q", .weights = {{"high", 1}}},
           {.queue = "q", .policy = QueuePolicy::fifo, .ageing = std::chrono::hours(1)},
           {.queue = "q", .window = std::chrono::hours(1)},
           {.queue = "q", .short_work = std::chrono::hours(1)},
           {.queue = "q", .ageing = -Duration(1)},
           {.queue = "q", .policy = QueuePolicy::urgency, .weights = {{"hihg", 1}}},
           {.queue = "q", .policy = QueuePolicy::urgency, .weights = {{"high", 1'000'001}}},
           {.queue = "q", .policy = QueuePolicy::fair, .weights = {{"ann", 0}}}}) {
    EXPECT_EQ(error_of(desk.ask(wrong)).code, ErrorCode::invalid);
  }
}

TEST(ConfigureQueue, RefusesABadNameAndTooManySlots) {
  Desk desk;
  EXPECT_EQ(error_of(desk.ask(ConfigureQueue{"", 1})).code, ErrorCode::invalid);
  EXPECT_EQ(error_of(desk.ask(ConfigureQueue{"a\nb", 1})).code, ErrorCode::invalid);
  EXPECT_EQ(error_of(desk.ask(ConfigureQueue{"a", limits::slots_max + 1})).code,
            ErrorCode::invalid);
  EXPECT_TRUE(desk.ask(ConfigureQueue{"a", limits::slots_max}).has_value());
}

}  // namespace
}  // namespace almanac::test
