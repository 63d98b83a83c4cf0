#include <almanac/log/event.h>
#include <almanac/log/limits.h>
#include <almanac/tests/support/any_event.h>
#include <almanac/tests/support/noon.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

EventBatch batch_of(const std::vector<EventBody>& bodies) {
  EventBatch batch;
  for (const EventBody& body : bodies) batch.events.push_back({.at = noon, .body = body});
  return batch;
}

// What check_batch says: "ok", or the code and the sentence.
std::string verdict(const EventBatch& batch) {
  auto cost = check_batch(batch);
  if (cost) return "ok";
  return std::string(name(cost.error().code)) + ": " + cost.error().message;
}

TEST(CheckBatch, RefusesAnEmptyBatch) {
  EXPECT_EQ(verdict({}), "invalid: a batch takes 1 to 100000 events");
}

TEST(CheckBatch, TakesExactlyTheMostEvents) {
  EventBatch batch = batch_of(std::vector<EventBody>(limits::batch_events_max, EngineStopped{}));
  EXPECT_EQ(verdict(batch), "ok");
  batch.events.push_back(batch.events.back());
  EXPECT_EQ(verdict(batch), "invalid: a batch takes 1 to 100000 events");
}

TEST(CheckBatch, TakesExactlyTheLargestEventOfEveryType) {
  // Each puts all bytes it is given into one event, over every field that holds some.
  using Make = std::function<EventBody(std::string_view)>;
  auto end = [](std::string_view text) {
    return AttemptEnd{.message = text.substr(0, 10),
                      .result = as_bytes(text.substr(10, 10)),
                      .output = as_bytes(text.substr(20))};
  };
  const std::vector<Make> makers = {
      [](auto text) { return CustomEvent{"type", as_bytes(text)}; },
      [](auto text) {
        return TaskEnqueued{.label = text.substr(0, 10), .payload = as_bytes(text.substr(10))};
      },
      [&](auto text) { return TaskSucceeded{.end = end(text)}; },
      [&](auto text) { return TaskAttemptFailed{.end = end(text)}; },
      [&](auto text) { return TaskFailed{.end = end(text)}; },
      [](auto text) { return TaskCancelRequested{.reason = text}; },
      [&](auto text) {
        return TaskCancelled{.reason = text.substr(0, 10), .end = end(text.substr(10))};
      },
      [](auto text) { return EngineStarted{.version = text}; }};
  const std::string text(limits::event_bytes_max + 1, 'x');
  for (const Make& make : makers) {
    std::string_view largest = std::string_view(text).substr(1);
    EXPECT_EQ(verdict(batch_of({make(largest)})), "ok") << type_name(make(largest));
    EXPECT_EQ(verdict(batch_of({make(text)})),
              "invalid: an event with a size of 16777217 is over the limit of 16777216")
        << type_name(make(text));
  }
}

TEST(CheckBatch, CountsTagsAndDependenciesAsBytes) {
  const std::vector<TaskId> ids(limits::event_bytes_max / sizeof(TaskId));
  TaskEnqueued task{.dependencies = ids};
  EXPECT_EQ(verdict(batch_of({task})), "ok");
  const std::vector<std::string_view> tags(1);
  task.tags = NameListView(tags);
  EXPECT_EQ(verdict(batch_of({task})),
            "invalid: an event with a size of 16777218 is over the limit of 16777216");
}

TEST(CheckBatch, TakesExactlyTheLargestBatch) {
  const std::string half(limits::batch_bytes_max / 2, 'x');
  const CustomEvent event{"", as_bytes(half)};
  EventBatch batch = batch_of({event, event});
  EXPECT_EQ(verdict(batch), "ok");
  batch.events.front().stream = "s";
  EXPECT_EQ(verdict(batch),
            "invalid: a batch with a size of 16777217 is over the limit of 16777216");
}

TEST(CheckBatch, TakesExactlyTheLongestName) {
  const std::string longest(limits::name_bytes_max, 'n');
  const std::string longer = longest + 'n';
  const std::vector<std::string_view> tags = {"short", longer};
  EXPECT_EQ(verdict(batch_of({TaskEnqueued{.kind = longest, .queue = longest},
                              CustomEvent{longest, {}}, QueueConfigured{longest, 1}})),
            "ok");
  for (const EventBody& body :
       std::vector<EventBody>{TaskEnqueued{.kind = longer}, TaskEnqueued{.queue = longer},
                              TaskEnqueued{.tags = NameListView(tags)}, CustomEvent{longer, {}},
                              QueueConfigured{longer, 1}}) {
    EXPECT_EQ(verdict(batch_of({body})),
              "invalid: a name with a length of 129 is over the limit of 128");
  }
}

TEST(CheckBatch, TakesExactlyTheLongestKey) {
  const std::string longest(limits::key_bytes_max, 'k');
  const std::string longer = longest + 'k';
  EventBatch batch = batch_of({EngineStopped{}});
  batch.events.front().idempotency_key = batch.events.front().stream = longest;
  EXPECT_EQ(verdict(batch), "ok");
  batch.events.front().stream = longer;
  EXPECT_EQ(verdict(batch), "invalid: a key with a length of 513 is over the limit of 512");
  batch.events.front().stream = {};
  batch.events.front().idempotency_key = longer;
  EXPECT_EQ(verdict(batch), "invalid: a key with a length of 513 is over the limit of 512");
}

