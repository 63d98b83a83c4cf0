#include <almanac/engine/model_jobs.h>

#include <almanac/engine/component_command.h>
#include <almanac/log/this_thread.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <string_view>
#include <utility>

namespace almanac {
namespace {

std::string last_line(std::string_view output) {
  while (output.ends_with('\n')) output.remove_suffix(1);
  return std::string(output.substr(output.rfind('\n') + 1));
}

Result<void> run_model_command(const std::vector<std::string>& command, const ModelJob& job,
                               Duration timeout, const ModelPlace& place) {
  CommandRun surroundings{.folder = place.folder,
                          .timeout = timeout,
                          .stop = job.stop,
                          .environment = place.environment,
                          .guard_socket = place.guard_socket};
  surroundings.environment.push_back("ALMANAC_MODEL=" + job.model);
  surroundings.environment.push_back("ALMANAC_GPU=" + job.gpu);
  surroundings.environment.push_back("ALMANAC_BYTES=" + std::to_string(job.bytes));
  const CommandEnd end = run(command, surroundings);
  if (end.succeeded() && !end.timed_out && !end.stopped) return {};
  const std::string said = last_line(end.output);
  return fail(ErrorCode::model_loading, describe(end) + (said.empty() ? "" : ": " + said),
              "see what its command says");
}

// What the program's function throws is caught where it is called.
Result<void> call_model_function(const std::function<Result<void>(const ModelJob&)>& function,
                                 const ModelJob& job) {
  if (!function) {
    return fail(ErrorCode::model_loading, "this program has not said how",
                "register the model again");
  }
  try {
    return function(job);
  } catch (const std::exception& thrown) {
    return fail(ErrorCode::model_loading, std::string("it has thrown: ") + thrown.what());
  } catch (...) {
    return fail(ErrorCode::model_loading, "it has thrown");
  }
}

}  // namespace

void begin_work(const std::shared_ptr<ModelTable>& table, ModelEntry& entry, ModelWork::Kind kind,
                const ModelJob& job, const Model& model, const ModelPlace& place) {
  entry.work = std::make_unique<ModelWork>();
  ModelWork* work = entry.work.get();
  work->kind = kind;
  const ModelCommands commands = commands_in(model.setting.commands.view());
  const auto& command = kind == ModelWork::Kind::load     ? commands.load
                        : kind == ModelWork::Kind::unload ? commands.unload
                                                          : commands.check;
  const auto& function = kind == ModelWork::Kind::load ? entry.on_load : entry.on_unload;
  // The work outlives its thread.
  work->thread =
      std::jthread([table, work, job, command, function, place, timeout = model.setting.timeout] {
        this_thread::set_name("almanac-load");
        ModelJob own = job;
        own.stop = work->stop.get_token();
        const auto began = std::chrono::steady_clock::now();
        auto result = command.empty() ? call_model_function(function, own)
                                      : run_model_command(command, own, timeout, place);
        const std::lock_guard lock(table->mutex);
        work->took = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - began);
        work->result = std::move(result);
        table->wake();
      });
}

}  // namespace almanac
