// Memories: entries that are stored with the end of the task that made them, and found again.
#include <almanac/engine/engine.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace {

int fail(const almanac::Error& error) {
  std::fprintf(stderr, "%s\n", almanac::describe(error).c_str());
  return 1;
}

int sum_up(almanac::Engine& engine) {
  using namespace std::chrono_literals;
  // [consolidate]
  auto summary = engine.consolidate_memories(
      {.kind = "weather", .significance_below = 0.2, .older_than = 24h * 30},
      [](const auto& entries) -> almanac::Result<almanac::MemorySpec> {
        return almanac::MemorySpec{.content = std::to_string(entries.size()) + " days of weather"};
      });
  // [consolidate]
  const bool is_none = !summary && summary.error().code == almanac::ErrorCode::not_found;
  return summary || is_none ? 0 : fail(summary.error());
}

}  // namespace

int main(int argc, char** argv) {
  using namespace std::chrono_literals;
  auto opened = almanac::Engine::open({.folder = argc > 1 ? argv[1] : "remembering"});
  if (!opened) return fail(opened.error());
  almanac::Engine& engine = **opened;

  // [guide]
  auto stored = engine.remember({.kind = "fact",
                                 .user = "ann",
                                 .content = "She likes the sea",
                                 .embedding = {0.1F, 0.9F, 0.2F},
                                 .tags = {"travel"},
                                 .metadata = {{"turn", 3}, {"sure", true}},
                                 .significance = 0.8});
  if (!stored) return fail(stored.error());  // "embedding: number 2 is NaN", …

  // All or nothing, in one append.
  auto changed = engine.change_memories(
      {.store = {{.kind = "fact", .content = "It rains", .time_to_live = 24h}},
       .update = {{.id = *stored, .summary = "the sea", .significance = 0.9}}});
  if (!changed) return fail(changed.error());

  // The most similar first; every property is a filter, and all of them hold together.
  auto hits = engine.search_memories(
      {.embedding = {0, 1, 0}, .kind = "fact", .user = "ann", .tags = {"travel"}});
  if (!hits) return fail(hits.error());
  for (const auto& [id, similarity, memory] : *hits) {
    const auto content = almanac::content_of(*memory).content;
    std::printf("%.3f %.*s\n", similarity, int(content.size()), content.data());
  }
  // [guide]

  // [task]
  engine.handle("learn", [](const almanac::Attempt& attempt) {
    const auto text = almanac::as_text(attempt.payload);
    return almanac::Outcome::success("learned").remembering(
        {{.kind = "lesson", .content = std::string(text)}});
  });
  auto task = engine.submit({.kind = "learn", .payload = "Tides have a period"});
  // [task]
  if (!task) return fail(task.error());
  engine.wait([&](const almanac::State& state) {
    return almanac::has_ended(state.tasks.all.find(task->id)->state);
  });
  if (const int failed = sum_up(engine); failed != 0) return failed;
  for (const auto& [id, memory] : engine.state()->memories.all) {
    if (memory->task == task->id) {
      std::printf("memory %llu is of the task\n", static_cast<unsigned long long>(id.value));
    }
  }
  return 0;
}
