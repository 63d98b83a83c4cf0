#include <almanac/tests/support/wire_client.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdlib>

namespace almanac::test {
namespace {

constexpr int patience_ms = 20'000;

}  // namespace

WireClient::WireClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* where = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket_.get(), where, sizeof(address)) != 0) socket_ = FileDescriptor();
}

bool WireClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::size_t WireClient::send_some(std::string_view bytes) {
  const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

bool WireClient::fill() {
  pollfd waiting{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&waiting, 1, patience_ms) != 1) {
    timed_out_ = true;
    return false;
  }
  std::array<char, 65'536> buffer{};
  const auto got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  unread_.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

bool WireClient::read_line(std::string& line) {
  std::size_t end = unread_.find("\r\n");
  while (end == std::string::npos) {
    if (!fill()) return false;
    end = unread_.find("\r\n");
  }
  line = unread_.substr(0, end);
  unread_.erase(0, end + 2);
  return true;
}

std::string WireClient::read() {
  timed_out_ = false;
  std::string line;
  if (!read_line(line)) return timed_out_ ? "(nothing)" : "(closed)";
  if (!line.starts_with('$')) return line;
  if (line == "$-1") return "(null)";
  const std::size_t length = std::strtoul(line.c_str() + 1, nullptr, 10);
  while (unread_.size() < length + 2) {
    if (!fill()) return timed_out_ ? "(nothing)" : "(closed)";
  }
  const std::string text = unread_.substr(0, length);
  const bool ends = unread_.substr(length, 2) == "\r\n";
  unread_.erase(0, length + 2);
  return ends ? "$ " + text : "(no end of line behind a bulk string)";
}

std::string WireClient::ask(std::string_view line) { return send_line(line) ? read() : "(closed)"; }

bool WireClient::hello(std::string_view wid) {
  if (!read().starts_with("+HI ")) return false;
  const std::string who = wid.empty() ? "" : ",\"wid\":\"" + std::string(wid) + "\"";
  return ask("HELLO {\"v\":2" + who + "}") == "+OK";
}

void WireClient::end_output() { ::shutdown(socket_.get(), SHUT_WR); }

void WireClient::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  socket_ = FileDescriptor();
}

}  // namespace almanac::test
