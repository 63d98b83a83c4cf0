// Snapshots that are asked for over HTTP: made once, verified, and only where a person has said.
#include <almanac/tests/daemon/daemon_fixture.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace almanac::test {
namespace {

using Headers = HttpClient::Headers;

class SnapshotsDoor : public DaemonTest {
 protected:
  void open_with_repository() {
    DaemonConfig config;
    config.repositories = {repository()};
    open(config);
    submit(R"({"kind": "a"})");
  }
  [[nodiscard]] std::string repository() const { return (folder / "archive").string(); }
  // Behind the end of what this request begins.
  [[nodiscard]] nlohmann::json make(std::string_view body = "{}") const {
    const HttpAnswer begun = client().ask("POST", "/v1/snapshots", body);
    EXPECT_EQ(begun.status, 202) << begun.body;
    return end_of(begun);
  }
  [[nodiscard]] nlohmann::json end_of(const HttpAnswer& begun) const {
    const auto place = begun.headers.find("location");
    EXPECT_NE(place, begun.headers.end());
    if (place == begun.headers.end()) return {};
    return client().ask("GET", place->second + "?wait=true").json();
  }
  [[nodiscard]] std::size_t count() const {
    const auto listed = client().ask("GET", "/v1/snapshots").json();
    return listed["items"].at(0)["snapshots"].size();
  }
};

TEST_F(SnapshotsDoor, RefusesWhereNoRepositoryIsConfiguredAndSaysWhichKey) {
  open();
  for (const char* path : {"/v1/snapshots", "/v1/snapshots/verify"}) {
    const HttpAnswer refused = client().ask("POST", path, "{}");
    EXPECT_EQ(refused.status, 422) << refused.body;
    EXPECT_NE(refused.body.find("repositories of [snapshots]"), std::string::npos) << refused.body;
  }
}

TEST_F(SnapshotsDoor, MakesOneThatIsListedAndWhole) {
  open_with_repository();
  const auto made = make(R"({"tag": "first"})");
  EXPECT_EQ(made["state"], "done") << made;
  EXPECT_EQ(made["result"]["snapshot"], 1);
  EXPECT_EQ(made["result"]["made"], true);
  const auto listed = client().ask("GET", "/v1/snapshots").json()["items"].at(0);
  EXPECT_EQ(listed["snapshots"].at(0)["tag"], "first");
  const HttpAnswer verified = client().ask("POST", "/v1/snapshots/verify", R"({"wait": true})");
  EXPECT_EQ(verified.status, 200) << verified.body;
  EXPECT_EQ(verified.json()["result"]["whole"], true) << verified.body;
  const auto works = client().ask("GET", "/v1/snapshots/work").json()["items"];
  ASSERT_EQ(works.size(), 2U);
  EXPECT_EQ(works.at(0)["task"], "verify");
  EXPECT_EQ(works.at(1)["task"], "create");
}

TEST_F(SnapshotsDoor, FindsDamage) {
  open_with_repository();
  EXPECT_EQ(make()["state"], "done");
  for (const auto& file :
       std::filesystem::recursive_directory_iterator(repository() + "/segments")) {
    if (!file.is_regular_file()) continue;
    std::filesystem::resize_file(file.path(), std::filesystem::file_size(file.path()) - 1);
  }
  const auto verified =
      client().ask("POST", "/v1/snapshots/verify", R"({"snapshot": 1, "wait": true})").json();
  EXPECT_EQ(verified["result"]["whole"], false) << verified;
  EXPECT_FALSE(verified["result"]["snapshots"].at(0)["damage"].empty());
  const auto none =
      client().ask("POST", "/v1/snapshots/verify", R"({"snapshot": 99, "wait": true})");
  EXPECT_EQ(none.status, 404) << none.body;
}

TEST_F(SnapshotsDoor, MakesOneForOneKey) {
  open_with_repository();
  const Headers key = {{"Idempotency-Key", "nightly"}};
  const HttpAnswer first = client().ask("POST", "/v1/snapshots", R"({"tag": "one"})", key);
  EXPECT_EQ(end_of(first)["state"], "done");
  submit(R"({"kind": "a"})");
  const HttpAnswer again = client().ask("POST", "/v1/snapshots", R"({"tag": "one"})", key);
  EXPECT_EQ(again.headers.at("location"), first.headers.at("location"));
  EXPECT_EQ(client().ask("POST", "/v1/snapshots", R"({"tag": "two"})", key).status, 409);
  const Headers empty = {{"Idempotency-Key", ""}};
  EXPECT_EQ(client().ask("POST", "/v1/snapshots", R"({"tag": "two"})", empty).status, 400);
  EXPECT_EQ(count(), 1U);
  EXPECT_EQ(make()["result"]["snapshot"], 2);
}

TEST_F(SnapshotsDoor, WritesNowhereElse) {
  open_with_repository();
  const std::string other = (folder / "other").string();
  const auto named = R"({"repository": ")" + other + "\"}";
  EXPECT_EQ(client().ask("POST", "/v1/snapshots", named).status, 404);
  EXPECT_EQ(client().ask("POST", "/v1/snapshots/verify", named).status, 404);
  EXPECT_FALSE(std::filesystem::exists(other));
  EXPECT_EQ(client().ask("POST", "/v1/snapshots", R"({"repositry": ""})").status, 400);
  EXPECT_EQ(client().ask("GET", "/v1/snapshots/work/7").status, 404);
  EXPECT_EQ(client().ask("GET", "/v1/snapshots/work/7?wait=true").status, 404);
}

TEST_F(SnapshotsDoor, SaysWhatHasFailed) {
  open_with_repository();
  std::filesystem::create_directories(repository());
  std::ofstream(repository() + "/letter.txt") << "not an archive";
  const auto failed = make();
  EXPECT_EQ(failed["state"], "failed") << failed;
  EXPECT_FALSE(failed["error"]["next"].get<std::string>().empty());
  const auto waited = client().ask("POST", "/v1/snapshots", R"({"wait": true})");
  EXPECT_GE(waited.status, 400) << waited.body;
}

TEST_F(SnapshotsDoor, IsForThoseWhoMayOperateAndOnRecord) {
  open_with_repository();
  const Headers reader = {{"Authorization", "Bearer " + make_token("reader", "read,submit,work")}};
  const Headers boss = {{"Authorization", "Bearer " + make_token("boss", "operate")}};
  EXPECT_EQ(tcp_client().ask("POST", "/v1/snapshots", "{}", reader).status, 403);
  EXPECT_EQ(tcp_client().ask("POST", "/v1/snapshots/verify", "{}", reader).status, 403);
  EXPECT_EQ(tcp_client().ask("POST", "/v1/snapshots", R"({"wait": true})", boss).status, 200);
  EXPECT_EQ(tcp_client().ask("GET", "/v1/snapshots/work/1", {}, reader).status, 200);
  EXPECT_EQ(tcp_client().ask("GET", "/v1/snapshots/work/1", {}, boss).status, 403);
  const auto state = daemon->engine().state();
  const AuditEntry last = std::prev(state->audits.requests.end())->value;
  EXPECT_EQ(state->names.text(last.principal), "boss");
  EXPECT_EQ(last.action, "POST /v1/snapshots");
}

}  // namespace
}  // namespace almanac::test
