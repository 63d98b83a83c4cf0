#include <almanac/daemon/daemon_config.h>

#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <string>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

class ConfigFile : public ::testing::Test {
 protected:
  Result<DaemonConfig> load(const std::string& text) {
    write_file(path(), text);
    return load_daemon_config(path());
  }
  [[nodiscard]] std::string path() const { return (folder / "almanac.toml").string(); }
  TempFolder folder;
};

// Every key as its default is written.
std::string all_presets() {
  std::string text;
  std::string_view section;
  for (const ConfigKey& key : config_keys()) {
    if (key.section != section) text += "[" + std::string(key.section) + "]\n";
    section = key.section;
    text += std::string(key.name) + " = " + std::string(key.preset) + "\n";
  }
  return text;
}

TEST_F(ConfigFile, TakesEveryKeyAsItsDefaultIsWritten) {
  const auto config = load(all_presets());
  ASSERT_TRUE(config) << describe(config.error());
  const DaemonConfig preset;
  EXPECT_EQ(config->slots, preset.slots);
  EXPECT_EQ(config->grace, preset.grace);
  EXPECT_EQ(config->commands, preset.commands);
  EXPECT_EQ(config->retention.succeeded, preset.retention.succeeded);
  EXPECT_EQ(config->retention.failed, preset.retention.failed);
  EXPECT_EQ(config->retention.cancelled, preset.retention.cancelled);
  EXPECT_EQ(config->listen, preset.listen);
  EXPECT_EQ(config->is_public, preset.is_public);
  EXPECT_EQ(config->may_be_plain, preset.may_be_plain);
  EXPECT_EQ(config->wire.may_be_plain, preset.wire.may_be_plain);
  EXPECT_EQ(config->tls_certificate, preset.tls_certificate);
  EXPECT_EQ(config->tls_key, preset.tls_key);
  EXPECT_EQ(config->threads, preset.threads);
  EXPECT_EQ(config->wire.address, preset.wire.address);
  EXPECT_EQ(config->wire_password_file, preset.wire_password_file);
  EXPECT_EQ(config->wire.allows_one_round, preset.wire.allows_one_round);
  EXPECT_EQ(config->wire.connections_max, preset.wire.connections_max);
  EXPECT_EQ(config->http.body_bytes_max, preset.http.body_bytes_max);
  EXPECT_EQ(config->http.connections_max, preset.http.connections_max);
  EXPECT_EQ(config->http.head_timeout, preset.http.head_timeout);
  EXPECT_EQ(config->http.body_timeout, preset.http.body_timeout);
  EXPECT_EQ(config->http.idle_timeout, preset.http.idle_timeout);
  EXPECT_EQ(config->http.write_timeout, preset.http.write_timeout);
}

TEST_F(ConfigFile, SaysWhatItsKeysSay) {
  const auto config = load(R"(
[engine]
slots = 3
grace = "1m"
commands = false
retain_failed = "1d"
components = "parts.toml"
gpu_watch = true
[log]
file = "a.log"
format = "json"
level = "debug"
[socket]
path = "run/a.sock"
[http]
listen = "127.0.0.1:7411"
public = true
token_file = "/etc/tokens"
hosts = ["a", "b"]
origins = ["https://c"]
body_max = "1MiB"
connections_max = 7
head_timeout = "1s"
threads = 5
)");
  ASSERT_TRUE(config) << describe(config.error());
  EXPECT_EQ(config->slots, 3U);
  EXPECT_EQ(config->grace, 1min);
  EXPECT_FALSE(config->commands);
  EXPECT_EQ(config->retention.cancelled, Duration(24h));
  EXPECT_EQ(config->components, (folder / "parts.toml").string());
  EXPECT_TRUE(config->gpu_watch);
  EXPECT_EQ(config->log.file, (folder / "a.log").string());
  EXPECT_EQ(config->log.format, "json");
  EXPECT_EQ(config->log.level, "debug");
  EXPECT_EQ(config->socket_path, (folder / "run/a.sock").string());
  EXPECT_EQ(config->listen, "127.0.0.1:7411");
  EXPECT_TRUE(config->is_public);
  EXPECT_EQ(config->token_file, "/etc/tokens");
  EXPECT_EQ(config->http.hosts, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(config->http.origins, std::vector<std::string>{"https://c"});
  EXPECT_EQ(config->http.body_bytes_max, 1U << 20);
  EXPECT_EQ(config->http.connections_max, 7U);
  EXPECT_EQ(config->http.head_timeout, 1s);
  EXPECT_EQ(config->threads, 5U);
}

struct BadConfig {
  const char* text;
  const char* says;  // behind the file's name
  const char* next;
};

TEST_F(ConfigFile, IsRefusedWithThePlaceAndTheNearestName) {
  const BadConfig bad[] = {
      {"[http]\n  lisen = \"x\"\n", ":2:3: unknown key 'lisen'", "did you mean 'listen'?"},
      {"[htpp]\nlisten = \"x\"\n", ":1:2: unknown key 'htpp'", "did you mean 'http'?"},
      {"[engine]\nslots = 1\n[http]\nzzz = 1\n", ":4:1: unknown key 'zzz'", "known here: "},
      {"listen = \"x\"\n", ":1:1: unknown key 'listen'", ""},
      {"[engine]\nslots = \"many\"\n", ":2:1: 'slots' must be a whole number", ""},
      {"[engine]\nslots = 5000\n", ":2:1: ", ""},
      {"[engine]\ncommands = 1\n", ":2:1: ", ""},
      {"[http]\nhosts = \"a\"\n", ":2:1: ", ""},
      {"[http]\nbody_max = \"1GiB\"\n", ":2:1: '1GiB' is no size of a body", "64MiB"},
      {"[http]\nhead_timeout = \"0s\"\n", ":2:1: 'head_timeout' is too short", ""},
      {"[http]\nhead_timeout = \"10\"\n", ":2:1: ", ""},
      {"http = 3\n", ":1:1: 'http' is no table", "[http]"},
      {"[http\n", ":1: not valid TOML", ""},
      {"[[task]]\nname = \"a\"\n", ":1: a configuration has no tasks", ""},
  };
  for (const BadConfig& one : bad) {
    const auto config = load(one.text);
    ASSERT_FALSE(config) << one.text;
    EXPECT_EQ(config.error().code, ErrorCode::invalid);
    EXPECT_NE(config.error().message.find(path() + one.says), std::string::npos)
        << config.error().message;
    EXPECT_NE(config.error().next_step.find(one.next), std::string::npos)
        << config.error().next_step;
  }
  EXPECT_EQ(load_daemon_config((folder / "none.toml").string()).error().code, ErrorCode::not_found);
}

TEST(ConfigGuide, ShowsEveryKeyWithItsDefault) {
  const std::string guide = read_file(source_path("docs/guides/daemon.md"));
  for (const ConfigKey& key : config_keys()) {
    const std::string row = "| `" + std::string(key.section) + "." + std::string(key.name) +
                            "` | `" + std::string(key.preset) + "` | " +
                            (key.is_live ? "yes" : "no") + " | " + std::string(key.summary) + " |";
    EXPECT_NE(guide.find(row), std::string::npos) << row;
  }
}

}  // namespace
}  // namespace almanac::test
