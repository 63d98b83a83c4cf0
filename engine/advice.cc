#include <almanac/engine/advice.h>

#include <almanac/engine/recommend.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

namespace almanac {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

std::int64_t milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

bool has_score(QueuePolicy policy) {
  return policy == QueuePolicy::priority || policy == QueuePolicy::urgency;
}

ordered_json candidate(const State& state, const Recommendation& recommended,
                       const QuestionOptions& options) {
  const Task& task = *state.tasks.all.find(recommended.id);
  const TaskTerms& terms = terms_of(state.tasks, recommended.id);
  ordered_json one{{"id", recommended.id.value},
                   {"kind", state.names.text(task.kind)},
                   {"queue", state.names.text(task.queue)},
                   {"priority", task.priority}};
  if (has_score(recommended.policy)) one["urgency"] = recommended.score();
  one["age_ms"] = std::max<std::int64_t>(0, milliseconds(options.now - task.enqueued_at));
  if (recommended.until_deadline) one["deadline_ms"] = milliseconds(*recommended.until_deadline);
  if (terms.estimate > Duration(0)) one["estimate_ms"] = milliseconds(terms.estimate);
  if (terms.owner) one["owner"] = state.names.text(*terms.owner);
  if (!options.read) return one;
  options.read(task, [&](const TaskEnqueued& enqueued) {
    if (!enqueued.label.empty()) one["label"] = enqueued.label;
    for (std::size_t i = 0; i < enqueued.tags.size(); ++i) {
      one["tags"].push_back(enqueued.tags[i]);
    }
  });
  return one;
}

AdviceQuestion question(std::uint64_t number, std::vector<TaskId> tasks, ordered_json candidates) {
  const ordered_json whole{{"rank", number}, {"tasks", std::move(candidates)}};
  return {number, std::move(tasks),
          whole.dump(-1, ' ', false, ordered_json::error_handler_t::replace)};
}

std::unexpected<AdviceFailure> no_use(AdvisorFault fault, std::string evidence) {
  return std::unexpected(AdviceFailure{fault, std::move(evidence)});
}

// A number of a task, or of a request.
std::optional<std::uint64_t> number_in(const json& value) {
  if (!value.is_number_unsigned()) return std::nullopt;
  return value.get<std::uint64_t>();
}

std::expected<std::vector<TaskId>, AdviceFailure> read_order(const json& list,
                                                             const AdviceQuestion& question) {
  if (list.size() > question.tasks.size()) {
    return no_use(AdvisorFault::too_many, "it names " + std::to_string(list.size()) +
                                              " tasks and was asked about " +
                                              std::to_string(question.tasks.size()));
  }
  const std::set<TaskId> asked(question.tasks.begin(), question.tasks.end());
  std::set<TaskId> named;
  std::vector<TaskId> order;
  for (const json& value : list) {
    const auto number = number_in(value);
    if (!number) return no_use(AdvisorFault::malformed, "'order' names what is no task");
    const TaskId id(*number);
    if (!asked.contains(id)) {
      return no_use(AdvisorFault::unknown_task,
                    "it names task " + std::to_string(*number) + ", about which it was not asked");
    }
    if (!named.insert(id).second) {
      return no_use(AdvisorFault::duplicate_task,
                    "it names task " + std::to_string(*number) + " twice");
    }
    order.push_back(id);
  }
  return order;
}

std::expected<std::vector<double>, AdviceFailure> read_scores(const json& list, std::size_t tasks) {
  if (!list.is_array() || list.size() != tasks) {
    return no_use(AdvisorFault::wrong_scores,
                  "'scores' is no list of one number for each task in 'order'");
  }
  std::vector<double> scores;
  for (const json& value : list) {
    if (!value.is_number() || !std::isfinite(value.get<double>())) {
      return no_use(AdvisorFault::wrong_scores, "'scores' has something in it that is no number");
    }
    scores.push_back(value.get<double>());
    if (scores.size() > 1 && scores.back() > scores[scores.size() - 2]) {
      return no_use(AdvisorFault::wrong_scores, "a score is above the one in front of it");
    }
  }
  return scores;
}

}  // namespace

AdviceQuestion question_about(const State& state, const QuestionOptions& options) {
  std::vector<TaskId> tasks;
  ordered_json candidates = ordered_json::array();
  for (const Recommendation& one :
       recommend(state, {.now = options.now, .limit = options.tasks_max})) {
    tasks.push_back(one.id);
    candidates.push_back(candidate(state, one, options));
  }
  return question(options.number, std::move(tasks), std::move(candidates));
}

AdviceQuestion sample_question(std::uint64_t number) {
  const auto task = [](std::uint64_t id, std::int32_t priority, std::int64_t deadline) {
    return ordered_json{{"id", id},
                        {"kind", "sample"},
                        {"queue", "default"},
                        {"priority", priority},
                        {"urgency", 100 + priority},
                        {"age_ms", 1'000},
                        {"deadline_ms", deadline},
                        {"label", "a sample"}};
  };
  return question(number, {TaskId(1), TaskId(2), TaskId(3)},
                  {task(1, 9, 3'600'000), task(2, 5, 600'000), task(3, 0, 60'000)});
}

std::expected<AdviceAnswer, AdviceFailure> read_answer(std::string_view text,
                                                       const AdviceQuestion& question) {
  const json answer = json::parse(text, nullptr, false);
  const auto rank = answer.is_object() ? answer.find("rank") : answer.end();
  const auto list = answer.is_object() ? answer.find("order") : answer.end();
  if (rank == answer.end() || list == answer.end() || !list->is_array()) {
    return no_use(AdvisorFault::malformed, R"(it is not of the shape {"rank":1,"order":[2,3]})");
  }
  const auto number = number_in(*rank);
  if (!number) return no_use(AdvisorFault::malformed, "'rank' is not the number of a request");
  const std::string which = "it answers request " + std::to_string(*number) + " and was asked " +
                            std::to_string(question.number);
  if (*number < question.number) return no_use(AdvisorFault::late, which);
  if (*number > question.number) return no_use(AdvisorFault::wrong_request, which);
  auto order = read_order(*list, question);
  if (!order) return std::unexpected(std::move(order.error()));
  AdviceAnswer read{std::move(*order), {}};
  const auto scores = answer.find("scores");
  if (scores == answer.end()) return read;
  auto numbers = read_scores(*scores, read.order.size());
  if (!numbers) return std::unexpected(std::move(numbers.error()));
  read.scores = std::move(*numbers);
  return read;
}

}  // namespace almanac
