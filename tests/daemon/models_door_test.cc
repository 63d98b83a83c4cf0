// A daemon that has models, and tasks over HTTP that name them.
#include <almanac/tests/daemon/daemon_fixture.h>
#include <almanac/tests/support/contains.h>

#include <almanac/projections/state.h>

namespace almanac::test {
namespace {

class ModelsDoor : public DaemonTest {
 protected:
  void open_with(std::string_view models) {
    write_file(folder / "models.toml", models);
    DaemonConfig config;
    config.models = (folder / "models.toml").string();
    open(config);
  }
};

constexpr std::string_view two_models = R"(
[llama]
bytes = "4 GiB"
load = ["true"]
unload = ["true"]

[tiny]
bytes = "1 GiB"
load = ["true"]
unload = ["true"]
)";

TEST_F(ModelsDoor, RegistersThoseOfItsFile) {
  open_with(two_models);
  const auto models = client().ask("GET", "/v1/models").json()["items"];
  ASSERT_EQ(models.size(), 2U);
  EXPECT_EQ(client().ask("GET", "/v1/models/llama").status, 200);
}

TEST_F(ModelsDoor, TakesTasksThatNameOneAndRefusesThoseThatNameNone) {
  open_with(two_models);
  const auto id = submit(R"({"kind": "ask", "model": "llama"})");
  const auto state = daemon->engine().state();
  EXPECT_EQ(state->tasks.all.find(TaskId(id))->state, TaskState::ready);
  const HttpAnswer refused =
      client().ask("POST", "/v1/tasks", R"({"kind": "ask", "needs": {"lama": 1}})");
  EXPECT_EQ(refused.status, 404) << refused.body;
  EXPECT_TRUE(contains(refused.body, "'lama'")) << refused.body;
}

TEST_F(ModelsDoor, DoesNotOpenWithAFileThatIsWrong) {
  write_file(folder / "models.toml", "[llama]\nbites = 1\n");
  DaemonConfig config;
  config.models = (folder / "models.toml").string();
  const auto opened = Daemon::open({.folder = log_folder(), .config = config, .passed = {}});
  ASSERT_FALSE(opened);
  EXPECT_TRUE(contains(describe(opened.error()), "bites")) << describe(opened.error());
}

}  // namespace
}  // namespace almanac::test
