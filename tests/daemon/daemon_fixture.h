// A daemon in a folder of the test's own, and clients of it.
#pragma once

#include <almanac/daemon/daemon.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/http_client.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace almanac::test {

class DaemonTest : public ::testing::Test {
 protected:
  // On a free port of this machine beside its socket, with a stop that gives no time.
  void open(DaemonConfig config = {}) {
    config.listen = "127.0.0.1:0";
    config.grace = Duration(0);
    auto opened = Daemon::open({.folder = log_folder(), .config = std::move(config), .passed = {}});
    ASSERT_TRUE(opened) << describe(opened.error());
    daemon = std::move(*opened);
  }
  [[nodiscard]] std::filesystem::path log_folder() const { return folder / "log"; }
  // By the Unix socket, and by TCP.
  [[nodiscard]] HttpClient client() const { return HttpClient(daemon->socket_paths().front()); }
  [[nodiscard]] HttpClient tcp_client() const {
    return HttpClient(daemon->tcp_addresses().front());
  }
  // The first of its file of tokens.
  [[nodiscard]] std::string token() const {
    const std::string text = read_file(daemon->token_file());
    return text.substr(0, text.find_first_of(" \n"));
  }

  // One task; its number.
  std::uint64_t submit(std::string_view json) {
    const HttpAnswer answer = client().ask("POST", "/v1/tasks", json);
    EXPECT_EQ(answer.status, 201) << answer.body;
    return answer.json().value("id", std::uint64_t{0});
  }

  TempFolder folder;
  std::unique_ptr<Daemon> daemon;
};

}  // namespace almanac::test
