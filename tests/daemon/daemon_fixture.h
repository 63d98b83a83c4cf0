// A daemon in a folder of the test's own, and clients of it.
#pragma once

#include <almanac/daemon/daemon.h>
#include <almanac/daemon/token_file.h>
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
  // One that may everything, made when it is first asked for.
  [[nodiscard]] std::string token() const {
    if (token_.empty()) token_ = make_token("test", "read,submit,work,operate");
    return token_;
  }
  [[nodiscard]] std::string make_token(const std::string& name, std::string_view scopes,
                                       Duration good_for = {}) const {
    const Time now = system_time();
    auto made = add_token(daemon->token_file(),
                          {.name = name,
                           .scopes = *scopes_from(scopes),
                           .made = now,
                           .expires = good_for == Duration() ? Time() : now + good_for});
    EXPECT_TRUE(made) << describe(made.error());
    return made.value_or("");
  }

  // One task; its number.
  std::uint64_t submit(std::string_view json) {
    const HttpAnswer answer = client().ask("POST", "/v1/tasks", json);
    EXPECT_EQ(answer.status, 201) << answer.body;
    return answer.json().value("id", std::uint64_t{0});
  }

  TempFolder folder;
  std::unique_ptr<Daemon> daemon;

 private:
  mutable std::string token_;
};

}  // namespace almanac::test
