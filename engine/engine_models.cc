// What the engine is asked about models.
#include <almanac/engine/engine_parts.h>

#include <future>
#include <memory>
#include <utility>

namespace almanac {
namespace {

Error unwatched_gpus() {
  return {ErrorCode::refused, "an engine that does not watch GPUs loads no models",
          "set engine.gpu_watch in the daemon's file, or EngineOptions::gpu_watch"};
}

}  // namespace

Result<void> Engine::register_model(ModelSpec model) {
  if (auto checked = check(model); !checked) return checked;
  parts_->models->set_functions(model);
  return ask_without_answer(RegisterModel{std::move(model)});
}

Result<void> Engine::change_model(std::string model, std::optional<bool> is_pinned,
                                  std::optional<std::int32_t> priority) {
  return ask_without_answer(ChangeModel{std::move(model), is_pinned, priority});
}

Result<void> Engine::remove_model(std::string model) {
  return ask_without_answer(RemoveModel{std::move(model)});
}

void Engine::use_model(std::string model, ModelUseOptions options,
                       std::function<void(Result<ModelLease>)> done) {
  if (!parts_->gpu_watch) return done(std::unexpected(unwatched_gpus()));
  parts_->models->use({.wanted = model,
                       .model = model,
                       .reason = {},
                       .until = steady_time() + options.timeout,
                       .may_degrade = options.may_degrade,
                       .done = std::move(done)});
}

Result<ModelLease> Engine::use_model(std::string model, ModelUseOptions options) {
  if (auto checked = parts_->check_may_wait(); !checked) return std::unexpected(checked.error());
  auto answer = std::make_shared<std::promise<Result<ModelLease>>>();
  auto future = answer->get_future();
  use_model(std::move(model), options,
            [answer](Result<ModelLease> lease) { answer->set_value(std::move(lease)); });
  return future.get();
}

Result<void> Engine::unload_model(std::string model, std::chrono::milliseconds timeout) {
  if (auto checked = parts_->check_may_wait(); !checked) return checked;
  if (!parts_->gpu_watch) return std::unexpected(unwatched_gpus());
  auto answer = std::make_shared<std::promise<Result<ModelLease>>>();
  auto future = answer->get_future();
  parts_->models->use(
      {.wanted = model,
       .model = model,
       .reason = {},
       .until = steady_time() + timeout,
       .unloads = true,
       .done = [answer](Result<ModelLease> gone) { answer->set_value(std::move(gone)); }});
  auto gone = future.get();
  if (!gone) return std::unexpected(gone.error());
  return {};
}

std::vector<ModelStatus> Engine::models() const { return parts_->models->status(); }

}  // namespace almanac
