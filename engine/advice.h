// What an advisor is asked, and what it answers: which of the ready tasks should begin first. Pure.
//
//   {"rank":7,"tasks":[{"id":12,"kind":"render","queue":"web","priority":5,"urgency":105,
//                       "age_ms":1500,"deadline_ms":60000,"label":"…"}, …]}
//   {"rank":7,"order":[14,12],"scores":[0.9,0.4]}
//
// The tasks are in the built-in order. The answer repeats the number of the request and names any
// of the tasks, the first to begin first; those it does not name stay behind them, in the built-in
// order. Scores may be left out; there is one for each task named, and none is above the one in
// front of it. docs/guides/advisors.md says what each field is.
#pragma once

#include <almanac/log/events/advisor.h>
#include <almanac/log/types.h>
#include <almanac/projections/state.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

struct AdviceQuestion {
  std::uint64_t number = 0;
  std::vector<TaskId> tasks;  // in the built-in order
  std::string json;
};

struct QuestionOptions {
  std::uint64_t number = 1;  // above those before it
  Time now;
  std::size_t tasks_max = 100;
  // Reads how a task was submitted, which is in the log.
  std::function<void(const Task&, const std::function<void(const TaskEnqueued&)>&)> read;
};

// About the first of the ready tasks; about none where there are none. Costs what recommend() does
// and one reading of each.
[[nodiscard]] AdviceQuestion question_about(const State& state, const QuestionOptions& options);
// About three tasks that do not exist: whether an advisor answers as it should.
[[nodiscard]] AdviceQuestion sample_question(std::uint64_t number);

struct AdviceAnswer {
  std::vector<TaskId> order;
  std::vector<double> scores;  // none, or one for each
};

// Why there is no answer, or none that is of use.
struct AdviceFailure {
  AdvisorFault fault = AdvisorFault::unavailable;
  std::string evidence;  // a sentence
};

[[nodiscard]] std::expected<AdviceAnswer, AdviceFailure> read_answer(
    std::string_view json, const AdviceQuestion& question);

}  // namespace almanac
