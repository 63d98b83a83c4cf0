// Every rule of the wire protocol that can be seen on a connection: wire_cases.txt against a server
// with an engine behind it.
#include <almanac/daemon/wire_cron.h>
#include <almanac/daemon/wire_server.h>
#include <almanac/daemon/wire_session.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/wire_client.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

constexpr const char* password = "foobar";

struct WireCase {
  int line = 0;
  std::string section;
  std::string claim;
  std::string how;
  std::vector<std::pair<int, std::string>> steps;
};

std::string trimmed(std::string text) {
  text.erase(0, text.find_first_not_of(' '));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::vector<WireCase> read_cases() {
  std::vector<WireCase> cases;
  std::ifstream file(std::string(std::getenv("ALMANAC_SOURCE_DIR")) +
                     "/tests/daemon/wire_cases.txt");
  std::string text;
  for (int line = 1; std::getline(file, text); ++line) {
    if (text.empty() || text.starts_with('#')) continue;
    if (!text.starts_with("== ")) {
      cases.back().steps.emplace_back(line, text);
      continue;
    }
    const auto first = text.find('|');
    const auto second = text.find('|', first + 1);
    const bool has_how = second != std::string::npos;
    cases.push_back(
        {.line = line,
         .section = trimmed(text.substr(3, first - 3)),
         .claim = trimmed(text.substr(first + 1, has_how ? second - first - 1 : std::string::npos)),
         .how = has_how ? trimmed(text.substr(second + 1)) : "",
         .steps = {}});
  }
  return cases;
}

std::string unescaped(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      bytes += text[i];
      continue;
    }
    const char c = text[++i];
    if (c == 'x') {
      bytes +=
          static_cast<char>(std::strtoul(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16));
      i += 2;
    } else {
      bytes += c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' : c;
    }
  }
  return bytes;
}

// A star stands for anything.
bool is_like(std::string_view pattern, std::string_view text) {
  const auto first = pattern.find('*');
  if (first == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, first))) return false;
  text.remove_prefix(first);
  pattern.remove_prefix(first + 1);
  for (auto star = pattern.find('*'); star != std::string_view::npos; star = pattern.find('*')) {
    const auto at = text.find(pattern.substr(0, star));
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + star);
    pattern.remove_prefix(star + 1);
  }
  return text.ends_with(pattern);
}

std::string between(const std::string& text, const std::string& before, char behind) {
  const auto begin = text.find(before);
  if (begin == std::string::npos) return {};
  const auto from = begin + before.size();
  return text.substr(from, text.find(behind, from) - from);
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  if (const auto at = text.find(what); at != std::string::npos) text.replace(at, what.size(), by);
  return text;
}

// Puts in what a client makes of the greeting.
std::string with_hashes(std::string text, const std::string& greeting) {
  const std::string salt = between(greeting, "\"s\":\"", '"');
  const auto rounds = static_cast<std::uint32_t>(
      std::strtoul(between(greeting, "\"i\":", ',').c_str(), nullptr, 10));
  const std::string hash = wire_password_hash(password, salt, rounds);
  std::string upper = hash;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  text = replaced(std::move(text), "%HASH%", hash);
  text = replaced(std::move(text), "%HASH1%", wire_password_hash(password, salt, 1));
  return replaced(std::move(text), "%UPPER%", upper);
}

