// What commands ask of the engine of a folder: of one that is opened for it and only takes what it
// is asked for, or, where a daemon runs there, of that. The answers are the same.
#pragma once

#include <almanac/engine/command.h>
#include <almanac/engine/context_spec.h>
#include <almanac/log/error.h>
#include <almanac/log/trim.h>
#include <almanac/projections/state.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace almanac {

struct ContextRequest {
  std::string user;
  ContextChanges changes;
  std::optional<Position> expected = {};
};

// Of a trim by an engine, and what of the log a task needs that keeps the rest.
struct TrimAnswer {
  TrimReport report;
  std::size_t carried = 0;
  Position needed;
  TaskId needed_by;  // none = no task keeps it
};

// Owned by who opened it; for one thread. What is answered is on disk. Errors of all: those of the
// Engine's function; stopped and unknown_outcome where a daemon has gone meanwhile.
class Operations {
 public:
  virtual ~Operations() = default;
  // Those that command_request() knows.
  [[nodiscard]] virtual Result<Answer> ask(const Command& command) = 0;
  // Closes the group and cancels its tasks; answers how many.
  [[nodiscard]] virtual Result<std::size_t> cancel_group(const std::string& group,
                                                         const std::string& reason) = 0;
  [[nodiscard]] virtual Result<std::vector<MemoryId>> change_memories(
      MemoryTransaction transaction) = 0;
  [[nodiscard]] virtual Result<void> change_context(const ContextRequest& request) = 0;
  [[nodiscard]] virtual Result<void> forget_user(const std::string& user) = 0;
  // Need GPUs: see OperationsOptions.
  [[nodiscard]] virtual Result<void> load_model(const std::string& model,
                                                std::chrono::milliseconds timeout) = 0;
  [[nodiscard]] virtual Result<void> unload_model(const std::string& model,
                                                  std::chrono::milliseconds timeout) = 0;
  [[nodiscard]] virtual Result<TrimAnswer> trim(const TrimOptions& options) = 0;
  // With what was asked for.
  [[nodiscard]] virtual Result<std::shared_ptr<const State>> state() = 0;
};

struct OperationsOptions {
  bool watches_gpus = false;  // an engine that is opened; a daemon does as it is configured
};

// The folder becomes a log where it is none. Errors: those of Engine::open; conflict (something
// holds the log that is no daemon, or does not answer).
[[nodiscard]] Result<std::unique_ptr<Operations>> open_operations(
    const std::filesystem::path& folder, OperationsOptions options = {});

// For a command that asks for one thing. Errors: those of open_operations() and ask().
[[nodiscard]] Result<Answer> ask_once(const std::filesystem::path& folder, const Command& command);

}  // namespace almanac
