// Events as they come: from a position, by type, behind what was seen, at the reader's pace.
#include <almanac/tests/daemon/daemon_fixture.h>

#include <almanac/daemon/event_feed.h>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

class EventDoor : public DaemonTest {
 protected:
  static void follow(HttpClient& one, const std::string& query, const std::string& fields = {}) {
    one.send("GET /v1/events" + query + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
    const std::string head = one.read_until("\r\n\r\n");
    EXPECT_NE(head.find("200 OK"), std::string::npos) << head;
    EXPECT_NE(head.find("text/event-stream"), std::string::npos) << head;
    EXPECT_EQ(one.read_until("\n\n"), "retry: 1000\n\n");
  }
  // In one request.
  void submit_many(int count) {
    std::string lines;
    for (int i = 0; i < count; ++i) lines += "{\"kind\": \"a\"}\n";
    const HttpAnswer answer =
        client().ask("POST", "/v1/tasks", lines, {{"Content-Type", "application/jsonl"}});
    EXPECT_EQ(answer.status, 201) << answer.body;
  }
  // The next event that is one: its id, type and data.
  struct Told {
    std::uint64_t id = 0;
    std::string type;
    nlohmann::json data;
  };
  static Told next(HttpClient& one) {
    std::string text = one.read_until("\n\n");
    while (text.starts_with(':')) text = one.read_until("\n\n");
    if (!text.starts_with("id: ")) return {};
    const auto value = [&](const std::string& name) {
      const auto begin = text.find(name + ": ") + name.size() + 2;
      return text.substr(begin, text.find('\n', begin) - begin);
    };
    return {.id = std::stoull(value("id")),
            .type = value("event"),
            .data = nlohmann::json::parse(value("data"), nullptr, false)};
  }
};

TEST_F(EventDoor, TellsWhatComes) {
  open();
  const auto end = daemon->engine().state()->position.value;
  auto one = client();
  follow(one, "");
  submit(R"({"kind": "a", "label": "first"})");
  const Told audited = next(one);
  EXPECT_EQ(audited.id, end + 1);
  EXPECT_EQ(audited.type, "RequestAudited");
  const Told told = next(one);
  EXPECT_EQ(told.id, end + 2);
  EXPECT_EQ(told.type, "TaskEnqueued");
  EXPECT_EQ(told.data["position"], end + 2);
  submit(R"({"kind": "a"})");
  EXPECT_EQ(next(one).id, end + 3);
}

TEST_F(EventDoor, TellsAllFromAPositionInOrderAndOnce) {
  open();
  for (int i = 0; i < 50; ++i) submit(R"({"kind": "a"})");
  const auto end = daemon->engine().state()->position.value;
  auto one = client();
  follow(one, "?from=1");
  for (std::uint64_t id = 1; id <= end; ++id) ASSERT_EQ(next(one).id, id);
  submit(R"({"kind": "a"})");
  EXPECT_EQ(next(one).id, end + 1);
}

TEST_F(EventDoor, GoesOnBehindWhatWasSeen) {
  open();
  for (int i = 0; i < 10; ++i) submit(R"({"kind": "a"})");
  auto one = client();
  follow(one, "?from=1", "Last-Event-ID: 5\r\n");
  EXPECT_EQ(next(one).id, 6U);
}

TEST_F(EventDoor, TellsOfTypesThatAreAskedFor) {
  open();
  auto one = client();
  follow(one, "?from=1&type=TaskCancelled,TaskRedriven");
  for (int i = 0; i < 10; ++i) submit(R"({"kind": "a"})");
  client().ask("DELETE", "/v1/tasks/4");
  const Told told = next(one);
  EXPECT_EQ(told.type, "TaskCancelled");
}

TEST_F(EventDoor, TellsEachWhatItAsksForBesideOthersThatAskForElse) {
  open();
  auto all = client();
  auto new_ones = client();
  auto cancelled = client();
  follow(all, "");
  follow(new_ones, "?type=TaskEnqueued");
  follow(cancelled, "?type=TaskCancelled");
  const auto id = submit(R"({"kind": "a"})");
  EXPECT_EQ(client().ask("DELETE", "/v1/tasks/" + std::to_string(id)).status, 200);
  submit(R"({"kind": "b"})");
  // Who asked stands in front of what was done.
  EXPECT_EQ(next(all).type, "RequestAudited");
  EXPECT_EQ(next(all).type, "TaskEnqueued");
  EXPECT_EQ(next(all).type, "RequestAudited");
  EXPECT_EQ(next(all).type, "TaskCancelled");
  EXPECT_EQ(next(all).type, "RequestAudited");
  EXPECT_EQ(next(all).data["kind"], "b");
  EXPECT_EQ(next(new_ones).data["kind"], "a");
  EXPECT_EQ(next(new_ones).data["kind"], "b");
  EXPECT_EQ(next(cancelled).type, "TaskCancelled");
}

TEST_F(EventDoor, TellsManyTheSameInOrderAndOnce) {
  open();
  const auto end = daemon->engine().state()->position.value;
  std::vector<HttpClient> many;
  for (int i = 0; i < 40; ++i) {
    many.push_back(client());
    follow(many.back(), "");
  }
  constexpr std::uint64_t count = 60;
  for (std::uint64_t i = 0; i < count; ++i) submit(R"({"kind": "a"})");
  for (HttpClient& one : many) {
    for (std::uint64_t i = 1; i <= count; ++i) ASSERT_EQ(next(one).id, end + i);
  }
}

TEST_F(EventDoor, FindsWhatFewMatchBehindThousandsThatDoNot) {
  open();
  submit_many(3'000);
  client().ask("DELETE", "/v1/tasks/4");
  auto one = client();
  follow(one, "?from=1&type=TaskCancelled");
  EXPECT_EQ(next(one).type, "TaskCancelled");
}

TEST_F(EventDoor, TellsThousandsThatCameAtOnce) {
  open();
  const auto end = daemon->engine().state()->position.value;
  auto one = client();
  follow(one, "");
  submit_many(3'000);
  for (std::uint64_t id = end + 1; id <= end + 3'000; ++id) ASSERT_EQ(next(one).id, id);
}

TEST_F(EventDoor, EndsAPageOfTheLogThatIsLarge) {
  open();
  const std::string payload(1'500'000, 'x');
  for (int i = 0; i < 6; ++i) submit(R"({"kind": "a", "payload": ")" + payload + "\"}");
  std::size_t found = 0;
  std::size_t pages = 0;
  std::string page = "0";
  for (; !page.empty() && pages < 100; ++pages) {
    const auto answer =
        client().ask("GET", "/v1/log?limit=1000&type=TaskEnqueued&page=" + page).json();
    ASSERT_GE(answer["items"].size(), 1U);
    found += answer["items"].size();
    page = answer["next"].is_null() ? "" : answer["next"].get<std::string>();
  }
  EXPECT_EQ(found, 6U);
  EXPECT_GE(pages, 2U);
}

TEST_F(EventDoor, RefusesPositionsThereAreNone) {
  open();
  EXPECT_EQ(client().ask("GET", "/v1/events?from=999").status, 404);
  EXPECT_EQ(client().ask("GET", "/v1/events?from=x").status, 400);
  EXPECT_EQ(client().ask("GET", "/v1/events", {}, {{"Last-Event-ID", "x"}}).status, 400);
}

// Silence would look as if nothing had happened.
TEST_F(EventDoor, SaysWhichTypeMayHaveBeenMeant) {
  open();
  submit(R"({"kind": "a"})");
  const auto none = client().ask("GET", "/v1/log?type=TaskEnqueud").json();
  EXPECT_EQ(none["items"].size(), 0U);
  EXPECT_EQ(none["hint"], "no event is of type 'TaskEnqueud'; did you mean 'TaskEnqueued'?");
  EXPECT_FALSE(client().ask("GET", "/v1/log?type=TaskFailed").json().contains("hint"));
  EXPECT_FALSE(client().ask("GET", "/v1/log?type=TaskEnqueued").json().contains("hint"));
  HttpClient stream = client();
  stream.send("GET /v1/events?type=TaskEnqueud,%0Aid:7 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string hint =
      "\n: no event is of type 'TaskEnqueud'; did you mean 'TaskEnqueued'?\n\n";
  EXPECT_NE(stream.read_until("Enqueued'?\n\n").find(hint), std::string::npos);
}

TEST_F(EventDoor, ServesASlowReaderAtItsPaceAndNobodyWaitsForIt) {
  open();
  auto slow = client();
  follow(slow, "?from=1");
  const std::string payload(100'000, 'x');
  for (int i = 0; i < 100; ++i) submit(R"({"kind": "a", "payload": ")" + payload + "\"}");
  const auto end = daemon->engine().state()->position.value;
  auto quick = client();
  follow(quick, "?from=" + std::to_string(end));
  EXPECT_EQ(next(quick).id, end);
  for (std::uint64_t id = 1; id <= end; ++id) ASSERT_EQ(next(slow).id, id);
}

TEST_F(EventDoor, EndsStreamsWhenItStops) {
  open();
  auto one = client();
  follow(one, "");
  daemon->stop();
  std::string rest = one.read_some();
  while (!rest.empty()) rest = one.read_some();  // what it was told before, and the end
  EXPECT_TRUE(daemon->engine().stopped());
}

// Where few events match, what a page costs is what it looks at.
TEST_F(EventDoor, LooksAtAPartOfALongLogForOnePage) {
  open();
  const auto id = submit(R"({"kind": "a"})");
  client().ask("DELETE", "/v1/tasks/" + std::to_string(id));
  const std::uint64_t rare = daemon->engine().state()->position.value;
  for (int i = 0; i < 2; ++i) submit_many(60'000);
  const std::uint64_t end = daemon->engine().state()->position.value;
  const auto ask = [&](const std::string& query) {
    return client().ask("GET", "/v1/log?type=TaskCancelled&" + query).json();
  };
  const auto newest = ask("reverse=true");
  EXPECT_EQ(newest["items"].size(), 0U);
  EXPECT_EQ(newest["next"], std::to_string(end - limits::page_events_max + 1));
  const auto older = ask("reverse=true&page=" + newest["next"].get<std::string>());
  ASSERT_EQ(older["items"].size(), 1U);
  EXPECT_EQ(older["items"][0]["position"], rare);
  EXPECT_TRUE(older["next"].is_null());
  const auto behind = ask("from=" + std::to_string(rare + 1));
  EXPECT_EQ(behind["items"].size(), 0U);
  EXPECT_EQ(behind["next"], std::to_string(rare + limits::page_events_max));
  const auto last =
      ask("from=" + std::to_string(rare + 1) + "&page=" + behind["next"].get<std::string>());
  EXPECT_EQ(last["items"].size(), 0U);
  EXPECT_TRUE(last["next"].is_null());
  const auto in_part = ask("from=" + std::to_string(rare) +
                           "&to=" + std::to_string(rare + limits::page_events_max - 1));
  EXPECT_EQ(in_part["items"].size(), 1U);
  EXPECT_TRUE(in_part["next"].is_null());
}

TEST_F(EventDoor, PagesThroughTheLog) {
  open();
  for (int i = 0; i < 10; ++i) submit(R"({"kind": "a"})");
  auto first = client().ask("GET", "/v1/log?limit=4&type=TaskEnqueued").json();
  ASSERT_EQ(first["items"].size(), 4U);
  const std::string page = first["next"];
  auto second = client().ask("GET", "/v1/log?limit=100&type=TaskEnqueued&page=" + page).json();
  EXPECT_EQ(second["items"].size(), 6U);
  EXPECT_TRUE(second["next"].is_null());
  auto last = client().ask("GET", "/v1/log?limit=1&reverse=true").json();
  EXPECT_EQ(last["items"][0]["position"], daemon->engine().state()->position.value);
  const std::string before = last["next"];
  auto older = client().ask("GET", "/v1/log?limit=1&reverse=true&page=" + before).json();
  EXPECT_EQ(older["items"][0]["position"], daemon->engine().state()->position.value - 1);
  EXPECT_EQ(client().ask("GET", "/v1/log?reverse=perhaps").status, 400);
  EXPECT_EQ(client().ask("GET", "/v1/log?limit=0").status, 400);
  // What lies behind the last number there is would be the first page.
  EXPECT_EQ(client().ask("GET", "/v1/log?page=18446744073709551615").status, 400);
  EXPECT_EQ(client().ask("GET", "/v1/tasks?page=18446744073709551615").status, 400);
  EXPECT_EQ(client().ask("GET", "/v1/tasks?page=18446744073709551614").json()["items"].size(), 0U);
}

}  // namespace
}  // namespace almanac::test
