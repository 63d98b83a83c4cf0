// One life of an engine: the real core and the real bookkeeping of attempts, over a simulated disk,
// clock, timer, workers and backups. What Engine::Parts does with threads happens here in order.
#pragma once

#include <almanac/engine/circuit_board.h>
#include <almanac/engine/core.h>
#include <almanac/tests/simulation/oracle.h>
#include <almanac/tests/simulation/simulated_gpus.h>
#include <almanac/tests/simulation/simulated_log.h>
#include <almanac/tests/simulation/simulated_models.h>

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace almanac::test {

// What outlives an engine.
struct SimulatedMachine {
  Draw& draw;
  Agenda& agenda;
  Faults& faults;
  Coverage& coverage;
  Oracle& oracle;
  SimulatedDisk& disk;
  SimulatedGpus& gpus;
  SimulatedGpuSettings gpu_settings;
  std::function<Time()> clock;
  TaskRetention retention;
};

// Workers that end well or badly, early or late, twice or never.
class SimulatedWorkers {
 public:
  using Report = std::function<void(Command)>;
  SimulatedWorkers(SimulatedMachine& machine, Report report)
      : machine_(machine), report_(std::move(report)) {}

  void start(const WorkerJob& job);
  // Those that hang go on.
  void release();
  // What has not ended, for reports that come too late.
  [[nodiscard]] const std::map<Lease, WorkerJob>& running() const { return running_; }

 private:
  void use_gpus(const WorkerJob& job);
  void run(const WorkerJob& job, Duration takes);
  void end(Lease lease);
  [[nodiscard]] AttemptOutcome draw_outcome(const WorkerJob& job);

  SimulatedMachine& machine_;
  const Report report_;
  std::map<Lease, WorkerJob> running_;
  std::set<Lease> hanging_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>();
};

class SimulatedBackups final : public BackupPort {
 public:
  using Report = std::function<void(FinishBackup)>;
  SimulatedBackups(SimulatedMachine& machine, Report report)
      : machine_(machine), report_(std::move(report)) {}

  void begin(const BeginBackup& run) override;
  void stop() override;

 private:
  void end(FinishBackup::Outcome outcome);

  SimulatedMachine& machine_;
  const Report report_;
  std::optional<BeginBackup> running_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>();
};

class SimulatedEngine {
 public:
  SimulatedEngine(SimulatedMachine& machine, State recovered, std::uint32_t slots);
  ~SimulatedEngine();
  SimulatedEngine(const SimulatedEngine&) = delete;
  SimulatedEngine& operator=(const SimulatedEngine&) = delete;

  using Done = std::function<void(Result<Answer>)>;
  // `done` is not called when the engine dies first.
  void tell(Command command, Done done);
  void heartbeat(HeldLease lease, std::function<void(LeaseStatus)> done);
  // By one handler or by two implementations, of all versions or some, as is drawn.
  void handle(std::string kind);
  [[nodiscard]] bool begun() const { return begun_; }
  void stop(bool at_once);
  // As by SIGKILL: the last call but the destructor.
  void crash() { log_.crash(); }
  [[nodiscard]] SimulatedWorkers& workers() { return workers_; }
  // None where there are no GPUs.
  [[nodiscard]] SimulatedModels* models() { return models_.get(); }
  std::function<void()> on_begin;  // the log says that it runs
  std::function<void()> on_end;    // behind its last turn

 private:
  using Call = std::function<void(Core&)>;
  using Item = std::variant<std::unique_ptr<Submission>, Call, CommitReport>;
  struct Timer final : LoopPort {
    explicit Timer(SimulatedEngine& from) : engine(from) {}
    void stop() override { ended = true; }
    void arm(Duration wait) override;
    void disarm() override { ++armed; }
    SimulatedEngine& engine;
    std::uint64_t armed = 0;  // how often: what was armed before is void
    bool ended = false;
  };

  void put(Item item);
  void post(Command command) { put(std::make_unique<Submission>(std::move(command), nullptr)); }
  void wake();
  void turn(std::vector<std::unique_ptr<Submission>> submissions);
  void look();
  void close();
  void watch_gpus();

  SimulatedMachine& machine_;
  SimulatedLog log_;
  Timer timer_{*this};
  SimulatedWorkers workers_;
  SimulatedBackups backups_;
  Published published_;
  InlineProjections projections_;
  Attempts attempts_;
  CircuitBoard circuits_;
  Core core_;
  std::vector<Item> mailbox_;
  bool stopping_ = false;
  bool begun_ = false;
  Time turned_;  // the time of the last turn
  std::shared_ptr<bool> alive_ = std::make_shared<bool>();
  std::unique_ptr<SimulatedModels> models_;
};

}  // namespace almanac::test
