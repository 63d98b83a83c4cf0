// GPUs that are what a test says, while the program runs: the tests' own Vulkan driver
// (tests/gpu_driver), which the real loader loads.
#pragma once

#include <almanac/tests/support/temp_folder.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace almanac::test {

struct ScriptedHeap {
  std::uint64_t size = 0;
  std::uint64_t own = 0;
  std::uint64_t budget = 0;
  bool is_local = true;
};

struct ScriptedGpu {
  int number = 1;  // the first byte of its identity
  std::string name = "Scripted";
  int kind = 2;  // as VkPhysicalDeviceType: a discrete one
  bool has_budget = true;
  bool is_lost = false;
  std::vector<ScriptedHeap> heaps;

  [[nodiscard]] std::string identity() const;
};

// From its making on, the loader of this process finds this driver and no other.
class ScriptedGpus {
 public:
  ScriptedGpus();
  // From now on these are there.
  void set(const std::vector<ScriptedGpu>& gpus) { write(0, gpus); }
  // The question for them is answered by this VkResult.
  void fail(int result) { write(result, {}); }
  // For a process of its own.
  [[nodiscard]] const std::map<std::string, std::string>& environment() const {
    return environment_;
  }

 private:
  void write(int result, const std::vector<ScriptedGpu>& gpus) const;

  TempFolder folder_;
  std::map<std::string, std::string> environment_;
};

// The manifest of Mesa's software driver; empty where that is not installed.
[[nodiscard]] std::string mesa_driver();
// What makes the loader find only that driver.
[[nodiscard]] std::map<std::string, std::string> loader_environment(const std::string& manifest);

}  // namespace almanac::test
