#include <almanac/daemon/http_parser.h>

#include <almanac/daemon/limits.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

constexpr std::size_t body_max = 1'000;

// All of the text, so many bytes at once; the request if it is one, or the status of its refusal.
struct ParsedText {
  std::vector<HttpRequest> requests;
  int refused = 0;
  bool waits = false;  // for more
};

ParsedText parse(std::string_view text, std::size_t step = SIZE_MAX) {
  ParsedText parsed;
  HttpParser parser(body_max, [](HttpRequest&) { return std::nullopt; });
  std::string unread;
  while (true) {
    if (parser.progress() == HttpParser::Progress::refused) {
      parsed.refused = parser.refusal().status;
      return parsed;
    }
    if (parser.progress() == HttpParser::Progress::complete) {
      parsed.requests.push_back(parser.take());
      continue;
    }
    const std::size_t taken = parser.feed(unread);
    unread.erase(0, taken);
    if (taken > 0) continue;
    if (text.empty()) break;
    unread += text.substr(0, step);
    text.remove_prefix(std::min(step, text.size()));
  }
  parsed.waits = parser.has_begun();
  return parsed;
}

struct BadText {
  const char* what;
  std::string text;
  int status;
};

std::string with_fields(std::string_view fields, std::string_view body = {}) {
  return "POST /x HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

std::vector<BadText> bad_texts() {
  return {
      {"no HTTP", "hello\r\n\r\n", 400},
      {"another version", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 400},
      {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
      {"an unknown method", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"no path", "GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a tunnel", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"both lengths",
       with_fields("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {"both lengths, the other way",
       with_fields("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 400},
      {"two lengths", with_fields("Content-Length: 3\r\nContent-Length: 4\r\n"), 400},
      {"the same length twice", with_fields("Content-Length: 3\r\nContent-Length: 3\r\n"), 400},
      {"a list of lengths", with_fields("Content-Length: 3, 3\r\n"), 400},
      {"a length below zero", with_fields("Content-Length: -1\r\n"), 400},
      {"a length with a sign", with_fields("Content-Length: +3\r\n"), 400},
      {"a length in hexadecimal", with_fields("Content-Length: 0x3\r\n"), 400},
      {"a length that is too large for a number",
       with_fields("Content-Length: 99999999999999999999\r\n"), 400},
      {"another coding", with_fields("Transfer-Encoding: gzip\r\n"), 400},
      {"two codings", with_fields("Transfer-Encoding: gzip, chunked\r\n"), 400},
      {"a coding behind chunked", with_fields("Transfer-Encoding: chunked, identity\r\n"), 400},
      {"a disguised coding", with_fields("Transfer-Encoding: xchunked\r\n"), 400},
      {"two fields of codings",
       with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), 400},
      {"a space before the colon", with_fields("Transfer-Encoding : chunked\r\n"), 400},
      {"a field that goes on", with_fields("X: a\r\n b\r\n"), 400},
      {"a first field that goes on", "GET / HTTP/1.1\r\n X: a\r\nHost: a\r\n\r\n", 400},
      {"a bare line feed", "GET / HTTP/1.1\nHost: a\n\n", 400},
      {"a bare line feed in a field", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
      {"a bare carriage return", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400},
      {"a zero byte", std::string("GET / HTTP/1.1\r\nHost: a\0\r\n\r\n", 28), 400},
      {"a name with a space", with_fields("X Y: b\r\n"), 400},
      {"a bad chunk size", with_fields("Transfer-Encoding: chunked\r\n", "zz\r\n"), 400},
      {"a chunk size that overflows",
       with_fields("Transfer-Encoding: chunked\r\n", "FFFFFFFFFFFFFFFFF\r\n"), 400},
      {"a chunk without its end",
       with_fields("Transfer-Encoding: chunked\r\n", "1\r\nabc\r\n0\r\n\r\n"), 400},
      {"a chunk size ended by a bare line feed",
       with_fields("Transfer-Encoding: chunked\r\n", "1\na\r\n0\r\n\r\n"), 400},
      {"chunks in HTTP/1.0",
       "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"a body that is too long", with_fields("Content-Length: 1001\r\n"), 413},
      {"chunks that are too long",
       with_fields("Transfer-Encoding: chunked\r\n",
                   "3e9\r\n" + std::string(1'001, 'x') + "\r\n0\r\n\r\n"),
       413},
      {"an expectation", with_fields("Expect: a-miracle\r\nContent-Length: 1\r\n"), 417},
      {"a head that is too long",
       "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(limits::http_head_bytes_max, 'x'), 431},
      {"a bad escape", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"an escape that is cut", "GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"an escaped zero byte", "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a bad escape in the query", "GET /?a=%z HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  };
}

TEST(HttpParser, RefusesWhatTwoServersCouldReadInTwoWays) {
  for (const BadText& bad : bad_texts()) {
    for (const std::size_t step : {SIZE_MAX, std::size_t{1}, std::size_t{7}}) {
      const ParsedText parsed = parse(bad.text, step);
      EXPECT_EQ(parsed.refused, bad.status) << bad.what << ", " << step << " at once";
      EXPECT_TRUE(parsed.requests.empty()) << bad.what;
    }
  }
}

TEST(HttpParser, RefusesTooManyFields) {
  std::string fields;
  for (int i = 0; i < 200; ++i) fields += "X-" + std::to_string(i) + ": 1\r\n";
  EXPECT_EQ(parse(with_fields(fields)).refused, 431);
}

TEST(HttpParser, ReadsRequestsWhateverPiecesTheyComeIn) {
  const std::string text =
      "\r\nGET /v1/tasks/a%20b?limit=3&where=a%3D1+b HTTP/1.1\r\nHost: localhost\r\nX-Y:  z "
      "\r\n\r\n"
      "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
      "POST /y HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n"
      "GET /z HTTP/1.0\r\nHost: a\r\n\r\n";
  for (const std::size_t step : {SIZE_MAX, std::size_t{1}, std::size_t{3}, std::size_t{64}}) {
    const ParsedText parsed = parse(text, step);
    EXPECT_EQ(parsed.refused, 0);
    EXPECT_FALSE(parsed.waits);
    ASSERT_EQ(parsed.requests.size(), 4U) << step;
    const HttpRequest& first = parsed.requests[0];
    EXPECT_EQ(first.path, "/v1/tasks/a b");
    EXPECT_EQ(*first.parameter("limit"), "3");
    EXPECT_EQ(*first.parameter("where"), "a=1 b");
    EXPECT_EQ(*first.header("x-y"), "z");
    EXPECT_TRUE(first.keep_alive);
    EXPECT_EQ(parsed.requests[1].body, "hello");
    EXPECT_EQ(parsed.requests[2].body, "abcde");
    EXPECT_EQ(parsed.requests[2].header("trailer"), nullptr);
    EXPECT_FALSE(parsed.requests[3].keep_alive);
  }
}

TEST(HttpParser, WaitsForWhatIsNotThereYet) {
  EXPECT_FALSE(parse("").waits);
  EXPECT_TRUE(parse("GET / HT").waits);
  EXPECT_TRUE(parse("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell").waits);
}

TEST(HttpParser, AsksBeforeItTakesABody) {
  HttpParser parser(body_max, [](HttpRequest& request) {
    return std::optional(problem({ErrorCode::refused, "no " + request.path, ""}, 403));
  });
  parser.feed("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
  ASSERT_EQ(parser.progress(), HttpParser::Progress::refused);
  EXPECT_EQ(parser.refusal().status, 403);
  EXPECT_TRUE(parser.refusal().closes);
}

TEST(HttpParser, SaysOnceThatItIsToldToGoOn) {
  HttpParser parser(body_max, [](HttpRequest&) { return std::nullopt; });
  parser.feed("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_TRUE(parser.take_expectation());
  EXPECT_FALSE(parser.take_expectation());
  parser.feed("x");
  EXPECT_EQ(parser.take().body, "x");
}

TEST(HttpText, CannotBeBrokenByAValue) {
  HttpResponse response{.headers = {{"Location", "/a\r\nSet-Cookie: b"}}, .body = "{}"};
  const std::string text = http_text(response, true, false);
  EXPECT_EQ(text.find("\r\nSet-Cookie"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\r\n\r\n{}"));
  EXPECT_TRUE(http_text(response, true, true).ends_with("\r\n\r\n"));
}

TEST(Problem, HasCodeSentenceAndNextStep) {
  const auto json = nlohmann::json::parse(
      problem({ErrorCode::not_found, "there is no task 7", "list them"}).body);
  EXPECT_EQ(json["status"], 404);
  EXPECT_EQ(json["title"], "Not Found");
  EXPECT_EQ(json["code"], "not_found");
  EXPECT_EQ(json["detail"], "there is no task 7");
  EXPECT_EQ(json["next"], "list them");
  EXPECT_TRUE(json.contains("type"));
}

}  // namespace
}  // namespace almanac::test
