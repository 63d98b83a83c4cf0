// The table of routes, its document, its page and the server say the same.
#include <almanac/tests/daemon/daemon_fixture.h>

#include <almanac/daemon/http_route.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

namespace almanac::test {
namespace {

std::string in_lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

class OpenApi : public DaemonTest {};

TEST_F(OpenApi, DescribesEveryRouteAndNothingElse) {
  open();
  const HttpAnswer answer = client().ask("GET", "/v1/openapi.json");
  ASSERT_EQ(answer.status, 200);
  auto document = answer.json();
  EXPECT_EQ(document["openapi"], "3.1.0");
  std::set<std::string> described;
  for (const auto& [path, methods] : document["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) described.insert(method + " " + path);
  }
  std::set<std::string> routed;
  std::set<std::string> operations;
  for (const HttpRoute& route : http_routes()) {
    const std::string name = in_lower(route.method) + " " + std::string(route.path);
    EXPECT_TRUE(routed.insert(name).second) << name << " is there twice";
    auto operation = document["paths"][std::string(route.path)][in_lower(route.method)];
    EXPECT_EQ(operation["summary"], std::string(route.summary));
    const std::string id = operation["operationId"];
    EXPECT_TRUE(operations.insert(id).second) << id << " is there twice";
    EXPECT_TRUE(std::ranges::all_of(id, [](unsigned char c) { return std::isalnum(c); })) << id;
    EXPECT_TRUE(operation["responses"].contains(std::to_string(route.success))) << name;
    EXPECT_EQ(operation.contains("requestBody"), !route.body.empty()) << name;
    EXPECT_EQ(operation["security"].empty(), route.scope == AccessScope::none) << name;
  }
  EXPECT_EQ(described, routed);
  auto tasks = document["paths"]["/v1/tasks"]["post"];
  EXPECT_EQ(tasks["operationId"], "postTasks");
  EXPECT_TRUE(tasks["responses"].contains("200")) << "the same key is no problem";
  EXPECT_NE(tasks.dump().find("\"Idempotency-Key\""), std::string::npos);
  const std::string cancel = document["paths"]["/v1/tasks/{id}/cancel"]["post"].dump();
  EXPECT_NE(cancel.find("\"If-Match\""), std::string::npos) << cancel;
  EXPECT_NE(cancel.find("\"postTasksIdCancel\""), std::string::npos) << cancel;
  const std::string events = document["paths"]["/v1/events"]["get"].dump();
  EXPECT_NE(events.find("\"Last-Event-ID\""), std::string::npos) << events;
  const std::string context = document["paths"]["/v1/contexts/{user}"]["put"].dump();
  EXPECT_NE(context.find("\"If-Match\""), std::string::npos) << context;
}

// What is described is there: no path of the document is answered as one that is not.
TEST_F(OpenApi, HoldsOfTheServer) {
  open();
  for (const HttpRoute& route : http_routes()) {
    if (route.path == "/v1/events") continue;  // never ends
    std::string path(route.path);
    for (auto open_at = path.find('{'); open_at != std::string::npos; open_at = path.find('{')) {
      path.replace(open_at, path.find('}') - open_at + 1, "1");
    }
    const std::string body = route.body.empty() ? "" : "{}";
    const HttpAnswer answer = client().ask(route.method, path, body);
    EXPECT_NE(answer.status, 405) << route.path;
    EXPECT_NE(answer.status, 415) << route.path;
    EXPECT_NE(answer.status, 500) << route.path << answer.body;
    if (answer.status >= 400) {
      EXPECT_EQ(answer.headers.at("content-type"), "application/problem+json");
      for (const char* member : {"type", "title", "status", "code", "detail", "next"}) {
        EXPECT_TRUE(answer.json().contains(member)) << route.path << " " << member;
      }
      EXPECT_NE(answer.json()["detail"], "there is nothing at this path") << route.path;
    } else {
      EXPECT_EQ(answer.status, route.success) << route.path;
    }
  }
}

TEST_F(OpenApi, KnowsEveryParameterOfItsRoutes) {
  for (const HttpRoute& route : http_routes()) {
    EXPECT_TRUE((route.handler == nullptr) != (route.act == nullptr)) << route.path;
    EXPECT_FALSE(route.summary.empty()) << route.path;
    std::size_t known = 0;
    for (const QueryParameter& parameter : query_parameters()) {
      known += lists(route.parameters, parameter.name) ? 1 : 0;
    }
    const auto words = route.parameters.empty() ? 0 : std::ranges::count(route.parameters, ' ') + 1;
    EXPECT_EQ(known, static_cast<std::size_t>(words)) << route.path;
  }
}

TEST(HttpReference, IsWhatTheTableSays) {
  EXPECT_EQ(read_file(source_path("docs/reference/http.md")), http_reference())
      << "write what `almanac serve --routes` prints";
}

}  // namespace
}  // namespace almanac::test
