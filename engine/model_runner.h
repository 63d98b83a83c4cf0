// Loads and unloads models beside the engine: looks at what is on record, at what GPUs have left
// and at who waits, and takes the next step of each model. Every step is on record before it is
// taken.
#pragma once

#include <almanac/engine/command.h>
#include <almanac/engine/model_jobs.h>
#include <almanac/engine/model_plan.h>
#include <almanac/engine/model_table.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace almanac {

// Owned by the engine. One thread decides; each load and unload has one of its own. All functions
// may be called from any thread.
class ModelRunner {
 public:
  struct Surroundings {
    std::function<Time()> clock;
    std::function<std::shared_ptr<const State>()> state;  // as published
    std::function<void(Command, std::function<void(Result<Answer>)>)> tell;
    std::function<void(Command)> report;  // without an answer; always taken
    std::function<void()> look;           // at the GPUs, now
    ModelPlace place;
    GpuSetting gpus = {};
    std::function<SteadyTime()> steady_clock = steady_time;
    BeginModelWork begin_work = almanac::begin_work;
  };
  ModelRunner(Surroundings surroundings, const ModelOptions& options);
  ~ModelRunner() { end(); }
  ModelRunner(const ModelRunner&) = delete;
  ModelRunner& operator=(const ModelRunner&) = delete;

  // From now on: there are GPUs to look at.
  void start();
  // One look at everything; answers when the next one is due, if nothing happens before. What the
  // thread does: to be called only where it is not started.
  std::optional<SteadyTime> take_steps();
  // Whether something has happened since this was asked last, which is what the thread waits for.
  [[nodiscard]] bool take_news();
  // Of this one, from now on.
  void set_functions(const ModelSpec& model);
  // Answered at once, on this thread, where it is there; else when it is, on the runner's.
  void use(ModelWaiter waiter);
  [[nodiscard]] std::vector<ModelStatus> status() const;

  // What a look has shown, and what has become durable.
  void saw(const GpuReading& reading);
  void saw(std::span<const RecordedEvent> events);
  // What tasks want has changed.
  void wake();
  // Puts on record what was used since it was last put there.
  void flush();
  // Nobody is served any more, and what goes on is told to end.
  void stop();
  // The same, and waits for that.
  void end();

 private:
  struct Said {
    std::string model;
    ModelStep step;
  };
  struct Round;
  void run(const std::stop_token& stop);
  [[nodiscard]] Round begin_round() const;
  void see_models(Round& round);
  void follow(Round& round, const Model& model, ModelEntry& entry) const;
  void step(Round& round, NameId id, const Model& model, ModelEntry& entry);
  void load_or_unload(Round& round, NameId id, const Model& model, ModelEntry& entry);
  [[nodiscard]] bool begin(Round& round, NameId id, const Model& model, ModelEntry& entry);
  static void measure(const Round& round, const Model& model, ModelEntry& entry);
  void settle(Round& round, NameId id, const Model& model, ModelEntry& entry) const;
  void release(Round& round, NameId id, const Model& model, ModelEntry& entry) const;
  void find_out(Round& round, NameId id, const Model& model, ModelEntry& entry);
  void relieve(Round& round);
  void serve(Round& round);
  void serve_tasks(Round& round);
  // Whether it is answered.
  [[nodiscard]] bool serve(Round& round, ModelWaiter& waiter);
  [[nodiscard]] bool serve_unload(Round& round, const ModelWaiter& waiter, NameId id,
                                  const Model& model, ModelEntry& entry);
  // Why it has to wait. Hopeless: as things are, it would wait for what nobody has promised.
  [[nodiscard]] std::string admit(Round& round, const ModelWaiter& waiter, NameId id,
                                  const Model& model, ModelEntry& entry, bool& is_hopeless);
  [[nodiscard]] bool degrade(const Round& round, ModelWaiter& waiter, const Model& model,
                             const std::string& reason) const;
  void say(Round& round, NameId id, const Model& model, ModelEntry& entry, ModelStep step) const;
  void tell(Said said);
  [[nodiscard]] std::vector<ReportModel> take_uses();
  [[nodiscard]] bool is_time_to_look(Round& round);

  const Surroundings surroundings_;
  const ModelOptions options_;
  const std::shared_ptr<ModelTable> table_;
  // Guarded by the table's mutex.
  GpuReading seen_;
  std::uint64_t looks_ = 0;
  SteadyTime uses_told_;
  SteadyTime looked_;
  std::once_flag started_;
  std::jthread thread_;  // the last: it ends before what it uses
};

}  // namespace almanac
