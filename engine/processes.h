// The commands that are running: started, listened to, told to stop, and reaped.
#pragma once

#include <almanac/engine/command.h>
#include <almanac/engine/command_spec.h>
#include <almanac/engine/guard.h>
#include <almanac/engine/handler.h>
#include <almanac/engine/loop.h>
#include <almanac/engine/spawn.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace almanac {

struct ProcessOptions {
  std::size_t output_bytes_max = 0;            // kept of each command's output
  std::vector<std::string> environment_allow;  // variables of ours that commands see
};

// Owned by the engine's attempts; used on the loop's thread alone. Its destructor kills what runs.
class Processes {
 public:
  // How a command ended by itself or by a signal; called on the loop's thread.
  using OnEnd = std::function<void(Lease, AttemptOutcome)>;
  Processes(Loop& loop, const Guard& guard, ProcessOptions options, OnEnd on_end);
  ~Processes();
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  struct Start {
    FencingToken token;
    TaskId id;
    std::uint32_t attempt = 0;
    CommandSpec spec;
    std::vector<AttemptModel> models = {};
    std::string dependencies;  // what it is shown of them; empty = it has none
  };
  // Errors: those of spawn(); on_end is then not called.
  [[nodiscard]] Result<void> start(const Start& start);
  // Sends a signal to the command's whole process group; nothing when it has ended.
  void signal(Lease lease, int signal);
  // Kills what commands that have ended left behind outside their group. Costs a look at all
  // processes of the machine, so it is for many of them at once.
  void sweep();
  // Whether a command has ended since the last sweep.
  [[nodiscard]] bool needs_sweep() const { return !ended_.empty(); }

 private:
  struct Process;
  void read_output(Process& process);
  void end(Process& process);

  Loop& loop_;
  const Guard& guard_;
  ProcessOptions options_;
  OnEnd on_end_;
  FileDescriptor null_device_;
  std::vector<std::string> environment_;  // what every command sees
  std::map<Lease, std::unique_ptr<Process>> running_;
  std::vector<pid_t> ended_;  // not reaped: their numbers are still theirs
};

}  // namespace almanac