TEST(CheckBatch, TakesExactlyTheMostDistinctNames) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < limits::frame_names_max; ++i) texts.push_back(std::to_string(i));
  std::vector<std::string_view> names(texts.begin(), texts.end());
  EXPECT_EQ(verdict(batch_of({TaskEnqueued{
                .kind = names.front(), .queue = names.front(), .tags = NameListView(names)}})),
            "invalid: a batch with a number of names of 65535 is over the limit of 65535");
  names.back() = names.front();  // the same one twice counts once
  EXPECT_EQ(verdict(batch_of({TaskEnqueued{
                .kind = names.front(), .queue = names.front(), .tags = NameListView(names)}})),
            "ok");
}

TEST(CheckBatch, CountsANameOnceForTheWholeBatch) {
  auto cost = check_batch(batch_of({QueueConfigured{"a", 1}, QueueConfigured{"a", 2},
                                    QueueConfigured{"b", 1}, CustomEvent{"b", {}}}));
  ASSERT_TRUE(cost);
  EXPECT_EQ(cost->names, 2U);
}

TEST(CheckBatch, RefusesTimesOutOfOrder) {
  EventBatch batch = batch_of({EngineStopped{}, EngineStopped{}, EngineStopped{}});
  EXPECT_EQ(verdict(batch), "ok") << "the same time is in order";
  batch.events[1].at = noon + Duration(1);
  EXPECT_EQ(verdict(batch), "invalid: an event is older than the one before it");
}

TEST(CheckBatch, RefusesATimeBeforeTheYear1970) {
  EventBatch batch = batch_of({EngineStopped{}});
  batch.events.front().at = Time();
  EXPECT_EQ(verdict(batch), "ok");
  batch.events.front().at = Time(Duration(-1));
  EXPECT_EQ(verdict(batch), "invalid: an event is older than the year 1970");
}

TEST(CheckBatch, RefusesEventsThatLieTooFarApartForOneFrame) {
  EventBatch batch = batch_of({EngineStopped{}, EngineStopped{}});
  batch.events.back().at = noon + limits::frame_span_max;
  EXPECT_EQ(verdict(batch), "ok");
  batch.events.back().at += Duration(1);
  EXPECT_EQ(verdict(batch), "invalid: the events of a batch lie over 70 minutes apart");
}

TEST(EventNames, AreDistinctAndKnownForEveryType) {
  std::set<std::string_view> types;
  for (const Event& event : one_of_each(noon)) types.insert(type_name(event.body));
  EXPECT_EQ(types.size(), std::variant_size_v<EventBody>);
  EXPECT_FALSE(types.contains(""));
  EXPECT_TRUE(types.contains("custom"));
  EXPECT_TRUE(types.contains("EngineStopped"));
}

template <class Enum>
std::set<std::string_view> names_of(int count) {
  std::set<std::string_view> names;
  for (int i = 0; i < count; ++i) names.insert(name(static_cast<Enum>(i)));
  return names;
}

TEST(EventNames, AreDistinctForEveryStatusReasonAndAction) {
  EXPECT_EQ(names_of<AttemptStatus>(attempt_status_count).size(),
            std::size_t{attempt_status_count});
  EXPECT_EQ(names_of<HandBackReason>(hand_back_reason_count).size(),
            std::size_t{hand_back_reason_count});
  EXPECT_EQ(names_of<HoldReason>(hold_reason_count).size(), std::size_t{hold_reason_count});
  EXPECT_EQ(names_of<BackupAction>(backup_action_count).size(), std::size_t{backup_action_count});
  EXPECT_EQ(names_of<RetryPolicy>(retry_policy_count).size(), std::size_t{retry_policy_count});
  EXPECT_EQ(names_of<UniqueUntil>(unique_until_count).size(), std::size_t{unique_until_count});
  EXPECT_EQ(names_of<PauseScope>(pause_scope_count).size(), std::size_t{pause_scope_count});
  EXPECT_FALSE(names_of<AttemptStatus>(attempt_status_count).contains("unknown"));
  EXPECT_FALSE(names_of<HandBackReason>(hand_back_reason_count).contains("unknown"));
}

TEST(EventNames, AreDistinctForEveryChoiceOfASchedule) {
  EXPECT_EQ(names_of<MissedPolicy>(missed_policy_count).size(), std::size_t{missed_policy_count});
  EXPECT_EQ(names_of<OverlapPolicy>(overlap_policy_count).size(),
            std::size_t{overlap_policy_count});
  EXPECT_EQ(names_of<SkipReason>(skip_reason_count).size(), std::size_t{skip_reason_count});
  EXPECT_FALSE(names_of<SkipReason>(skip_reason_count).contains("unknown"));
}

}  // namespace
}  // namespace almanac::test
