// A client that others have written: the npm package faktory-worker, which `./dev test` installs.
#include <almanac/daemon/wire_server.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/engine_fixture.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace almanac::test {
namespace {

std::filesystem::path source_folder() { return std::getenv("ALMANAC_SOURCE_DIR"); }

class WirePeer : public EngineTest {
 protected:
  void begin(const std::string& client_password) {
    open();
    auto opened = WireServer::open(*engine, {.address = "127.0.0.1:0", .password = "s3cret"});
    ASSERT_TRUE(opened) << opened.error().message;
    server = std::move(*opened);
    peer = std::make_unique<ChildProcess>(std::vector<std::string>{
        "/usr/bin/env", "node", source_folder() / "tests/daemon/faktory_peer.js",
        source_folder() / "build/node/node_modules/faktory-worker", std::to_string(server->port()),
        client_password});
    ASSERT_TRUE(peer->read_line().starts_with("faktory-worker "))
        << "node or its package faktory-worker is missing: `./dev test` installs both";
  }
  void TearDown() override {
    peer.reset();
    server.reset();
    EngineTest::TearDown();
  }

  std::unique_ptr<WireServer> server;
  std::unique_ptr<ChildProcess> peer;
};

TEST_F(WirePeer, ProducesWorksFailsRetriesBeatsAndShutsDown) {
  begin("s3cret");
  ASSERT_EQ(peer->ask("connect"), "connected");
  EXPECT_EQ(peer->ask("push Sum default 25 [1] 2"), "pushed");
  EXPECT_EQ(peer->ask("push Context critical 25"), "pushed");
  EXPECT_EQ(peer->ask("later Sum"), "pushed");
  EXPECT_EQ(peer->ask("info"), R"({"scheduled":1,"retries":0,"dead":0,"working":0})");
  EXPECT_EQ(peer->ask("work"), "works");
  EXPECT_EQ(peer->ask("wait 2"), R"(Context critical {"from":"peer"}; Sum [[1],2])");
  EXPECT_EQ(peer->ask("push FailsOnce default 2 \"a\""), "pushed");
  EXPECT_EQ(peer->ask("wait 1"), "failed not yet: a");
  EXPECT_EQ(peer->ask("requeue"), "requeued");
  EXPECT_EQ(peer->ask("wait 1"), "FailsOnce after 0 2 EAGAIN not yet: a");
  EXPECT_EQ(peer->ask("push FailsOnce default -1 \"b\""), "pushed");
  EXPECT_EQ(peer->ask("wait 1"), "failed not yet: b");
  EXPECT_EQ(peer->ask("info"), R"({"scheduled":1,"retries":0,"dead":1,"working":0})");
  EXPECT_EQ(peer->ask("bulk Sum 200"), "0");
  const std::string sums = peer->ask("wait 200");
  EXPECT_EQ(std::ranges::count(sums, ';'), 199);
  server->terminate("");
  EXPECT_EQ(peer->ask("stopped"), "stopped");
  EXPECT_EQ(peer->ask("close"), "closed");
  const auto state = engine->state();
  EXPECT_EQ(state->tasks.count(TaskState::succeeded), 203U);
  EXPECT_EQ(state->tasks.count(TaskState::failed), 1U);
  EXPECT_EQ(state->tasks.count(TaskState::delayed), 1U);
}

TEST_F(WirePeer, IsRefusedWithTheWrongPassword) {
  begin("guessed");
  EXPECT_EQ(peer->ask("connect").substr(0, 2), "? ");
}

}  // namespace
}  // namespace almanac::test
