#include <almanac/tools/daemon_operations.h>

#include <almanac/tools/command_request.h>
#include <almanac/tools/json_fields.h>
#include <almanac/tools/memory_request.h>
#include <almanac/tools/moment.h>
#include <almanac/tools/trial.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>

#include <utility>

namespace almanac {

using nlohmann::ordered_json;

namespace {

// Beyond what the daemon itself waits for.
constexpr std::chrono::seconds answer_slack{30};

class DaemonOperations final : public Operations {
 public:
  DaemonOperations(RunningDaemon daemon, std::filesystem::path folder)
      : daemon_(std::move(daemon)), folder_(std::move(folder)) {}

  Result<Answer> ask(const Command& command) override {
    const auto request = command_request(command);
    if (!request) return std::unexpected(request.error());
    auto answer = daemon_.ask(*request);
    if (!answer) return std::unexpected(answer.error());
    return command_answer(command, *answer);
  }
  Result<std::size_t> cancel_group(const std::string& group, const std::string& reason) override {
    auto answer = daemon_.ask(
        {"POST", fmt::format("/v1/groups/{}/cancel", encode_segment(group)), {{"reason", reason}}});
    if (!answer) return std::unexpected(answer.error());
    std::optional<std::size_t> changed;
    JsonFields fields(*answer);
    fields.number("changed", changed);
    if (!changed) return answer_without_sense();
    return *changed;
  }
  Result<std::vector<MemoryId>> change_memories(MemoryTransaction transaction) override {
    auto answer =
        daemon_.ask({"POST", "/v1/memories/change", memory_transaction_json(transaction)});
    if (!answer) return std::unexpected(answer.error());
    const auto listed = answer->is_object() ? answer->find("memories") : answer->end();
    if (listed == answer->end() || !listed->is_array()) return answer_without_sense();
    std::vector<MemoryId> stored;
    for (const auto& id : *listed) {
      if (!id.is_number_unsigned()) return answer_without_sense();
      stored.emplace_back(id.get<std::uint64_t>());
    }
    return stored;
  }
  Result<void> change_context(const ContextRequest& request) override {
    ordered_json body = context_changes_json(request.changes);
    if (request.expected) body["expected"] = request.expected->value;
    return tell({"PUT", "/v1/contexts/" + encode_segment(request.user), std::move(body)});
  }
  Result<void> forget_user(const std::string& user) override {
    return tell({"DELETE", "/v1/contexts/" + encode_segment(user)});
  }
  Result<void> load_model(const std::string& model, std::chrono::milliseconds timeout) override {
    return tell_in_time({"POST", fmt::format("/v1/models/{}/load", encode_segment(model))},
                        timeout);
  }
  Result<void> unload_model(const std::string& model, std::chrono::milliseconds timeout) override {
    return tell_in_time({"POST", fmt::format("/v1/models/{}/unload", encode_segment(model))},
                        timeout);
  }
  Result<TrimAnswer> trim(const TrimOptions& options) override {
    auto answer = daemon_.ask({"POST", "/v1/log/trim", trim_options_json(options)});
    if (!answer) return std::unexpected(answer.error());
    return trim_answer_in(*answer);
  }
  // What was answered is on disk, where it can be read beside the daemon.
  Result<std::shared_ptr<const State>> state() override {
    auto state = read_state(folder_);
    if (!state) return std::unexpected(state.error());
    return std::make_shared<const State>(std::move(*state));
  }

 private:
  Result<void> tell(const CommandRequest& request) const {
    auto answer = daemon_.ask(request);
    if (!answer) return std::unexpected(answer.error());
    return {};
  }
  Result<void> tell_in_time(CommandRequest request, std::chrono::milliseconds timeout) const {
    request.body = {{"timeout", format_duration(timeout)}};
    auto answer =
        daemon_.ask(request, std::chrono::ceil<std::chrono::seconds>(timeout) + answer_slack);
    if (!answer) return std::unexpected(answer.error());
    return {};
  }

  RunningDaemon daemon_;
  std::filesystem::path folder_;
};

}  // namespace

std::unique_ptr<Operations> daemon_operations(RunningDaemon daemon, std::filesystem::path folder) {
  return std::make_unique<DaemonOperations>(std::move(daemon), std::move(folder));
}

ordered_json trim_json(const TrimAnswer& answer) {
  ordered_json json{{"events", answer.report.events},
                    {"bytes", answer.report.bytes},
                    {"first", answer.report.first.value}};
  if (answer.carried > 0) json["carried"] = answer.carried;
  if (answer.report.held_by) json["held_by_checkpoint"] = answer.report.held_by->value;
  if (answer.needed_by) {
    json["held_by_task"] = answer.needed_by.value;
    json["held_at"] = answer.needed.value;
  }
  return json;
}

Result<TrimAnswer> trim_answer_in(const ordered_json& json) {
  TrimAnswer answer;
  std::optional<std::uint64_t> held_by;
  JsonFields fields(json);
  fields.number("events", answer.report.events);
  fields.number("bytes", answer.report.bytes);
  fields.number("first", answer.report.first.value);
  fields.number("carried", answer.carried);
  fields.number("held_by_checkpoint", held_by);
  fields.number("held_by_task", answer.needed_by.value);
  fields.number("held_at", answer.needed.value);
  fields.require("events");
  if (!fields.done()) return answer_without_sense();
  if (held_by) answer.report.held_by = Position(*held_by);
  return answer;
}

ordered_json trim_options_json(const TrimOptions& options) {
  ordered_json json = ordered_json::object();
  if (options.before) json["before"] = options.before->value;
  if (options.older_than) json["older_than"] = format_time(*options.older_than);
  if (options.keep_bytes) json["keep_bytes"] = *options.keep_bytes;
  return json;
}

Result<TrimOptions> trim_options_of(const ordered_json& json, Time now) {
  TrimOptions options;
  std::optional<std::uint64_t> before;
  JsonFields fields(json);
  fields.number("before", before, {.min = 1});
  fields.word("older_than", options.older_than,
              [&](std::string_view text) { return parse_moment(std::string(text), now); });
  fields.number("keep_bytes", options.keep_bytes);
  if (auto done = fields.done(); !done) return std::unexpected(done.error());
  if (before) options.before = Position(*before);
  if (options.before || options.older_than || options.keep_bytes) return options;
  return fail(ErrorCode::invalid, "nothing says how much of the log may go",
              "send before, older_than or keep_bytes");
}

}  // namespace almanac
