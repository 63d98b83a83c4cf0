// Looks at components and repairs them, on threads of its own beside the engine. What it sees is
// decided like everything else (engine/components.h).
#pragma once

#include <almanac/engine/command.h>
#include <almanac/engine/component_builder.h>
#include <almanac/engine/component_probe.h>
#include <almanac/engine/core_ports.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace almanac {

// Owned by the engine. One thread looks, one after the other and each when it is due; another one
// repairs. Both end with it, and with them what they have started.
class Healer final : public HealerPort {
 public:
  struct Surroundings {
    std::function<Time()> clock;  // called on the thread that looks
    int guard_socket = -1;
    std::function<void(Command)> report;  // takes ReportDiagnosis and FinishRepair, on its threads
    std::function<void(const ComponentSwitch&)> on_switch;  // on the loop's thread; may be none
  };
  Healer(Surroundings surroundings, std::vector<ComponentSpec> components);
  ~Healer() override = default;
  Healer(const Healer&) = delete;
  Healer& operator=(const Healer&) = delete;

  void begin(const BeginRepair& repair) override;
  void check(const CheckComponent& check) override;
  void switched(const ComponentSwitch& change) override;
  void stop() override;

  // Any thread: all of a component, or of all where it is empty, are due at once.
  void check_now(const std::string& component);

 private:
  using Name = std::pair<std::string, std::string>;  // of a component, and its implementation
  struct Known {
    const ComponentSpec* component = nullptr;
    const ComponentImplementation* implementation = nullptr;
  };
  [[nodiscard]] Known find(const Name& name) const;
  [[nodiscard]] CommandRun surroundings_of(const Known& known, Duration timeout,
                                           const std::stop_token& stop) const;
  void look(const std::stop_token& stop);
  void diagnose(const Name& name, const std::stop_token& stop);
  void repair(const BeginRepair& repair, const std::stop_token& stop);

  const Surroundings surroundings_;
  const std::vector<ComponentSpec> components_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<Name, Time> due_;  // guarded by the mutex, as is
  bool has_news_ = false;     // something was added
  std::jthread looking_;      // the last two: they end before what they use
  std::jthread repairing_;
};

}  // namespace almanac
