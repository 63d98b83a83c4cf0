// Requirement C4: one hierarchy of errors, each with context and whether it is worth another try,
// as structured data.
#include <almanac/engine/error_json.h>
#include <almanac/engine/retry.h>
#include <almanac/engine/timed_mutex.h>
#include <almanac/tests/support/manual_steady_clock.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <set>
#include <string>
#include <thread>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

TEST(RequirementC4, EveryCodeIsOfOneCategoryAndEveryCategoryHasACode) {
  std::set<ErrorCategory> seen;
  for (int code = 0; code < error_code_count; ++code) seen.insert(category(ErrorCode(code)));
  EXPECT_EQ(seen.size(), std::size_t{error_category_count});
  for (const ErrorCategory category : seen) EXPECT_NE(name(category), "unknown");
  EXPECT_EQ(category(ErrorCode::invalid), ErrorCategory::validation);
  EXPECT_EQ(category(ErrorCode::rate_limited), ErrorCategory::rate_limit);
  EXPECT_EQ(category(ErrorCode::timed_out), ErrorCategory::concurrency);
  EXPECT_EQ(category(ErrorCode::storage_full), ErrorCategory::storage);
  EXPECT_EQ(category(ErrorCode::corrupt), ErrorCategory::corrupt);
  EXPECT_EQ(category(ErrorCode::out_of_memory), ErrorCategory::memory);
  EXPECT_EQ(category(ErrorCode::gpu_memory), ErrorCategory::gpu_memory);
  EXPECT_EQ(category(ErrorCode::model_loading), ErrorCategory::model_loading);
  EXPECT_EQ(category(ErrorCode::reasoning), ErrorCategory::reasoning);
  EXPECT_EQ(category(ErrorCode::routing), ErrorCategory::routing);
}

TEST(RequirementC4, AnErrorTurnsIntoJsonWithItsContextAndItsCauses) {
  const Error disk = Error{ErrorCode::io, "cannot read /m\xff", ""}.with("path", "/m");
  const Error model =
      Error{ErrorCode::model_loading, "the model cannot be loaded", "fetch it again"}
          .with("model", "tiny")
          .with("gpu", "0")
          .with("gpu", "1")
          .caused_by(disk)
          .recoverable(true);
  EXPECT_EQ(to_json(model),
            "{\"code\":\"model_loading\",\"category\":\"model_loading\","
            "\"message\":\"the model cannot be loaded\",\"next_step\":\"fetch it again\","
            "\"recoverable\":true,\"context\":{\"model\":\"tiny\",\"gpu\":\"1\"},"
            "\"cause\":{\"code\":\"io\",\"category\":\"storage\","
            "\"message\":\"cannot read /m\xef\xbf\xbd\",\"recoverable\":true,"
            "\"context\":{\"path\":\"/m\"}}}");
  EXPECT_EQ(to_json({ErrorCode::invalid, "no", ""}),
            "{\"code\":\"invalid\",\"category\":\"validation\",\"message\":\"no\","
            "\"recoverable\":false}");
}

TEST(RequirementC4, TheErrorsOfLocksHaveWhatTheySayAsContext) {
  TimedMutex mutex("account");
  const auto held = mutex.lock();
  std::string json;
  std::jthread([&] { json = to_json(mutex.lock({.timeout = 1ms}).error()); }).join();
  const auto parsed = nlohmann::json::parse(json);
  EXPECT_EQ(parsed["code"], "timed_out");
  EXPECT_EQ(parsed["context"]["lock"], "account");
  EXPECT_EQ(parsed["context"]["holder"], mutex.holder()->who);
  EXPECT_NE(parsed["context"]["taken_at"].get<std::string>().find("requirement_c4_test.cc:"),
            std::string::npos);
  EXPECT_GE(std::stoll(parsed["context"]["held_for_us"].get<std::string>()), 1'000);
}

TEST(RequirementC4, TransientOnesAreTriedThreeTimesUnlessTheErrorSaysOtherwise) {
  ManualSteadyClock clock;
  int calls = 0;
  const auto calls_with = [&](const Error& error) {
    calls = 0;
    const auto answer = retry({.clock = clock.steady()}, [&]() -> Result<int> {
      ++calls;
      return std::unexpected(error);
    });
    EXPECT_EQ(answer.error().message, error.message);
    EXPECT_EQ(answer.error().context(),
              calls == 1 ? ErrorContext() : (ErrorContext{{"attempts", "3"}}));
    return calls;
  };
  EXPECT_EQ(calls_with({ErrorCode::rate_limited, "too much", ""}), 3);
  EXPECT_EQ(calls_with({ErrorCode::gpu_memory, "too large", ""}), 3);
  EXPECT_EQ(calls_with({ErrorCode::invalid, "wrong", ""}), 1);
  EXPECT_EQ(calls_with(Error{ErrorCode::invalid, "wrong", ""}.recoverable(true)), 3);
  EXPECT_EQ(calls_with(Error{ErrorCode::busy, "full", ""}.recoverable(false)), 1);

  calls = 0;
  const auto last = retry({.clock = clock.steady()}, [&]() -> Result<int> {
    return fail(++calls == 1 ? ErrorCode::busy : ErrorCode::invalid, "no");
  });
  EXPECT_EQ(last.error().context(), (ErrorContext{{"attempts", "2"}}));
}

}  // namespace
}  // namespace almanac::test
