// The page as the daemon sends it: without a token, compressed, under a strict policy, once.
#include <almanac/tests/daemon/daemon_fixture.h>

#include <almanac/daemon/page_files.h>

#include <set>
#include <string>

namespace almanac::test {
namespace {

class Page : public DaemonTest {
 protected:
  void SetUp() override {
    ASSERT_FALSE(page_files().empty()) << "configure with ALMANAC_PAGE=ON";
    open();
  }
};

TEST_F(Page, IsSentToWhoHasNoTokenYet) {
  const HttpAnswer answer = tcp_client().ask("GET", "/");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(tcp_client().ask("GET", "/v1/tasks").status, 401);
}

TEST_F(Page, IsCompressedAndUnderAStrictPolicy) {
  for (const PageFile& file : page_files()) {
    const HttpAnswer answer = client().ask("GET", "/page/" + std::string(file.name));
    ASSERT_EQ(answer.status, 200) << file.name;
    EXPECT_EQ(answer.body, file.gzip);
    EXPECT_EQ(answer.headers.at("content-encoding"), "gzip");
    EXPECT_EQ(answer.headers.at("cache-control"), "no-cache");
    EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff");
    EXPECT_EQ(answer.headers.at("referrer-policy"), "no-referrer");
    const std::string policy = answer.headers.at("content-security-policy");
    EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"));
    EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
    EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  }
}

TEST_F(Page, IsNotSentTwiceToWhoHasIt) {
  std::set<std::string_view> etags;
  for (const PageFile& file : page_files()) {
    EXPECT_TRUE(etags.insert(file.etag).second) << file.name;
    const std::string path = "/page/" + std::string(file.name);
    const auto asked_with = [&](std::string_view known) {
      return client().ask("GET", path, {}, {{"If-None-Match", std::string(known)}});
    };
    const HttpAnswer known = asked_with(file.etag);
    EXPECT_EQ(known.status, 304);
    EXPECT_EQ(known.body, "");
    EXPECT_EQ(known.headers.at("etag"), file.etag);
    EXPECT_EQ(asked_with("\"other\", W/" + std::string(file.etag)).status, 304);
    EXPECT_EQ(asked_with("\"other\"").status, 200);
  }
}

TEST_F(Page, IsRefusedToWhoTakesNothingCompressed) {
  const auto asked_with = [&](std::string_view accepted) {
    return client().ask("GET", "/", {}, {{"Accept-Encoding", std::string(accepted)}}).status;
  };
  EXPECT_EQ(asked_with("identity"), 406);
  EXPECT_EQ(asked_with("br, gzip;q=0"), 406);
  EXPECT_EQ(asked_with("br, gzip;q=0.5"), 200);
  EXPECT_EQ(asked_with("*"), 200);
}

TEST_F(Page, HasNoOtherFiles) {
  EXPECT_EQ(client().ask("GET", "/page/other.js").status, 404);
  EXPECT_EQ(client().ask("GET", "/page/..%2Findex.html").status, 404);
  EXPECT_EQ(client().ask("POST", "/").status, 405);
}

}  // namespace
}  // namespace almanac::test
