// A program that uses models, and a smaller one where there is no room for the large one. With a
// size in GiB the large one takes that much; its models take nothing, they only say so.
#include <almanac/engine/engine.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

constexpr std::uint64_t gib = std::uint64_t{1} << 30U;

int fail(const almanac::Error& error) {
  std::fprintf(stderr, "model: %s\n", almanac::describe(error).c_str());
  return 1;
}

// [functions]
almanac::Result<void> load(const almanac::ModelJob& job) {
  std::printf("loading %s\n", job.model.c_str());
  return {};  // or an error, which whoever waits is told
}

almanac::Result<void> unload(const almanac::ModelJob& job) {
  std::printf("unloading %s\n", job.model.c_str());
  return {};
}
// [functions]

// [register]
almanac::Result<void> register_models(almanac::Engine& engine, std::uint64_t large) {
  if (auto done = engine.register_model({.name = "large",
                                         .bytes = large,
                                         .alternative = "small",
                                         .on_load = load,
                                         .on_unload = unload});
      !done) {
    return done;
  }
  return engine.register_model(
      {.name = "small", .bytes = gib / 4, .on_load = load, .on_unload = unload});
}
// [register]

}  // namespace

int main(int count, char** words) {
  const std::uint64_t large = gib * (count > 1 ? std::strtoull(words[1], nullptr, 10) : 4);
  auto engine = almanac::Engine::open({.folder = "model", .gpu_watch = almanac::GpuWatchOptions()});
  if (!engine) return fail(engine.error());
  if (auto done = register_models(**engine, large); !done) return fail(done.error());
  // [use]
  const auto lease = (*engine)->use_model("large", {.timeout = std::chrono::seconds(30)});
  if (!lease) return fail(lease.error());  // it says what is missing
  std::printf("using %s\n", lease->model().c_str());
  // [use]
  return 0;  // what the lease is of may go from here on
}
