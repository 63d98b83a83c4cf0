// What programs remember, over HTTP.
#include <almanac/tests/daemon/daemon_fixture.h>

#include <string>

namespace almanac::test {
namespace {

class MemoryDoor : public DaemonTest {
 protected:
  HttpAnswer store(std::string_view body, const std::string& type = "application/json") {
    return client().ask("POST", "/v1/memories", body, {{"Content-Type", type}});
  }
};

TEST_F(MemoryDoor, RefusesAnEmptyBodyOfNoType) {
  open();
  EXPECT_EQ(client().ask("POST", "/v1/memories").status, 400);
  EXPECT_EQ(store(" \n ").status, 400);
  EXPECT_EQ(store("\n\n", "application/jsonl").status, 400);
}

TEST_F(MemoryDoor, TellsOneEntryFromLinesByTheWholeType) {
  open();
  const std::string one = "{\"kind\": \"note\",\n \"content\": \"a\"}";
  const std::string lines = R"({"kind": "note", "content": "b"})"
                            "\n"
                            R"({"kind": "note", "content": "c"})";
  EXPECT_EQ(store(one).status, 201);
  EXPECT_EQ(store(one, "Application/JSON; charset=utf-8").status, 201);
  EXPECT_EQ(store(lines).status, 400);
  for (const char* type : {"application/jsonl", "application/x-ndjson", "Application/JSONL"}) {
    const HttpAnswer stored = store(lines, type);
    EXPECT_EQ(stored.status, 201) << type;
    EXPECT_EQ(stored.json()["memories"].size(), 2U) << type;
  }
}

// An entry of a user is sealed in the state; who may read is told what it says, by every way.
TEST_F(MemoryDoor, OpensWhatIsRememberedOfUsersAlsoInThePast) {
  open();
  ASSERT_EQ(store(R"({"kind": "note", "user": "ann", "content": "a", "embedding": [1, 0]})").status,
            201);
  const std::string at = "?at=" + std::to_string(daemon->engine().state()->position.value);
  ASSERT_EQ(store(R"({"kind": "note", "content": "b", "embedding": [0, 1]})").status, 201);
  for (const std::string& target : {std::string("/v1/memories/1"), "/v1/memories/1" + at}) {
    const auto entry = client().ask("GET", target).json();
    EXPECT_EQ(entry["content"], "a") << target;
    EXPECT_EQ(entry["embedding"], nlohmann::json::parse("[1.0, 0.0]")) << target;
  }
  const auto past = client().ask("GET", "/v1/memories" + at).json()["items"];
  ASSERT_EQ(past.size(), 1U);
  EXPECT_EQ(past[0]["content"], "a");
  const auto found =
      client().ask("POST", "/v1/memories/search" + at, R"({"embedding": [1, 1]})").json()["items"];
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0]["user"], "ann");
}

TEST_F(MemoryDoor, FindsWhatWasStoredBetweenTwoTimes) {
  open();
  ASSERT_EQ(store(R"({"kind": "note", "content": "a", "embedding": [1, 0]})").status, 201);
  const auto count = [&](const std::string& query, const std::string& members) {
    const auto listed = client().ask("GET", "/v1/memories?" + query);
    const auto found =
        client().ask("POST", "/v1/memories/search", R"({"embedding": [1, 0], )" + members + "}");
    EXPECT_EQ(listed.status, found.status) << listed.body << found.body;
    if (listed.status != 200) return -listed.status;
    EXPECT_EQ(listed.json()["items"].size(), found.json()["items"].size()) << query;
    return static_cast<int>(listed.json()["items"].size());
  };
  EXPECT_EQ(count("stored_since=1h%20ago", R"("stored_since": "1h ago")"), 1);
  EXPECT_EQ(count("stored_since=2999-01-01", R"("stored_since": "2999-01-01")"), 0);
  EXPECT_EQ(count("stored_until=2999-01-01", R"("stored_until": "2999-01-01")"), 1);
  EXPECT_EQ(count("stored_until=1h%20ago", R"("stored_until": "1h ago")"), 0);
  // One entry alone, which is like what is looked for, and otherwise not what is asked for.
  EXPECT_EQ(count("text=zzz", R"("text": "zzz")"), 0);
  EXPECT_EQ(count("stored_until=never", R"("stored_until": "never")"), -400);
}

TEST_F(MemoryDoor, RefusesJsonThatIsNestedWithoutEnd) {
  open();
  const std::string deep = std::string(2'000'000, '[') + std::string(2'000'000, ']');
  const HttpAnswer searched =
      client().ask("POST", "/v1/memories/search", R"({"embedding": )" + deep + "}");
  EXPECT_EQ(searched.status, 400);
  EXPECT_EQ(searched.code(), "invalid");
  EXPECT_EQ(store(R"({"kind": "note", "content": "a", "metadata": )" + deep + "}").status, 400);
  EXPECT_EQ(store(R"({"kind": "note", "content": "[[[[[[", "metadata": {"a": "b"}})").status, 201);
}

TEST_F(MemoryDoor, RefusesToSearchByWhatIsNoText) {
  open();
  ASSERT_EQ(store(R"({"kind": "note", "user": "ann", "content": "a"})").status, 201);
  for (const char* body :
       {R"({"user": 5})", R"({"kind": null})", R"({"text": ["a"]})", R"({"tag": 5})",
        R"({"limit": "all"})", R"({"limit": 0})", R"({"limit": 1001})"}) {
    EXPECT_EQ(client().ask("POST", "/v1/memories/search", body).status, 400) << body;
  }
  const HttpAnswer found =
      client().ask("POST", "/v1/memories/search", R"({"user": "ann", "limit": 1000})");
  EXPECT_EQ(found.json()["items"].size(), 1U) << found.body;
}

TEST_F(MemoryDoor, SaysThePositionOfWhatItFound) {
  open();
  ASSERT_EQ(store(R"({"kind": "note", "content": "a"})").status, 201);
  const auto end = daemon->engine().state()->position.value;
  const HttpAnswer found = client().ask("GET", "/v1/memories");
  EXPECT_EQ(found.json()["items"].size(), 1U);
  EXPECT_GE(std::stoull(found.headers.at("almanac-position")), end);
  const HttpAnswer forgotten = client().ask("DELETE", "/v1/memories/1");
  EXPECT_EQ(forgotten.status, 204) << forgotten.body;
  EXPECT_GT(std::stoull(forgotten.headers.at("almanac-position")), end);
}

}  // namespace
}  // namespace almanac::test
