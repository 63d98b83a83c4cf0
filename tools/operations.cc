#include <almanac/tools/operations.h>

#include <almanac/tools/daemon_operations.h>
#include <almanac/tools/quiet_engine.h>
#include <almanac/tools/running_daemon.h>

#include <almanac/snapshots/retention.h>

#include <utility>

namespace almanac {
namespace {

Result<Answer> plain(Result<void> done) {
  if (!done) return std::unexpected(std::move(done.error()));
  return std::monostate();
}

// Each command by the engine's function for it.
class AskEngine {
 public:
  explicit AskEngine(Engine& engine) : engine_(engine) {}

  Result<Answer> operator()(const EnqueueTasks& asked) const {
    auto submitted = engine_.submit(asked.tasks);
    if (!submitted) return std::unexpected(submitted.error());
    return std::move(*submitted);
  }
  Result<Answer> operator()(const ChangeTasks& asked) const {
    const auto changed =
        engine_.change(asked.change, asked.ids, asked.reason,
                       asked.skips ? Engine::Conflicts::skip : Engine::Conflicts::refuse);
    if (!changed) return std::unexpected(changed.error());
    return Changed{*changed};
  }
  Result<Answer> operator()(const ReviewTasks& asked) const {
    return plain(engine_.review(asked.ids, asked.decision));
  }
  Result<Answer> operator()(const PauseWork& asked) const {
    return plain(asked.pause ? engine_.pause(asked.scope, asked.name)
                             : engine_.resume(asked.scope, asked.name));
  }
  Result<Answer> operator()(const ConfigureQueue& asked) const {
    return plain(engine_.configure_queue(asked));
  }
  Result<Answer> operator()(const ConfigureLimit& asked) const {
    return plain(engine_.configure_limit(asked.name, asked.setting));
  }
  Result<Answer> operator()(const ConfigureCircuit& asked) const {
    return plain(engine_.configure_circuit(asked.service, asked.setting));
  }
  Result<Answer> operator()(const ForceCircuit& asked) const {
    return plain(engine_.force_circuit(asked.service, asked.to, asked.reason));
  }
  Result<Answer> operator()(const OpenGroup& asked) const {
    return plain(engine_.open_group(asked.name));
  }
  Result<Answer> operator()(const CloseGroup& asked) const {
    return plain(engine_.close_group(asked.name));
  }
  Result<Answer> operator()(const DefineSchedule& asked) const {
    return plain(engine_.define_schedule(asked.schedule));
  }
  Result<Answer> operator()(const ChangeSchedule& asked) const {
    switch (asked.change) {
      case ScheduleChange::pause: return plain(engine_.pause_schedule(asked.name, asked.reason));
      case ScheduleChange::resume: return plain(engine_.resume_schedule(asked.name));
      case ScheduleChange::remove: return plain(engine_.remove_schedule(asked.name));
    }
    return std::monostate();
  }
  Result<Answer> operator()(const RegisterModel& asked) const {
    return plain(engine_.register_model(asked.model));
  }
  Result<Answer> operator()(const ChangeModel& asked) const {
    return plain(engine_.change_model(asked.model, asked.is_pinned, asked.priority));
  }
  Result<Answer> operator()(const RemoveModel& asked) const {
    return plain(engine_.remove_model(asked.model));
  }
  template <class Other>
  Result<Answer> operator()(const Other&) const {
    constexpr bool is_asked_by_a_command = false;
    ALMANAC_CHECK(is_asked_by_a_command);
    return std::monostate();
  }

 private:
  Engine& engine_;
};

class EngineOperations final : public Operations {
 public:
  explicit EngineOperations(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

  Result<Answer> ask(const Command& command) override {
    return std::visit(AskEngine(*engine_), command);
  }
  Result<std::size_t> cancel_group(const std::string& group, const std::string& reason) override {
    return engine_->cancel_group(group, reason);
  }
  Result<std::vector<MemoryId>> change_memories(MemoryTransaction transaction) override {
    return engine_->change_memories(std::move(transaction));
  }
  Result<void> change_context(const ContextRequest& request) override {
    auto changed = engine_->contexts().change(request.user, request.changes, request.expected);
    if (!changed) return std::unexpected(changed.error());
    return {};
  }
  Result<void> forget_user(const std::string& user) override {
    return engine_->contexts().forget(user);
  }
  Result<void> load_model(const std::string& model, std::chrono::milliseconds timeout) override {
    auto lease = engine_->use_model(model, {.timeout = timeout, .may_degrade = false});
    if (!lease) return std::unexpected(lease.error());
    return {};
  }
  Result<void> unload_model(const std::string& model, std::chrono::milliseconds timeout) override {
    return engine_->unload_model(model, timeout);
  }
  Result<TrimAnswer> trim(const TrimOptions& options) override {
    auto report = engine_->trim(options);
    if (!report) return std::unexpected(report.error());
    return trim_answer(*report, *engine_->state());
  }
  Result<std::shared_ptr<const State>> state() override { return engine_->state(); }

 private:
  std::unique_ptr<Engine> engine_;
};

}  // namespace

TrimAnswer trim_answer(const EngineTrimReport& report, const State& state) {
  TrimAnswer answer{.report = report.log, .carried = report.carried};
  if (!report.log.held_by) return answer;
  const NeededEvent needed = first_needed(state);
  if (needed.position != report.log.held_by->next()) return answer;
  answer.needed = needed.position;
  answer.needed_by = needed.task;
  return answer;
}

// The daemon holds the log: only then is it looked for, and nothing that one left behind misleads.
Result<std::unique_ptr<Operations>> open_operations(const std::filesystem::path& folder,
                                                    OperationsOptions options) {
  auto engine = open_quietly(folder, options.watches_gpus);
  if (engine) return std::make_unique<EngineOperations>(std::move(*engine));
  if (engine.error().code != ErrorCode::conflict) return std::unexpected(engine.error());
  if (auto daemon = RunningDaemon::find(folder)) {
    return daemon_operations(std::move(*daemon), folder);
  }
  Error error = engine.error();
  error.next_step += "; while `almanac serve` holds it, commands go through that";
  return std::unexpected(std::move(error));
}

Result<Answer> ask_once(const std::filesystem::path& folder, const Command& command) {
  auto operations = open_operations(folder);
  if (!operations) return std::unexpected(operations.error());
  return (*operations)->ask(command);
}

}  // namespace almanac
