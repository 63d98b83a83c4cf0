// Groups over HTTP: how far they are, now and then, and the tasks that belong to them.
#include <almanac/tests/daemon/daemon_fixture.h>
#include <almanac/tests/support/almanac_command.h>

#include <string>

namespace almanac::test {
namespace {

using nlohmann::json;

class GroupRoutes : public DaemonTest {
 protected:
  void open_group(const std::string& name) {
    EXPECT_EQ(client().ask("PUT", "/v1/groups/" + name).status, 204);
  }
  json get(const std::string& target, int status = 200) {
    const HttpAnswer answer = client().ask("GET", target);
    EXPECT_EQ(answer.status, status) << target << ": " << answer.body;
    return answer.json();
  }
};

TEST_F(GroupRoutes, SayWhatTheCommandSays) {
  open();
  open_group("import");
  open_group("of%2Fann");
  submit(R"({"kind": "a", "group": "import", "label": "one"})");
  submit(R"({"kind": "a", "group": "of/ann"})");
  submit(R"({"kind": "b", "after_group": "import"})");
  const json groups = get("/v1/groups");
  EXPECT_TRUE(groups["next"].is_null());
  json printed = json::array();
  const CommandOutput output =
      run_almanac({.arguments = {"group", "list", "--json", "--dir", log_folder().string()},
                   .folder = folder.path()});
  for (const std::string& line : lines_of(output.output)) printed.push_back(json::parse(line));
  EXPECT_EQ(groups["items"], printed);
  EXPECT_EQ(get("/v1/groups/import"), printed[0]);
  EXPECT_EQ(get("/v1/groups/import")["awaited_by"], json::parse("[3]"));
  EXPECT_EQ(get("/v1/groups/of%2Fann"), printed[1]);
  EXPECT_EQ(get("/v1/groups/none", 404)["code"], "not_found");
  EXPECT_EQ(get("/v1/groups/none/tasks", 404)["code"], "not_found");
}

TEST_F(GroupRoutes, PageThroughGroupsAndTheirTasks) {
  open();
  for (const char* name : {"a", "b", "c"}) open_group(name);
  for (int i = 0; i < 5; ++i) {
    submit(R"({"kind": "x", "group": "b"})");
    submit(R"({"kind": "x", "group": "c"})");
  }
  json first = get("/v1/groups?limit=2");
  EXPECT_EQ(first["items"].size(), 2U);
  const json rest = get("/v1/groups?limit=2&page=" + first["next"].get<std::string>());
  EXPECT_EQ(rest["items"].size(), 1U);
  EXPECT_EQ(rest["items"][0]["group"], "c");
  EXPECT_TRUE(rest["next"].is_null());
  json ids = json::array();
  std::string page;
  for (std::size_t pages = 0; pages < 3; ++pages) {
    const json tasks = get("/v1/groups/b/tasks?limit=2" + (page.empty() ? "" : "&page=" + page));
    for (const json& task : tasks["items"]) ids.push_back(task["id"]);
    page = tasks["next"].is_null() ? "" : tasks["next"].get<std::string>();
  }
  EXPECT_EQ(ids, json::parse("[1, 3, 5, 7, 9]"));
  EXPECT_EQ(page, "");
}

TEST_F(GroupRoutes, ShowThePast) {
  open();
  open_group("import");
  const std::string at = "?at=" + std::to_string(daemon->engine().state()->position.value);
  submit(R"({"kind": "a", "group": "import"})");
  EXPECT_EQ(client().ask("POST", "/v1/groups/import/close").status, 204);
  EXPECT_EQ(get("/v1/groups/import")["state"], "closed");
  EXPECT_EQ(get("/v1/groups/import" + at)["state"], "open");
  EXPECT_EQ(get("/v1/groups/import" + at)["tasks"], 0);
  EXPECT_EQ(get("/v1/groups/import/tasks" + at)["items"].size(), 0U);
  EXPECT_EQ(get("/v1/groups?at=1")["items"].size(), 0U);
}

}  // namespace
}  // namespace almanac::test
