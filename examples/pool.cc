// A pool: instances that must not be used by two at once, made beforehand and replaced when they
// fail.
#include <almanac/engine/pool.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

namespace {

int fail(const almanac::Error& error) {
  std::fprintf(stderr, "%s\n", almanac::describe(error).c_str());
  return 1;
}

// Takes its time to load, and confuses two that use it at once.
class Reasoner {
 public:
  [[nodiscard]] static almanac::Result<std::unique_ptr<Reasoner>> load() {
    return std::make_unique<Reasoner>();
  }
  [[nodiscard]] almanac::Result<std::string> ask(const std::string& question) {
    if (question.empty()) return almanac::fail(almanac::ErrorCode::io, "BorrowMutError");
    return question + " is so";
  }
};

}  // namespace

int main() {
  using namespace std::chrono_literals;
  // [guide]
  auto pool = almanac::Pool<Reasoner>::open(
      {.name = "reasoners", .size = 2, .uses_max = 1'000, .error_rules = {{"BorrowMutError"}}},
      {.create = [] { return Reasoner::load(); }});
  if (!pool) return fail(pool.error());
  if (auto warm = pool->warm_up(10s); !warm) return fail(warm.error());

  {
    auto reasoner = pool->check_out();  // waits 5 seconds at most
    if (!reasoner) return fail(reasoner.error());
    auto answer = (*reasoner)->ask("this");
    if (!answer) reasoner->failed(describe(answer.error()));  // the rules decide whether it goes
  }  // given back

  auto answer = pool->call([](Reasoner& reasoner) { return reasoner.ask("that"); });
  // [guide]
  if (!answer) return fail(answer.error());
  std::printf("%s\n", answer->c_str());
  if (pool->call([](Reasoner& reasoner) { return reasoner.ask(""); })) return 1;
  std::printf("%s\n", pool->figures().retired_for(almanac::PoolRetirement::error) == 1
                          ? "one has failed, and another takes its place"
                          : "none has failed");
  return 0;
}
