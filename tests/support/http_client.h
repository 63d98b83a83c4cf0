// A client of HTTP that says exactly the bytes it is told to, over a socket of its own.
#pragma once

#include <almanac/log/file.h>

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace almanac::test {

struct HttpAnswer {
  int status = 0;                              // 0 = none came
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
  // Of a problem.
  [[nodiscard]] std::string code() const { return json().value("code", ""); }
};

// Waits a minute at most for anything; fails the test then.
class HttpClient {
 public:
  // "127.0.0.1:7411", or the path of a Unix socket. Where nobody listens no answer comes.
  explicit HttpClient(const std::string& where);
  // The same from another address of this machine, such as 127.0.0.2.
  HttpClient(const std::string& where, const std::string& from);

  void send(std::string_view bytes);
  void end_input();  // half-closes
  // The next answer; of status 0 when the other side has closed.
  HttpAnswer read_answer();
  // What comes next, as it is; empty = the other side has closed.
  std::string read_some();
  // Reads until what came ends so, or the other side has closed.
  std::string read_until(std::string_view end);

  using Headers = std::vector<std::pair<std::string, std::string>>;
  HttpAnswer ask(std::string_view method, std::string_view target, std::string_view body = {},
                 const Headers& headers = {});
  [[nodiscard]] int descriptor() const { return socket_.get(); }

 private:
  FileDescriptor socket_;
  std::string unread_;

  void wait_a_minute_at_most();
};

}  // namespace almanac::test
