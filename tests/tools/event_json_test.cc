// Events as lines of JSON and back: nothing is lost, nothing is guessed.
#include <almanac/tests/support/any_event.h>
#include <almanac/tests/support/event_text.h>
#include <almanac/tests/support/test_log.h>

#include <almanac/tools/encoding.h>
#include <almanac/tools/event_fields.h>
#include <almanac/tools/event_json.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

using nlohmann::json;

// What comes out of the line, in words; or what is wrong with it.
std::string parsed_text(std::string_view line) {
  EventMemory memory;
  auto parsed = parse_event(line, memory);
  if (parsed) return event_text(parsed->recorded);
  return std::to_string(parsed.error().column) + ": " + parsed.error().message;
}

std::string enqueued_line(const std::string& fields) {
  return R"({"position":7,"time":"2026-11-21T10:00:00Z","type":"TaskEnqueued","task":1)" + fields +
         "}";
}

TEST(EventJson, EveryTypeComesBackWithEveryField) {
  Position position(1);
  for (const Event& event : one_of_each(Time(std::chrono::days(20'000)))) {
    auto line = event_json({position, event});
    EXPECT_EQ(parsed_text(line), event_text(RecordedEvent{position, event})) << line;
    position = position.next();
  }
}

TEST(EventJson, EveryTypeComesBackWithNothingSet) {
  for (const EventBody& body : empty_bodies()) {
    RecordedEvent event{Position(1), {.at = Time(), .body = body}};
    EXPECT_EQ(parsed_text(event_json(event)), event_text(event));
  }
}

RC_GTEST_PROP(EventJson, AnyEventComesBackAsItWas, ()) {
  auto batch = any_batch(20, Time(Duration(*rc::gen::arbitrary<std::int64_t>() / 2)));
  EventMemory memory;
  std::vector<std::pair<std::string, ParsedEvent>> all;
  for (const Event& event : batch->events) {
    RecordedEvent recorded{Position(UINT64_MAX), event};
    auto line = event_json(recorded);
    auto parsed = parse_event(line, memory);
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(event_json(parsed->recorded) == line);
    RC_ASSERT(json::parse(line).is_object());
    all.emplace_back(event_text(recorded), *parsed);
  }
  for (const auto& [text, parsed] : all) RC_ASSERT(event_text(parsed.recorded) == text);
}

TEST(EventJson, SaysWhichEventsBeginAFrame) {
  RecordedEvent event{Position(3), {.at = Time(Duration(500)), .body = EngineStopped{}}};
  EventMemory memory;
  EXPECT_FALSE(parse_event(event_json(event), memory)->frame);
  auto begins = event_json(event, FrameMark{.time = Time(Duration(500))});
  EXPECT_EQ(begins, R"({"position":3,"frame":true,"time":"1970-01-01T00:00:00.000500Z",)"
                    R"("type":"EngineStopped"})");
  EXPECT_EQ(parse_event(begins, memory)->frame->time, Time(Duration(500)));
  auto earlier = event_json(event, FrameMark{.time = Time(Duration(499))});
  EXPECT_EQ(parse_event(earlier, memory)->frame->time, Time(Duration(499)));
}

TEST(EventJson, WritesTextAsTextAndOtherBytesAsBase64) {
  auto data = [](std::string_view bytes) {
    RecordedEvent event{Position(1), {.at = Time(), .body = CustomEvent{"t", as_bytes(bytes)}}};
    return json::parse(event_json(event)).at("data");
  };
  EXPECT_EQ(data("größer\n\x1b[31m"), (json{{"text", "größer\n\x1b[31m"}}));
  EXPECT_EQ(data(std::string_view("a\0", 2)), (json{{"base64", "YQA="}}));
  EXPECT_EQ(data("\xff"), (json{{"base64", "/w=="}}));
}

TEST(EventJson, HoldsNothingThatATerminalObeys) {
  RecordedEvent event{
      Position(1),
      {.at = Time(), .body = TaskCancelRequested{TaskId(1), "\x1b[2J\x7f\u009b\u202e\ufeff"}}};
  auto line = event_json(event);
  EXPECT_TRUE(line.find(R"(\u001B[2J\u007f\u009b\u202e\ufeff)") != std::string::npos) << line;
  EXPECT_EQ(parsed_text(line), event_text(event));
}

TEST(EventJson, TimesBeyondTheCalendarAreNumbers) {
  for (Time time : {Time(Duration(INT64_MIN)), Time(Duration(INT64_MAX)),
                    Time(std::chrono::sys_days(std::chrono::year(10'000) / 1 / 1)),
                    Time(std::chrono::sys_days(std::chrono::year(0) / 1 / 1)) - Duration(1)}) {
    RecordedEvent event{Position(1), {.at = time, .body = TaskStarted{TaskId(1), 1, time}}};
    auto line = event_json(event);
    EXPECT_TRUE(json::parse(line).at("deadline").is_number()) << line;
    EXPECT_EQ(parsed_text(line), event_text(event)) << line;
  }
}

struct BadLine {
  std::string line;
  std::string fault;
};

TEST(EventJson, RefusesALineThatIsNoEventAndSaysWhere) {
  const std::vector<BadLine> table = {
      {"", "1: not valid JSON: The document is empty."},
      {"{\"position\":1,", "15: not valid JSON: Missing a name for object member."},
      {"[1]", "1: the line is not a JSON object"},
      {"{}", "1: the field 'position' is missing"},
      {R"({"position":-1})",
       "2: the field 'position' is not a whole number from 0 to "
       "18446744073709551615"},
      {R"({"position":1})", "1: the field 'time' is missing"},
      {R"({"position":1,"time":"noon"})", "15: 'noon' is not a time"},
      {R"({"position":1,"time":1,"type":"TaskReadyd"})", "24: there is no event type 'TaskReadyd'"},
      {R"({"position":1,"time":1,"type":"TaskReadied"})", "1: the field 'task' is missing"},
      {R"({"position":1,"time":1,"type":"TaskReadied","tsk":1})",
       "45: an event of this type has no field 'tsk'"},
      {enqueued_line(R"(,"labl":"x")"), "76: an event of this type has no field 'labl'"},
      {enqueued_line(R"(,"task":2)"), "76: the field 'task' stands in it twice"},
      {enqueued_line(R"(,"label":1)"), "76: the field 'label' is not text, or {\"base64\": \"…\"}"},
      {enqueued_line(R"(,"label":{"base64":"YQ"})"), "76: the field 'label' is not whole base64"},
      {enqueued_line(R"(,"payload":"x")"),
       "76: the field 'payload' is not {\"text\": \"…\"} or {\"base64\": \"…\"}"},
      {enqueued_line(R"(,"attempts_max":65536)"),
       "76: the field 'attempts_max' is not a whole number from 0 to 65535"},
      {enqueued_line(R"(,"priority":2147483648)"),
       "76: the field 'priority' is not a whole number from -2147483648 to 2147483647"},
      {enqueued_line(R"(,"priority":1.5)"),
       "76: the field 'priority' is not a whole number from -2147483648 to 2147483647"},
      {enqueued_line(R"(,"tags":"x")"), "76: the field 'tags' is not a list of texts"},
      {enqueued_line(R"(,"frame_time":1)"),
       "76: 'frame_time' stands in a line that begins no frame"},
      {R"({"position":1,"time":1,"type":"TaskHandedBack","task":1,"reason":"bored"})",
       "57: the field 'reason' is not stopping, engine_died, forked, crashed or silent"},
      {"{\"position\":1,\"time\":1,\"type\":\"TaskCancelRequested\",\"task\":1,\"reason\":"
       "\"\xff\"}",
       "72: not valid JSON: Invalid encoding in string."},
  };
  for (const auto& [line, fault] : table) EXPECT_EQ(parsed_text(line), fault) << line;
  EXPECT_EQ(parsed_text(std::string(100'000, '[')),
            "9: not valid JSON: lists and objects stand inside each other too deeply");
}

TEST(EventJson, HelpsWithANameThatWasMistyped) {
  EventMemory memory;
  EXPECT_EQ(parse_event(enqueued_line(R"(,"labl":"x")"), memory).error().next_step,
            "did you mean 'label'?");
  EXPECT_EQ(parse_event(R"({"position":1,"time":1,"type":"TaskReadyd"})", memory).error().next_step,
            "did you mean 'TaskReadied'?");
}

TEST(Base64, IsThatOfTheStandard) {
  const std::vector<std::pair<std::string, std::string>> table = {{"", ""},
                                                                  {"f", "Zg=="},
                                                                  {"fo", "Zm8="},
                                                                  {"foo", "Zm9v"},
                                                                  {"foob", "Zm9vYg=="},
                                                                  {"fooba", "Zm9vYmE="},
                                                                  {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : table) {
    EXPECT_EQ(to_base64(as_bytes(bytes)), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
}

TEST(Base64, TakesNothingElse) {
  for (auto text :
       {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "Z===", "====", "Zm 9", "Zm9\n", "Zm9-"}) {
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  }
}

RC_GTEST_PROP(Base64, AnyBytesComeBack, (const std::string& bytes)) {
  RC_ASSERT(from_base64(to_base64(as_bytes(bytes))) == bytes);
}

}  // namespace
}  // namespace almanac::test
