// Tasks over HTTP that ask for memory of a GPU, and what a daemon says of GPUs: by the real loader
// and a driver that the test scripts.
#include <almanac/tests/daemon/daemon_fixture.h>
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/contains.h>
#include <almanac/tests/support/gate.h>
#include <almanac/tests/support/scripted_gpus.h>

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

using nlohmann::json;

constexpr std::uint64_t door_gib = std::uint64_t{1} << 30U;

class GpuDoor : public DaemonTest {
 protected:
  // One of ten GiB.
  void open_with_gpu() {
    gpus.set({{.name = "Scripted", .heaps = {{.size = 10 * door_gib, .budget = 10 * door_gib}}}});
    DaemonConfig config;
    config.gpu_watch = true;
    open(config);
    ASSERT_TRUE(daemon->engine().wait([](const State& state) { return !state.gpu.samples.empty(); },
                                      std::chrono::minutes(1)));
    daemon->engine().handle("ask", [this](const almanac::Attempt& attempt) {
      gate.pass(attempt.stop);
      return Outcome::success();
    });
  }
  void TearDown() override { gate.open(); }

  HttpAnswer post(const std::string& body) { return client().ask("POST", "/v1/tasks", body); }
  HttpAnswer post_lines(const std::string& lines) {
    return client().ask("POST", "/v1/tasks", lines, {{"Content-Type", "application/x-ndjson"}});
  }
  json task(std::uint64_t id) {
    return client().ask("GET", "/v1/tasks/" + std::to_string(id)).json();
  }
  json gpu() { return client().ask("GET", "/v1/gpu").json()["items"].at(0); }
  void wait_until_ended(std::uint64_t id) {
    EXPECT_TRUE(daemon->engine().wait(
        [&](const State& state) { return has_ended(state.tasks.all.find(TaskId(id))->state); },
        std::chrono::minutes(1)));
  }
  std::size_t count() { return client().ask("GET", "/v1/tasks").json()["items"].size(); }

  ScriptedGpus gpus;
  Gate gate;
};

TEST_F(GpuDoor, TakesATaskThatAsksForMemoryAndShowsWhereItHasIt) {
  open_with_gpu();
  const auto id = submit(R"({"kind": "ask", "gpu_memory": "4 GiB"})");
  gate.wait_for_arrivals(1);
  const json runs = task(id);
  EXPECT_EQ(runs["state"], "running");
  EXPECT_EQ(runs["gpu_memory"], "4096MiB");
  EXPECT_EQ(runs["gpu"], ScriptedGpu{}.identity());
  EXPECT_EQ(gpu()["held_by_tasks"], 4 * door_gib);
  const CommandOutput listed =
      run_almanac({.arguments = {"gpu", "list", "--json", "--dir", log_folder().string()},
                   .folder = folder.path()});
  EXPECT_EQ(gpu(), json::parse(listed.output)) << "as the command says it";
  const json before = client().ask("GET", "/v1/gpu?at=1").json()["items"];
  EXPECT_TRUE(before.empty());
  gate.open();
  wait_until_ended(id);
  EXPECT_EQ(gpu()["held_by_tasks"], 0);
  const json ended = task(id);
  EXPECT_EQ(ended["gpu_memory"], "4096MiB");
  EXPECT_FALSE(ended.contains("gpu"));
}

TEST_F(GpuDoor, TakesLinesOfThemAndTheGpuThatIsNamed) {
  open_with_gpu();
  const std::string identity = ScriptedGpu{}.identity();
  const HttpAnswer taken = post_lines(
      "{\"kind\": \"ask\", \"gpu_memory\": \"3GiB\"}\n"
      "{\"kind\": \"ask\", \"gpu_memory\": \"2 GiB\", \"gpu\": \"" +
      identity +
      "\"}\n"
      "{\"kind\": \"nobody\", \"gpu_memory\": \"1 GiB\", \"gpu\": \"" +
      identity + "\"}\n");
  ASSERT_EQ(taken.status, 201) << taken.body;
  gate.wait_for_arrivals(2);
  EXPECT_EQ(gpu()["held_by_tasks"], 5 * door_gib);
  const json waits = task(3);
  EXPECT_EQ(waits["state"], "ready");
  EXPECT_EQ(waits["gpu"], identity) << "it is for that one alone";
}

TEST_F(GpuDoor, SaysWithNumbersWhyOneWaits) {
  open_with_gpu();
  submit(R"({"kind": "ask", "gpu_memory": "4 GiB"})");
  const auto waits = submit(R"({"kind": "ask", "gpu_memory": "9 GiB"})");
  gate.wait_for_arrivals(1);
  const HttpAnswer why = client().ask("GET", "/v1/tasks/" + std::to_string(waits) + "/why");
  EXPECT_TRUE(contains(why.body, "needs 9.0 GiB, device " + ScriptedGpu{}.identity().substr(0, 8) +
                                     " has 6.0 free, 0.0 used by others, evictable 0"))
      << why.body;
}

struct RefusedMemory {
  const char* body;
  int status;
  const char* says;
};

TEST_F(GpuDoor, RefusesWhatCouldNeverRunAndSaysHowMuchThereIs) {
  open_with_gpu();
  const std::vector<RefusedMemory> refused = {
      {R"({"kind": "ask", "gpu_memory": "11 GiB"})", 422,
       "it asks for 11.0 GiB of a GPU, and the largest has 10.0 GiB: it could never run"},
      {R"({"kind": "ask", "gpu_memory": "1 GiB", "gpu": "another"})", 404, "another"},
      {R"({"kind": "ask", "gpu": "another"})", 400, "'gpu' stands without 'gpu_memory'"},
      {R"({"kind": "ask", "gpu_memory": "much"})", 400, "'much' is not a size"},
      {R"({"kind": "ask", "gpu_memory": "0 GiB"})", 400, "is not a size"},
      {R"({"kind": "ask", "gpu_memory": 7})", 400, "gpu_memory"},
  };
  for (const RefusedMemory& one : refused) {
    const HttpAnswer answer = post(one.body);
    EXPECT_EQ(answer.status, one.status) << one.body << answer.body;
    EXPECT_TRUE(contains(answer.json().value("detail", ""), one.says)) << answer.body;
    const HttpAnswer lines =
        post_lines("{\"kind\": \"ask\", \"gpu_memory\": \"1 GiB\"}\n" + std::string(one.body));
    EXPECT_EQ(lines.status, one.status) << one.body << lines.body;
    EXPECT_TRUE(contains(lines.json().value("detail", ""), one.says)) << lines.body;
  }
  EXPECT_EQ(count(), 0U);
}

}  // namespace
}  // namespace almanac::test
