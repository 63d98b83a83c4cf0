#include <almanac/tests/support/scripted_gpus.h>

#include <almanac/tests/support/file_bytes.h>

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace almanac::test {

std::string ScriptedGpu::identity() const {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto at = static_cast<std::size_t>(number);
  return std::string{digits[at / 16], digits[at % 16]} + "a1a1a1-a1a1-a1a1-a1a1-a1a1a1a1a1a1";
}

std::map<std::string, std::string> loader_environment(const std::string& manifest) {
  // The last: Mesa's own layer, which is in every program and changes the order of devices.
  return {{"VK_DRIVER_FILES", manifest}, {"VK_ICD_FILENAMES", manifest}, {"NODEVICE_SELECT", "1"}};
}

ScriptedGpus::ScriptedGpus() {
  const auto driver = std::filesystem::absolute(program_path("libalmanac_test_gpu.so"));
  EXPECT_TRUE(std::filesystem::exists(driver)) << driver;
  const auto manifest = folder_ / "driver.json";
  std::ofstream(manifest) << R"({"file_format_version": "1.0.0", "ICD": {"library_path": ")"
                          << driver.string() << R"(", "api_version": "1.1.0"}})";
  environment_ = loader_environment(manifest);
  environment_["ALMANAC_TEST_GPUS"] = folder_ / "gpus";
  for (const auto& [name, value] : environment_) ::setenv(name.c_str(), value.c_str(), 1);
  set({});
}

// A question is answered by the old script or by the new one.
void ScriptedGpus::write(int result, const std::vector<ScriptedGpu>& gpus) const {
  const auto fresh = folder_ / "gpus.new";
  std::ofstream file(fresh);
  file << "enumerate " << result << "\n";
  for (const ScriptedGpu& gpu : gpus) {
    file << "gpu " << gpu.number << ' ' << gpu.kind << (gpu.has_budget ? " budget" : " plain")
         << (gpu.is_lost ? " lost " : " ok ") << gpu.name << "\n";
    for (const ScriptedHeap& heap : gpu.heaps) {
      file << "heap " << heap.size << (heap.is_local ? " local " : " host ") << heap.own << ' '
           << heap.budget << "\n";
    }
  }
  file.close();
  std::filesystem::rename(fresh, folder_ / "gpus");
}

std::string mesa_driver() {
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator("/usr/share/vulkan/icd.d", ignored)) {
    if (entry.path().filename().string().starts_with("lvp_icd")) return entry.path();
  }
  return {};
}

}  // namespace almanac::test
