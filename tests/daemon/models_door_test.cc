// A daemon that has models, and tasks over HTTP that name them.
#include <almanac/tests/daemon/daemon_fixture.h>
#include <almanac/tests/support/contains.h>
#include <almanac/tests/support/scripted_gpus.h>

#include <almanac/projections/state.h>

#include <fcntl.h>
#include <sys/stat.h>

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
  const Task* task = state->tasks.all.find(TaskId(id));
  ASSERT_NE(task, nullptr);
  EXPECT_EQ(task->state, TaskState::ready);
  const HttpAnswer refused =
      client().ask("POST", "/v1/tasks", R"({"kind": "ask", "needs": {"lama": 1}})");
  EXPECT_EQ(refused.status, 404) << refused.body;
  EXPECT_TRUE(contains(refused.body, "'lama'")) << refused.body;
}

// With a card of ten GiB: models are loaded and unloaded by commands that touch files.
class LoadedModelsDoor : public ModelsDoor {
 protected:
  LoadedModelsDoor() { show(0); }
  // So much of the card is taken.
  void show(std::uint64_t gib) {
    constexpr std::uint64_t card = 10 * limits::gibibyte;
    gpus.set({{.name = "Scripted",
               .heaps = {{.size = card, .own = gib * limits::gibibyte, .budget = card}}}});
  }
  // One of 1 GiB, the only one that is loaded then.
  void load(const std::string& model) {
    EXPECT_EQ(post(model + "/load").status, 204);
    show(1);
    EXPECT_TRUE(comes_to(model, ModelState::resident));
  }
  bool comes_to(const std::string& model, ModelState wanted) {
    return daemon->engine().wait(
        [&](const State& state) {
          const auto id = state.names.find(model);
          const Model* known = id ? state.models.all.find(*id) : nullptr;
          return known != nullptr && known->state == wanted;
        },
        std::chrono::seconds(60));
  }
  // Has it unloaded, and says what was answered once its memory is gone.
  HttpAnswer unload(const std::string& model) {
    HttpClient waits = client();
    waits.send("POST /v1/models/" + model +
               "/unload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(comes_to(model, ModelState::releasing));
    show(0);
    return waits.read_answer();
  }
  [[nodiscard]] HttpAnswer post(const std::string& path, std::string_view body = {}) const {
    return client().ask("POST", "/v1/models/" + path, body);
  }
  [[nodiscard]] std::string state_of(const std::string& model) const {
    return client().ask("GET", "/v1/models/" + model).json().value("state", "");
  }
  ScriptedGpus gpus;
};

TEST_F(LoadedModelsDoor, RemovesNoneThatIsLoadedOrNamed) {
  open_with(two_models);
  load("tiny");
  const HttpAnswer loaded = client().ask("DELETE", "/v1/models/tiny");
  EXPECT_EQ(loaded.status, 409) << loaded.body;
  EXPECT_TRUE(contains(loaded.body, "unload it first")) << loaded.body;
  EXPECT_EQ(unload("tiny").status, 204);
  EXPECT_EQ(state_of("tiny"), "absent");
  EXPECT_EQ(client().ask("DELETE", "/v1/models/tiny").status, 204);
  EXPECT_EQ(client().ask("GET", "/v1/models/tiny").status, 404);
  const auto task = submit(R"({"kind": "ask", "model": "llama", "delay": "1h"})");
  const HttpAnswer named = client().ask("DELETE", "/v1/models/llama");
  EXPECT_EQ(named.status, 409) << named.body;
  EXPECT_TRUE(contains(named.body, "cancel them first")) << named.body;
  EXPECT_EQ(client().ask("DELETE", "/v1/tasks/" + std::to_string(task)).status, 200);
  EXPECT_EQ(client().ask("DELETE", "/v1/models/llama").status, 204);
}

TEST_F(LoadedModelsDoor, LoadsNoneThatDoesNotFitOrIsNotKnown) {
  open_with(R"(
[huge]
bytes = "40 GiB"
load = ["true"]
unload = ["true"]
)");
  const HttpAnswer huge = post("huge/load", R"({"timeout": "100ms"})");
  EXPECT_EQ(huge.status, 504) << huge.body;
  EXPECT_TRUE(contains(huge.body, "needs 40.0 GiB")) << huge.body;
  EXPECT_EQ(state_of("huge"), "absent");
  EXPECT_EQ(post("none/load").status, 404);
  EXPECT_EQ(post("none/unload").status, 404);
}

TEST_F(LoadedModelsDoor, UnloadsOneAtATime) {
  const std::string gate = (folder / "gate").string();
  ASSERT_EQ(::mkfifo(gate.c_str(), 0600), 0);
  open_with("[slow]\nbytes = '1 GiB'\nload = ['true']\nunload = ['cat', '" + gate +
            "']\n[other]\nbytes = '1 GiB'\nload = ['true']\nunload = ['true']\n");
  load("slow");
  HttpClient waits = client();
  waits.send(
      "POST /v1/models/slow/unload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
  // Until its command reads.
  std::optional<FileDescriptor> held(::open(gate.c_str(), O_WRONLY | O_CLOEXEC));
  const HttpAnswer second = post("other/unload");
  EXPECT_EQ(second.status, 503) << second.body;
  EXPECT_TRUE(contains(second.body, "try again when it has ended")) << second.body;
  held.reset();
  EXPECT_TRUE(comes_to("slow", ModelState::releasing));
  show(0);
  EXPECT_EQ(waits.read_answer().status, 204);
  EXPECT_EQ(post("other/unload").status, 204) << "which was not loaded";
}

TEST_F(LoadedModelsDoor, IsForOperatorsAlone) {
  open_with(two_models);
  const HttpClient::Headers others = {
      {"Authorization", "Bearer " + make_token("w", "read,submit,work")}};
  const auto refused = [&](std::string_view method, const std::string& path) {
    EXPECT_EQ(tcp_client().ask(method, "/v1/models/" + path, "{}", others).status, 403) << path;
  };
  refused("PUT", "other");
  refused("DELETE", "tiny");
  for (const char* act : {"change", "load", "unload"}) refused("POST", std::string("tiny/") + act);
  EXPECT_EQ(tcp_client().ask("GET", "/v1/models", {}, others).json()["items"].size(), 2U);
  EXPECT_EQ(state_of("tiny"), "absent");
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
