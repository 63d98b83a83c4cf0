// A server of HTTP on a loop and a thread of its own: accepts, reads, writes, keeps deadlines. What
// is asked is answered by others, at once or later, from any thread.
#pragma once

#include <almanac/daemon/http_connection.h>
#include <almanac/daemon/http_listener.h>
#include <almanac/daemon/http_message.h>
#include <almanac/daemon/http_settings.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace almanac {

class HttpMailbox;

// The way back to whoever asked. A value; any thread, also behind the server's end.
class HttpReply {
 public:
  HttpReply(std::shared_ptr<HttpMailbox> mailbox, std::uint64_t connection)
      : mailbox_(std::move(mailbox)), connection_(connection) {}
  // Once. Of a connection that has gone, `lost` of the response is called instead.
  void send(HttpResponse response) const;
  // The same way, of which `seen` is told what is sent, on the thread that sends it.
  [[nodiscard]] HttpReply told_to(std::function<void(const HttpResponse&)> seen) const;

 private:
  std::shared_ptr<HttpMailbox> mailbox_;
  std::uint64_t connection_;
  std::shared_ptr<const std::function<void(const HttpResponse&)>> seen_;
};

struct HttpHandlers {
  // On the server's thread, with the head of a request alone: an answer refuses it.
  std::function<std::optional<HttpResponse>(HttpRequest&, const HttpPeer&)> screen;
  // On the server's thread, and must return soon: the answer, or none when it comes by `reply`.
  std::function<std::optional<HttpResponse>(HttpRequest, const HttpPeer&, const HttpReply& reply)>
      serve;
  // On the server's thread: who was refused without asking any of these, and how it was answered;
  // status 0 = not at all.
  std::function<void(const HttpPeer&, const HttpResponse&)> refused = [](const HttpPeer&,
                                                                         const HttpResponse&) {};
  // On the server's thread, once a second of each answer that stays open: why it has to end.
  std::function<std::optional<HttpResponse>(const HttpPass&, const HttpPeer&)> withdrawn =
      [](const HttpPass&, const HttpPeer&) { return std::nullopt; };
};

struct HttpFigures {
  HttpCounters counters;
  std::uint64_t connections = 0;
  std::uint64_t streams = 0;
  std::chrono::microseconds lag{0};  // of the loop: how late it last looked at its deadlines
};

// Any thread but where it is said.
class HttpServer {
 public:
  HttpServer(std::vector<HttpListener> listeners, HttpSettings settings, HttpHandlers handlers);
  ~HttpServer();  // ends at once
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // From now on.
  void change(HttpSettings settings);
  // Streams may have something to tell.
  void wake_streams();
  // Listens no more; connections end behind the answers that are on their way.
  void drain();
  // Whether all of them have, within this time.
  [[nodiscard]] bool wait_until_drained(std::chrono::milliseconds time_max) const;
  [[nodiscard]] HttpFigures figures() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace almanac
