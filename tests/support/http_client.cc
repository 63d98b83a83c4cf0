#include <almanac/tests/support/http_client.h>

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

namespace almanac::test {
namespace {

FileDescriptor connect_locally(const std::string& path) {
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof(address.sun_path) - 1));
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket.get(), generic, sizeof(address)) != 0) return {};
  return socket;
}

FileDescriptor connect_by_tcp(const std::string& where, const char* from = nullptr) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (from != nullptr) {
    sockaddr_in source{};
    source.sin_family = AF_INET;
    ::inet_pton(AF_INET, from, &source.sin_addr);
    const auto* generic = reinterpret_cast<const sockaddr*>(&source);
    EXPECT_EQ(::bind(socket.get(), generic, sizeof(source)), 0);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port =
      htons(static_cast<std::uint16_t>(std::stoi(where.substr(where.find(':') + 1))));
  ::inet_pton(AF_INET, where.substr(0, where.find(':')).c_str(), &address.sin_addr);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket.get(), generic, sizeof(address)) != 0) return {};
  return socket;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

HttpClient::HttpClient(const std::string& where)
    : socket_(where.starts_with('/') ? connect_locally(where) : connect_by_tcp(where)) {
  wait_a_minute_at_most();
}

HttpClient::HttpClient(const std::string& where, const std::string& from)
    : socket_(connect_by_tcp(where, from.c_str())) {
  wait_a_minute_at_most();
}

void HttpClient::wait_a_minute_at_most() {
  const timeval minute{.tv_sec = 60, .tv_usec = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof(minute));
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &minute, sizeof(minute));
}

// Whoever refuses something may close while it is still being sent.
void HttpClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void HttpClient::end_input() { ::shutdown(socket_.get(), SHUT_WR); }

std::string HttpClient::read_some() {
  if (!unread_.empty()) return std::exchange(unread_, {});
  std::array<char, 65'536> buffer;
  ssize_t size = 0;
  do {  // children of the test end, of which it is told by a signal
    size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  } while (size < 0 && errno == EINTR);
  EXPECT_FALSE(size < 0 && errno == EAGAIN) << "nothing came in a minute";
  return size <= 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(size));
}

std::string HttpClient::read_until(std::string_view end) {
  std::string text;
  while (true) {
    const auto found = text.find(end);
    if (found != std::string::npos) {
      unread_ = text.substr(found + end.size()) + unread_;
      text.resize(found + end.size());
      return text;
    }
    const std::string more = read_some();
    if (more.empty()) return text;
    text += more;
  }
}

HttpAnswer HttpClient::read_answer() {
  HttpAnswer answer;
  const std::string head = read_until("\r\n\r\n");
  if (!head.starts_with("HTTP/1.1 ")) return answer;
  answer.status = std::stoi(head.substr(9, 3));
  for (std::size_t begin = head.find("\r\n") + 2; begin < head.size();) {
    const std::size_t end = head.find("\r\n", begin);
    const std::size_t colon = head.find(':', begin);
    if (end == begin || colon > end) break;
    answer.headers[lower(head.substr(begin, colon - begin))] =
        head.substr(colon + 2, end - colon - 2);
    begin = end + 2;
  }
  const auto length = answer.headers.find("content-length");
  std::size_t wanted = length == answer.headers.end() ? 0 : std::stoul(length->second);
  while (answer.body.size() < wanted) {
    const std::string more = read_some();
    if (more.empty()) break;
    answer.body += more;
  }
  if (answer.body.size() > wanted) {
    unread_ = answer.body.substr(wanted) + unread_;
    answer.body.resize(wanted);
  }
  return answer;
}

HttpAnswer HttpClient::ask(std::string_view method, std::string_view target, std::string_view body,
                           const Headers& headers) {
  std::string text = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\n";
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(headers, [&](const auto& one) { return lower(one.first) == name; });
  };
  if (!has("host")) text += "Host: localhost\r\n";
  if (!body.empty() && !has("content-type")) text += "Content-Type: application/json\r\n";
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  send(text + "\r\n" + std::string(body));
  return read_answer();
}

}  // namespace almanac::test
