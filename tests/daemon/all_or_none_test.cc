// Requests and reloads that are refused have changed nothing.
#include <almanac/tests/daemon/daemon_fixture.h>

#include <string>

namespace almanac::test {
namespace {

using AllOrNone = DaemonTest;

TEST_F(AllOrNone, IsWhatAReloadChanges) {
  open();
  const std::string kept = token();
  DaemonConfig config;
  config.listen = "127.0.0.1:0";
  config.token_file = (folder / "other-tokens").string();
  config.http.origins = {"https://example.org"};
  config.crons = {{.schedule = "@daily",
                   .job = R"({"jobtype":"C","args":[")" + std::string(1'000'000, 'x') + "\"]}"}};
  EXPECT_FALSE(daemon->reload(config));
  const HttpClient::Headers shown = {{"Authorization", "Bearer " + kept}};
  EXPECT_EQ(tcp_client().ask("GET", "/v1/tasks", {}, shown).status, 200);
  const HttpClient::Headers page = {{"Authorization", "Bearer " + kept},
                                    {"Origin", "https://example.org"}};
  EXPECT_EQ(tcp_client().ask("GET", "/v1/tasks", {}, page).status, 403);
  config.crons.clear();
  EXPECT_TRUE(daemon->reload(config));
  EXPECT_EQ(tcp_client().ask("GET", "/v1/tasks", {}, shown).status, 401);
}

TEST_F(AllOrNone, RefusesToChangeMoreAtOnceThanCanBeAllOrNone) {
  open();
  std::string numbers = "1";
  for (int i = 2; i <= 10'001; ++i) numbers += "," + std::to_string(i);
  const HttpAnswer refused =
      client().ask("POST", "/v1/tasks/cancel", R"({"tasks": [)" + numbers + "]}");
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(refused.body.find("10000"), std::string::npos) << refused.body;
  const HttpAnswer skipped =
      client().ask("POST", "/v1/tasks/cancel", R"({"skip": true, "tasks": [)" + numbers + "]}");
  EXPECT_EQ(skipped.status, 200) << skipped.body;
  EXPECT_EQ(skipped.json()["changed"], 0);
}

}  // namespace
}  // namespace almanac::test
