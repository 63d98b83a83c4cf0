// A program that is told what happens to its GPUs. With a number of seconds it watches that long.
#include <almanac/engine/engine.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

int fail(const almanac::Error& error) {
  std::fprintf(stderr, "gpu: %s\n", almanac::describe(error).c_str());
  return 1;
}

std::string gib(std::uint64_t bytes) {
  return std::to_string(bytes / (std::uint64_t{1} << 30U)) + " GiB";
}

// [changes]
void tell(const almanac::GpuChange& change) {
  using Kind = almanac::GpuChange::Kind;
  if (change.kind == Kind::appeared) std::printf("%s is there\n", change.name.c_str());
  if (change.kind == Kind::vanished) {
    std::printf("%s is gone: %s\n", change.name.c_str(), name(change.presence).data());
  }
  if (change.kind == Kind::alert_raised) {
    std::printf("%s: %s, %s of %s used, %s of it by others\n", change.name.c_str(),
                name(change.level).data(), gib(change.memory.used()).c_str(),
                gib(change.memory.size).c_str(), gib(change.memory.others()).c_str());
  }
}
// [changes]

}  // namespace

int main(int count, char** words) {
  const std::chrono::seconds wait(count > 1 ? std::atoi(words[1]) : 1);
  // [open]
  auto engine = almanac::Engine::open(
      {.folder = "gpu",
       .gpu_watch = almanac::GpuWatchOptions{.setting = {.warning_percent = 70}},
       .on_gpu = tell});
  if (!engine) return fail(engine.error());
  // [open]
  const auto knows_one = [](const almanac::State& state) { return !state.gpu.heaps.empty(); };
  if (!(*engine)->wait(knows_one, wait)) std::puts("no GPU is known");
  (*engine)->stop();
  (*engine)->wait_until_stopped();  // from here on tell() is not called any more
  // [read]
  const auto state = (*engine)->state();
  for (const auto& [key, heap] : state->gpu.heaps) {
    std::printf("%s heap %u: %.0f%% used, %s free\n",
                std::string(state->names.text(key.device)).c_str(), key.heap,
                100 * heap.memory.utilisation(), gib(heap.memory.available()).c_str());
  }
  // [read]
  return 0;
}
