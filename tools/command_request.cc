#include <almanac/tools/command_request.h>

#include <almanac/tools/json_fields.h>
#include <almanac/tools/running_daemon.h>
#include <almanac/tools/setting_json.h>
#include <almanac/tools/state_json.h>
#include <almanac/tools/task_request_json.h>

#include <fmt/core.h>

#include <utility>

namespace almanac {

using nlohmann::ordered_json;

namespace {

std::string_view verb_of(TaskChange change) {
  switch (change) {
    case TaskChange::cancel: return "cancel";
    case TaskChange::retry: return "retry";
    case TaskChange::pause: return "pause";
    case TaskChange::resume: return "resume";
    case TaskChange::hasten: return "hasten";
    case TaskChange::forget: return "forget";
  }
  return {};
}

ordered_json task_numbers(const std::vector<TaskId>& ids) {
  ordered_json numbers = ordered_json::array();
  for (const TaskId id : ids) numbers.push_back(id.value);
  return numbers;
}

ordered_json with_reason(ordered_json json, const std::string& reason) {
  if (!reason.empty()) json["reason"] = reason;
  return json;
}

// One for each command that can be asked for so.
class RequestOf {
 public:
  using Made = Result<CommandRequest>;

  Made operator()(const EnqueueTasks& asked) const {
    ALMANAC_CHECK(asked.tasks.size() == 1);
    auto json = task_request_json(asked.tasks.front());
    if (!json) return std::unexpected(json.error());
    return CommandRequest{"POST", "/v1/tasks", std::move(*json)};
  }
  Made operator()(const ChangeTasks& asked) const {
    ordered_json json{{"tasks", task_numbers(asked.ids)}};
    if (asked.skips) json["skip"] = true;
    return CommandRequest{"POST", fmt::format("/v1/tasks/{}", verb_of(asked.change)),
                          with_reason(std::move(json), asked.reason)};
  }
  Made operator()(const ReviewTasks& asked) const {
    return CommandRequest{"POST",
                          "/v1/reviews",
                          {{"tasks", task_numbers(asked.ids)}, {"decision", name(asked.decision)}}};
  }
  Made operator()(const PauseWork& asked) const {
    return CommandRequest{
        "POST", fmt::format("/v1/{}s/{}/{}", name(asked.scope), encode_segment(asked.name),
                            asked.pause ? "pause" : "resume")};
  }
  Made operator()(const ConfigureQueue& asked) const {
    return CommandRequest{"PUT", "/v1/queues/" + encode_segment(asked.queue),
                          queue_setting_json(asked)};
  }
  Made operator()(const ConfigureLimit& asked) const {
    const std::string path = "/v1/limits/" + encode_segment(asked.name);
    if (!asked.setting.is_set()) return CommandRequest{"DELETE", path};
    return CommandRequest{"PUT", path, limit_setting_json(asked.setting)};
  }
  Made operator()(const ConfigureCircuit& asked) const {
    const auto path = fmt::format("/v1/circuits/{}/setting", encode_segment(asked.service));
    if (asked.setting.probes == 0) return CommandRequest{"DELETE", path};
    return CommandRequest{"PUT", path, circuit_setting_json(asked.setting)};
  }
  Made operator()(const ForceCircuit& asked) const {
    return CommandRequest{"POST",
                          fmt::format("/v1/circuits/{}/force", encode_segment(asked.service)),
                          with_reason({{"to", name(asked.to)}}, asked.reason)};
  }
  Made operator()(const OpenGroup& asked) const {
    return CommandRequest{"PUT", "/v1/groups/" + encode_segment(asked.name)};
  }
  Made operator()(const CloseGroup& asked) const {
    return CommandRequest{"POST", fmt::format("/v1/groups/{}/close", encode_segment(asked.name))};
  }
  Made operator()(const DefineSchedule& asked) const {
    auto task = task_request_json(asked.schedule.task);
    if (!task) return std::unexpected(task.error());
    ordered_json json = schedule_setting_json(asked.schedule);
    json["enqueues"] = std::move(*task);
    return CommandRequest{"PUT", "/v1/schedules/" + encode_segment(asked.schedule.name),
                          std::move(json)};
  }
  Made operator()(const ChangeSchedule& asked) const {
    const std::string path = "/v1/schedules/" + encode_segment(asked.name);
    if (asked.change == ScheduleChange::remove) return CommandRequest{"DELETE", path};
    if (asked.change == ScheduleChange::resume) return CommandRequest{"POST", path + "/resume"};
    return CommandRequest{"POST", path + "/pause",
                          with_reason(ordered_json::object(), asked.reason)};
  }
  Made operator()(const RegisterModel& asked) const {
    return CommandRequest{"PUT", "/v1/models/" + encode_segment(asked.model.name),
                          model_setting_json(asked.model)};
  }
  Made operator()(const ChangeModel& asked) const {
    ordered_json json = ordered_json::object();
    if (asked.is_pinned) json["pinned"] = *asked.is_pinned;
    if (asked.priority) json["priority"] = *asked.priority;
    return CommandRequest{"POST", fmt::format("/v1/models/{}/change", encode_segment(asked.model)),
                          std::move(json)};
  }
  Made operator()(const RemoveModel& asked) const {
    return CommandRequest{"DELETE", "/v1/models/" + encode_segment(asked.model)};
  }
  template <class Other>
  Made operator()(const Other&) const {
    ALMANAC_CHECK(!"this command has no request");
    return CommandRequest{};
  }
};

std::optional<SubmitOutcome> submit_outcome_of(const std::string& word) {
  if (word == "enqueued") return SubmitOutcome::enqueued;
  if (word == "same_key") return SubmitOutcome::same_key;
  if (word == "existing") return SubmitOutcome::existing;
  if (word == "skipped") return SubmitOutcome::skipped;
  return std::nullopt;
}

}  // namespace

std::string encode_segment(std::string_view text) {
  constexpr std::string_view plain = "-._~";
  std::string encoded;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || plain.find(c) != plain.npos;
    if (is_plain) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

Result<CommandRequest> command_request(const Command& command) {
  return std::visit(RequestOf(), command);
}

Result<Answer> command_answer(const Command& command, const ordered_json& json) {
  JsonFields fields(json);
  if (std::holds_alternative<EnqueueTasks>(command)) {
    std::optional<std::uint64_t> id;
    std::uint64_t replaced = 0;
    std::string outcome_word;
    fields.number("id", id, {.min = 1});
    fields.number("replaced", replaced);
    fields.text("outcome", outcome_word);
    const auto outcome = submit_outcome_of(outcome_word);
    if (!id || !outcome) return answer_without_sense();
    Submitted submitted{TaskId(*id), *outcome};
    submitted.replaced = TaskId(replaced);
    return std::vector<Submitted>{submitted};
  }
  if (std::holds_alternative<ChangeTasks>(command)) {
    std::optional<std::size_t> changed;
    fields.number("changed", changed);
    if (!changed) return answer_without_sense();
    return Changed{*changed};
  }
  return std::monostate();
}

}  // namespace almanac
