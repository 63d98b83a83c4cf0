// Asks an advisor which of the ready tasks should begin first, on a thread of its own beside the
// loop, which takes what there is and never waits for it.
//
// An answer is asked for again when something has changed, and before the last one is too old. What
// does not work is tried `attempts_max` times with growing delay; then it has fallen back, and is
// probed, less and less often, until it answers as it should. What an answer is: advice.h.
#pragma once

#include <almanac/engine/advice.h>
#include <almanac/engine/advisor_spec.h>
#include <almanac/engine/core_ports.h>
#include <almanac/engine/json_process.h>
#include <almanac/engine/pool.h>
#include <almanac/log/log.h>

#include <atomic>
#include <condition_variable>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace almanac {

// The processes of an advisor, and one request to one of them after the other.
class AdvisorProcesses {
 public:
  struct Surroundings {
    std::vector<std::string> environment_allow = environment_allow_default();
    std::function<void(const PoolEvent&)> on_event = {};  // as PoolOptions::on_event
  };
  // Errors: those of check(), json_processes() and Pool::open().
  [[nodiscard]] static Result<std::unique_ptr<AdvisorProcesses>> open(const AdvisorSpec& spec,
                                                                      Surroundings surroundings);

  // Waits until all are there and have answered a sample. Errors: those of Pool::warm_up().
  [[nodiscard]] Result<void> warm_up(Duration timeout) { return pool_.warm_up(timeout); }
  // What one answers within the spec's time; one that answers what is of no use is used no more.
  [[nodiscard]] std::expected<AdviceAnswer, AdviceFailure> ask(const AdviceQuestion& question);
  // Any thread: what is asked now ends at once, and nothing is asked from now on.
  void close();

 private:
  AdvisorProcesses(const AdvisorSpec& spec, Pool<JsonProcess> pool)
      : timeout_(spec.timeout), pool_(std::move(pool)) {}

  const Duration timeout_;
  Pool<JsonProcess> pool_;
  std::mutex mutex_;
  bool is_closed_ = false;              // guarded by the mutex, as is
  const JsonProcess* asked_ = nullptr;  // the one that is asked now
};

// The name under which its processes are on record.
[[nodiscard]] std::string pool_of_advisor(const std::string& advisor);

// Owned by the engine.
class Advisor final : public AdvisorPort {
 public:
  // All are called on the advisor's thread, but on_pool_event.
  struct Surroundings {
    std::function<Time()> clock;
    std::function<std::shared_ptr<const State>()> state;  // what is published
    const Log& log;
    std::function<void()> wake;  // the core is to have a turn
    AdvisorProcesses::Surroundings processes;
  };
  // Errors: those of AdvisorProcesses::open().
  [[nodiscard]] static Result<std::unique_ptr<Advisor>> open(Surroundings surroundings,
                                                             AdvisorSpec spec);
  ~Advisor() override;
  Advisor(const Advisor&) = delete;
  Advisor& operator=(const Advisor&) = delete;

  [[nodiscard]] const AdvisorSpec& spec() const override { return spec_; }
  [[nodiscard]] std::shared_ptr<const AdvisorStanding> standing() const override;
  void stop() override;
  // Any thread: something has been published.
  void moved();

 private:
  using Answer = std::expected<AdviceAnswer, AdviceFailure>;
  using MakeQuestion = std::function<AdviceQuestion()>;

  Advisor(Surroundings surroundings, AdvisorSpec spec, std::unique_ptr<AdvisorProcesses> processes);
  void run(const std::stop_token& stop);
  // Until it answers as it should.
  void probe(const std::stop_token& stop);
  // Once there is something to ask about: until an answer is there, or it has fallen back.
  void advise(const std::stop_token& stop);
  [[nodiscard]] Answer ask(const MakeQuestion& make, std::uint32_t attempts_max,
                           const std::stop_token& stop);
  [[nodiscard]] AdviceQuestion question();
  // False when it is to end.
  bool wait_for_work(const std::stop_token& stop);
  void show(AdvisorStanding standing);
  void fall_back(AdviceFailure failure, std::uint32_t attempts);

  const Surroundings surroundings_;
  const AdvisorSpec spec_;
  const std::unique_ptr<AdvisorProcesses> processes_;

  // Of the thread.
  std::uint64_t number_ = 0;  // of the last request
  Duration probe_backoff_;
  SteadyTime asked_at_;  // when the state was taken that the last answer is about

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::shared_ptr<const AdvisorStanding> standing_;  // guarded by the mutex
  std::atomic<bool> has_news_ = false;
  std::jthread thread_;  // the last: it ends before what it uses
};

}  // namespace almanac
