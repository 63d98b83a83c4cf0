// A pool of processes in another language that answer lines of JSON.
#include <almanac/engine/json_process.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace {

int fail(const almanac::Error& error) {
  std::fprintf(stderr, "%s\n", almanac::describe(error).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace std::chrono_literals;
  const std::string script = argc > 1 ? argv[1] : "examples/reasoner.js";
  // [guide]
  auto processes = almanac::json_processes(
      {.command = {.arguments = {"node", script}}, .probe = R"({"ancestors_of":"bob"})"});
  if (!processes) return fail(processes.error());
  auto pool = almanac::Pool<almanac::JsonProcess>::open({.name = "reasoners", .size = 2},
                                                        std::move(*processes));
  if (!pool) return fail(pool.error());

  auto answer = ask(*pool, R"({"ancestors_of":"dave"})", 10s);
  // [guide]
  if (!answer) return fail(answer.error());
  std::printf("%s\n", answer->c_str());
  return 0;
}
