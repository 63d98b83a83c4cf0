// What an engine is made of. Seen by what implements its public door (engine.h).
#pragma once

#include <almanac/engine/engine.h>

#include <almanac/engine/advisor.h>
#include <almanac/engine/attempts.h>
#include <almanac/engine/backup_runner.h>
#include <almanac/engine/circuit_board.h>
#include <almanac/engine/core.h>
#include <almanac/engine/gpu_watch.h>
#include <almanac/engine/guard.h>
#include <almanac/engine/healer.h>
#include <almanac/engine/inline_projections.h>
#include <almanac/engine/loop.h>
#include <almanac/engine/mailbox.h>
#include <almanac/engine/memory_index.h>
#include <almanac/engine/model_runner.h>
#include <almanac/engine/published.h>
#include <almanac/engine/submission.h>
#include <almanac/engine/user_contexts.h>
#include <almanac/snapshots/checkpointer.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace almanac {

// In the order in which they are made; they go in the opposite one.
struct Engine::Parts {
  using Call = std::function<void(Core&)>;
  // Signs of life of workers elsewhere, and where their answer goes.
  struct Heartbeat {
    std::vector<HeldLease> leases;
    std::function<void(Result<std::vector<LeaseStatus>>)> done;
  };
  using Item = std::variant<std::unique_ptr<Submission>, Heartbeat, Call, CommitReport>;

  Parts(EngineOptions from, Guard started)
      : options(std::move(from)),
        guard(std::move(started)),
        loop({.on_wake = [this] { wake(false); },
              .on_timer = [this] { wake(true); },
              .on_signal =
                  [this](int) {
                    stopping = true;
                    core->stop(std::exchange(signalled, true));
                  }}),
        mailbox(limits::mailbox_commands_max, [this] { loop.wake(); }) {}

  Result<void> assemble(std::unique_ptr<Log> opened, State state);
  // These are durable.
  void released(const State& after, std::span<const RecordedEvent> events);
  [[nodiscard]] Result<void> start_advisor();
  [[nodiscard]] Result<void> open_contexts();
  void start_checkpoints(Position newest);
  void start_gpu_watch();
  void prepare_models();
  void wake(bool is_due);
  void take(std::vector<Item> items, bool is_due);
  void tell(const std::string& pool, const PoolEvent& event);
  void run();
  // Why the mailbox has not taken something.
  [[nodiscard]] Error refusal() const;
  void tell(Command command, std::function<void(Result<Answer>)> done);
  [[nodiscard]] Result<Answer> ask(Command command);
  // Errors: refused (this is the loop's thread, which would wait for itself).
  [[nodiscard]] Result<void> check_may_wait() const;

  EngineOptions options;
  Guard guard;
  Loop loop;
  Mailbox<Item> mailbox;
  std::unique_ptr<Log> log;
  std::optional<CoreLog> core_log;
  InlineProjections projections;
  std::optional<Published> published;
  std::optional<UserContexts> contexts;
  std::optional<MemoryIndex> memories;
  std::optional<Attempts> attempts;
  std::optional<BackupRunner> backups;
  std::optional<Healer> healer;
  std::optional<CircuitBoard> circuits;
  std::unique_ptr<Advisor> advisor;
  std::optional<Core> core;
  std::optional<Checkpointer> checkpointer;
  std::optional<ModelRunner> models;
  std::optional<GpuWatch> gpu_watch;
  bool signalled = false;  // of the loop's thread
  std::atomic<bool> stopping = false;
  std::atomic<std::thread::id> loop_thread;  // none before it has begun
  std::thread thread;
};

}  // namespace almanac