class WireProbe : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder = new TempFolder();
    auto opened = Engine::open({.folder = *folder / "log"});
    ASSERT_TRUE(opened) << opened.error().message;
    engine = opened->release();
    open("", {});
    open("password", {.password = password});
    open("oneround", {.password = password, .allows_one_round = true});
    open("patient", {}, std::chrono::seconds(20));
    open("cron", {}, std::chrono::seconds(20));
  }
  static void open(const std::string& how, WireOptions options,
                   Duration fetch_wait = std::chrono::milliseconds(40)) {
    options.address = "127.0.0.1:0";
    options.fetch_wait = fetch_wait;
    auto server = WireServer::open(*engine, std::move(options));
    ASSERT_TRUE(server) << server.error().message;
    servers[how] = std::move(*server);
  }
  static void TearDownTestSuite() {
    servers.clear();
    delete engine;
    delete folder;
  }

  // The job of every second, while one of its cases is looked at.
  class EverySecond {
   public:
    explicit EverySecond(bool is_wanted) : is_wanted_(is_wanted) {
      if (!is_wanted_) return;
      const auto set = set_wire_crons(
          *engine, {{.schedule = "* * * * * *",
                     .job = R"({"jobtype":"Report","queue":"nightly","args":["daily",1],"retry":3,)"
                            R"("custom":{"a":1.5},"reserve_for":90})"}});
      EXPECT_TRUE(set) << describe(set.error());
    }
    ~EverySecond() {
      if (!is_wanted_) return;
      EXPECT_TRUE(set_wire_crons(*engine, {}));
    }
    EverySecond(const EverySecond&) = delete;
    EverySecond& operator=(const EverySecond&) = delete;

   private:
    bool is_wanted_;
  };

  // Runs a case; answers what went otherwise.
  std::string run(const WireCase& one) {
    std::string how = one.how;
    const bool is_raw = how.find("raw") != std::string::npos;
    how = trimmed(replaced(how, "raw", ""));
    const std::uint16_t port = servers[how]->port();
    if (how.empty() || how == "patient" || how == "cron") {
      WireClient cleaner(port);
      if (!cleaner.hello() || cleaner.ask("FLUSH") != "+OK") return "it could not be begun";
    }
    const EverySecond every_second(how == "cron");
    std::map<char, std::unique_ptr<WireClient>> clients;
    char current = '1';
    std::string greeting;
    std::map<std::string, std::string> bids;  // by the name that stands for them
    const auto with_bids = [&](std::string text) {
      for (const auto& [name, bid] : bids) text = replaced(std::move(text), name, bid);
      return text;
    };
    const auto client = [&]() -> WireClient& {
      auto& found = clients[current];
      if (!found) {
        found = std::make_unique<WireClient>(port);
        if (!is_raw) (void)found->hello(std::string("w") + current);
      }
      return *found;
    };
    (void)client();
    for (const auto& [line, text] : one.steps) {
      if (text.starts_with('@')) {
        current = text[1];
      } else if (text.starts_with(">> ")) {
        (void)client().send(unescaped(text.substr(3)));
      } else if (text.starts_with("> ")) {
        (void)client().send_line(with_bids(with_hashes(text.substr(2), greeting)));
      } else {
        const std::string got = client().read();
        if (got.starts_with("+HI ")) greeting = got;
        // The first time it is any that is given.
        if (text.starts_with("< $ %BID") && !bids.contains(text.substr(4)) &&
            got.starts_with("$ faktory-b-")) {
          bids[text.substr(4)] = got.substr(2);
          continue;
        }
        if (is_like(with_bids(text.substr(2)), got)) continue;
        return "line " + std::to_string(line) + "\n  wanted " + text.substr(2) + "\n  got    " +
               got;
      }
    }
    return {};
  }

  static TempFolder* folder;
  static Engine* engine;
  static std::map<std::string, std::unique_ptr<WireServer>> servers;
};
TempFolder* WireProbe::folder = nullptr;
Engine* WireProbe::engine = nullptr;
std::map<std::string, std::unique_ptr<WireServer>> WireProbe::servers;

TEST_F(WireProbe, FindsEveryRuleKept) {
  const auto cases = read_cases();
  EXPECT_GE(cases.size(), 150U);
  std::size_t kept = 0;
  for (const WireCase& one : cases) {
    const std::string fault = run(one);
    EXPECT_EQ(fault, "") << one.section << ": " << one.claim;
    kept += fault.empty() ? 1 : 0;
  }
  std::printf("%zu of %zu rules are kept\n", kept, cases.size());
}

// It must be able to find one that is not.
TEST_F(WireProbe, FindsARuleBroken) {
  EXPECT_EQ(run({.steps = {{7, "> INFOX"}, {8, "< +OK"}}}),
            "line 8\n  wanted +OK\n  got    -ERR unknown command INFOX");
  EXPECT_TRUE(is_like("a*b*", "a--b--"));
  EXPECT_FALSE(is_like("a*b", "a--b--"));
  EXPECT_FALSE(is_like("*bb*", "ab"));
}

// From the suite of the protocol's client in Ruby.
TEST(WirePassword, IsHashedAsClientsDo) {
  EXPECT_EQ(wire_password_hash("foobar", "55104dc76695721d", 1545),
            "6d877f8e5544b1f2598768f817413ab8a357afffa924dedae99eb91472d4ec30");
}

}  // namespace
}  // namespace almanac::test
