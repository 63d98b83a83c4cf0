// Doors that are encrypted: who gets through them, who does not, and what stays as it was.
#include <almanac/tests/daemon/daemon_fixture.h>
#include <almanac/tests/daemon/tls_client.h>
#include <almanac/tests/support/wire_client.h>

#include <almanac/daemon/tls_channel.h>

#include <sys/stat.h>

#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

class TlsTest : public DaemonTest {
 protected:
  [[nodiscard]] DaemonConfig encrypted() {
    pair = make_tls_pair(folder.path(), "first");
    DaemonConfig config;
    config.tls_certificate = pair.certificate;
    config.tls_key = pair.key;
    return config;
  }
  [[nodiscard]] std::string where() const { return daemon->tcp_addresses().front(); }
  [[nodiscard]] std::string get(const std::string& path) const {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token() +
           "\r\n\r\n";
  }
  bool is_on_record(RefusalReason reason) {
    return daemon->engine().wait(
        [&](const State& state) { return state.audits.refused_for(reason) > 0; }, 10s);
  }
  TlsPair pair;
};

TEST_F(TlsTest, AnswersWhoSpeaksIt) {
  open(encrypted());
  for (const auto speaks : {TlsClient::Speaks::anything, TlsClient::Speaks::tls_1_2_at_most}) {
    TlsClient client(where(), speaks);
    ASSERT_TRUE(client.is_open());
    EXPECT_EQ(client.version(), speaks == TlsClient::Speaks::anything ? "TLSv1.3" : "TLSv1.2");
    EXPECT_EQ(client.common_name(), "first");
    client.send(get("/v1/tasks") + get("/livez"));
    EXPECT_TRUE(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 200 OK"));
    EXPECT_TRUE(client.read_until("\r\n\r\n").find("HTTP/1.1 200 OK") != std::string::npos);
  }
  EXPECT_EQ(client().ask("GET", "/v1/tasks").status, 200) << "the Unix socket stays plain";
}

TEST_F(TlsTest, AnswersARealClient) {
  open(encrypted());
  const std::string command = "curl -s --cacert " + pair.certificate.string() +
                              " --connect-to first:443:" + where() +
                              " -o /dev/null -w '%{http_code}' https://first/livez 2>&1";
  std::FILE* curl = ::popen(command.c_str(), "r");
  ASSERT_NE(curl, nullptr);
  std::string said(100, '\0');
  said.resize(std::fread(said.data(), 1, said.size(), curl));
  ::pclose(curl);
  EXPECT_EQ(said, "421") << "it names a host that is not known here";
}

TEST_F(TlsTest, CarriesWhatIsLargeBothWays) {
  open(encrypted());
  TlsClient client(where());
  std::string lines;
  const std::string payload(2'000, 'x');
  for (int i = 0; i < 1'000; ++i)
    lines += R"({"kind": "a", "label": ")" + std::to_string(i) + R"(", "payload": ")" + payload +
             "\"}\n";
  client.send("POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token() +
              "\r\nContent-Type: application/x-ndjson\r\nContent-Length: " +
              std::to_string(lines.size()) + "\r\n\r\n" + lines);
  EXPECT_TRUE(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 201"));
  (void)client.read_until("\n");
  client.send(get("/v1/log?limit=1000"));
  EXPECT_TRUE(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
  EXPECT_GT(client.read_until("\"next\":").size(), 2'000'000U);
}

TEST_F(TlsTest, TellsEventsAsTheyCome) {
  open(encrypted());
  TlsClient client(where());
  client.send(get("/v1/events?type=TaskEnqueued"));
  EXPECT_TRUE(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
  for (int i = 0; i < 20; ++i) {
    submit(R"({"kind": "a"})");
    EXPECT_NE(client.read_until("\n\n").size(), 0U);
  }
}

TEST_F(TlsTest, RefusesWhoSpeaksPlainOrWhatIsOld) {
  open(encrypted());
  HttpClient plain(where());
  plain.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(plain.read_answer().status, 0);
  EXPECT_TRUE(is_on_record(RefusalReason::encryption));
  TlsClient old(where(), TlsClient::Speaks::tls_1_1_at_most);
  EXPECT_FALSE(old.is_open());
  EXPECT_TRUE(daemon->engine().wait(
      [](const State& state) { return state.audits.refused_for(RefusalReason::encryption) == 2; },
      10s));
  EXPECT_TRUE(TlsClient(where()).is_open());
}

TEST_F(TlsTest, EndsAHandshakeThatTakesTooLong) {
  DaemonConfig config = encrypted();
  config.http.head_timeout = 200ms;
  open(config);
  HttpClient silent(where());
  HttpClient half(where());
  half.send(std::string("\x16\x03\x01\x02", 4));
  EXPECT_EQ(silent.read_some(), "");
  EXPECT_EQ(half.read_some(), "");
  EXPECT_TRUE(is_on_record(RefusalReason::timed_out));
}

TEST_F(TlsTest, TakesAnotherCertificateAndEndsNoConnection) {
  DaemonConfig config = encrypted();
  open(config);
  TlsClient before(where());
  ASSERT_TRUE(before.is_open());
  const TlsPair second = make_tls_pair(folder.path(), "second");
  config.tls_certificate = second.certificate;
  config.tls_key = second.key;
  ASSERT_TRUE(daemon->reload(config));
  before.send(get("/livez"));
  EXPECT_TRUE(before.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
  EXPECT_EQ(TlsClient(where()).common_name(), "second");
  config.tls_key = pair.key;
  EXPECT_EQ(daemon->reload(config).error().code, ErrorCode::invalid);
  EXPECT_EQ(TlsClient(where()).common_name(), "second") << "what is wrong changes nothing";
  EXPECT_EQ(daemon->reload({}).error().code, ErrorCode::refused) << "nor does it get plain";
  EXPECT_TRUE(TlsClient(where()).is_open());
}

TEST_F(TlsTest, SpeaksTheWireProtocolToo) {
  const TlsPair wire = make_tls_pair(folder.path(), "wire");
  DaemonConfig config;
  config.wire.address = "127.0.0.1:0";
  config.wire_tls_certificate = wire.certificate;
  config.wire_tls_key = wire.key;
  open(config);
  TlsClient client(daemon->wire_address());
  ASSERT_TRUE(client.is_open());
  EXPECT_EQ(client.common_name(), "wire");
  EXPECT_EQ(client.read_until("\r\n"), "+HI {\"v\":2}\r\n");
  client.send("HELLO {\"v\":2,\"wid\":\"w-1\"}\r\n");
  EXPECT_EQ(client.read_until("\r\n"), "+OK\r\n");
  std::string pushes;
  for (int i = 0; i < 100; ++i) {
    pushes += "PUSH {\"jid\":\"job-" + std::to_string(100'000 + i) +
              "\",\"jobtype\":\"a\",\"args\":[\"" + std::string(1'000, 'x') + "\"]}\r\n";
  }
  client.send(pushes);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(client.read_until("\r\n"), "+OK\r\n");
  client.send("FETCH default\r\n");
  EXPECT_TRUE(client.read_until("\r\n").starts_with("$"));
  EXPECT_NE(client.read_until("\r\n").find("job-100000"), std::string::npos);
  HttpClient plain(daemon->wire_address());
  plain.send("HELLO {\"v\":2}\r\n");
  EXPECT_EQ(plain.read_some().find("HI"), std::string::npos);
  EXPECT_TRUE(is_on_record(RefusalReason::encryption));
}

TEST_F(TlsTest, OpensNoDoorToOthersWithoutIt) {
  DaemonConfig config{.listen = "0.0.0.0:0", .is_public = true};
  const auto refused = [&] {
    auto opened = Daemon::open({.folder = log_folder(), .config = config, .passed = {}});
    return opened ? "" : opened.error().message;
  };
  EXPECT_NE(refused().find("could be read on its way"), std::string::npos);
  config.may_be_plain = true;
  EXPECT_EQ(refused(), "");
  DaemonConfig wire;
  wire.wire.address = "0.0.0.0:0";
  wire.wire.password = "secret";
  config = wire;
  EXPECT_NE(refused().find("could be read on its way"), std::string::npos);
  config.wire.may_be_plain = true;
  EXPECT_EQ(refused(), "");
}

TEST(TlsContext, TakesOnlyAPairWhoseKeyNobodyElseCanRead) {
  const TempFolder folder;
  const TlsPair one = make_tls_pair(folder.path(), "one");
  const TlsPair two = make_tls_pair(folder.path(), "two");
  EXPECT_TRUE(TlsContext::load(one.certificate, one.key));
  EXPECT_EQ(TlsContext::load(one.certificate, two.key).error().code, ErrorCode::invalid);
  EXPECT_EQ(TlsContext::load(one.key, one.key).error().code, ErrorCode::invalid);
  EXPECT_EQ(TlsContext::load(one.certificate, one.certificate).error().code, ErrorCode::refused);
  EXPECT_EQ(TlsContext::load(folder / "none", one.key).error().code, ErrorCode::not_found);
  ::chmod(one.key.c_str(), 0640);
  EXPECT_EQ(TlsContext::load(one.certificate, one.key).error().code, ErrorCode::refused);
  write_file(two.key, "-----BEGIN PRIVATE KEY-----\nnothing\n-----END PRIVATE KEY-----\n");
  const auto broken = TlsContext::load(two.certificate, two.key);
  EXPECT_EQ(broken.error().code, ErrorCode::invalid);
  EXPECT_EQ(broken.error().message.find("nothing"), std::string::npos);
}

}  // namespace
}  // namespace almanac::test
