// One connection that speaks HTTP: bytes in, requests to whoever answers them, answers out, and
// deadlines for all of it. Requests are answered one after the other, in their order.
#pragma once

#include <almanac/daemon/http_message.h>
#include <almanac/daemon/http_parser.h>
#include <almanac/daemon/http_settings.h>
#include <almanac/daemon/tls_channel.h>
#include <almanac/engine/loop.h>
#include <almanac/log/file.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// What all connections of a server have counted.
struct HttpCounters {
  std::uint64_t accepted = 0;
  std::uint64_t turned_away = 0;  // too many, or of a user that may not
  std::uint64_t requests = 0;
  std::uint64_t refused = 0;    // before anybody was asked to answer
  std::uint64_t timed_out = 0;  // deadlines of who asks
  std::uint64_t cut_off = 0;    // slow readers
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};

// Lives on the loop of its server, which owns it; all of it is for the loop's thread.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  using Clock = std::chrono::steady_clock;
  struct Surroundings {
    Loop& loop;
    const HttpSettings& settings;
    HttpCounters& counters;
    std::atomic<std::size_t>& streams;  // connections that are told a story now
    // Whether a request may come in, asked with its head alone.
    std::function<std::optional<HttpResponse>(HttpRequest&, const HttpPeer&)> screen;
    // Answers by answer(), at once or later.
    std::function<void(HttpConnection&, HttpRequest)> serve;
    // What was refused without asking anybody, and is on record nowhere yet.
    std::function<void(const HttpPeer&, const HttpResponse&)> refused = [](const HttpPeer&,
                                                                           const HttpResponse&) {};
    // Why what is told now, or waited for, has to end.
    std::function<std::optional<HttpResponse>(const HttpPass&, const HttpPeer&)> withdrawn =
        [](const HttpPass&, const HttpPeer&) { return std::nullopt; };
    std::function<void(std::uint64_t id)> gone;  // it may be destroyed
  };
  // Encrypted where there is a channel.
  HttpConnection(std::uint64_t id, FileDescriptor socket, HttpPeer peer,
                 const Surroundings& surroundings, std::unique_ptr<TlsChannel> tls = {});
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  // Begins. Not by the constructor, as it may end at once.
  void start();
  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] const HttpPeer& peer() const { return peer_; }
  // To the request it has given to serve(), once.
  void answer(HttpResponse response);
  // Asks its stream for more, if it has one.
  void pump();
  // Deadlines; and whether what stays open still may.
  void sweep(Clock::time_point now);
  // No more requests: it ends behind the answer that is on its way, and at once when there is none.
  void drain();

 private:
  void on_ready(Loop::Readiness ready);
  void read_input();
  void parse();
  void dispatch();
  void queue(const HttpResponse& response, bool keep_alive);
  void flush();
  void finish_writing();
  void begin_phase(Clock::time_point now);
  void update_interest();
  void refuse_slow();
  void linger();
  void look_again(Clock::time_point now);
  void end_stream();
  void close();
  [[nodiscard]] ssize_t receive(std::span<char> buffer);
  [[nodiscard]] ssize_t send(std::string_view bytes);
  [[nodiscard]] std::size_t unwritten() const { return output_.size() - written_; }
  // Of what was written, too, what the socket has not taken.
  [[nodiscard]] bool has_unsent() const { return unwritten() > 0 || (tls_ && tls_->unsent() > 0); }
  [[nodiscard]] bool shakes_hands() const { return tls_ && !tls_->is_open(); }

  const std::uint64_t id_;
  FileDescriptor socket_;
  std::unique_ptr<TlsChannel> tls_;
  const HttpPeer peer_;
  const Surroundings& around_;
  HttpParser parser_;
  Loop::WatchHandle watch_;
  Loop::Readiness interest_;
  std::string input_;   // read, and not given to the parser
  std::string output_;  // to be written, from written_ on
  std::size_t written_ = 0;
  std::shared_ptr<HttpStream> stream_;
  bool has_more_ = false;     // it may have: its last piece was one
  HttpFields answer_fields_;  // of the request that is being answered
  // Until an answer is written, what is to be done when it cannot be.
  struct Unwritten {
    std::size_t end;  // of the answer, in output_
    std::function<void()> lost;
  };
  std::vector<Unwritten> lost_;
  bool parsing_ = false;      // answers that come at once do not go down a level each
  bool busy_ = false;         // a request is being answered
  bool keep_alive_ = true;    // of the request that is being answered
  bool head_only_ = false;    // the same
  bool input_ended_ = false;  // nothing more comes
  bool closing_ = false;      // behind what is to be written
  bool lingering_ = false;    // all is written; what still comes is thrown away
  bool draining_ = false;
  bool closed_ = false;
  std::size_t lingered_ = 0;
  enum class Phase : std::uint8_t { idle, head, body, busy, writing, streaming, lingering };
  Phase phase_ = Phase::idle;
  Clock::time_point deadline_;
  Clock::time_point told_;        // when a stream said something last
  std::optional<HttpPass> pass_;  // of what is told or waited for
  Clock::time_point looked_;      // when it was asked whether that still holds
};

}  // namespace almanac
