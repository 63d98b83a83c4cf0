#include <almanac/daemon/http_connection.h>

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace almanac {
namespace {

constexpr std::size_t read_step_bytes = 64 * limits::kibibyte;

HttpResponse timeout_answer(std::string detail, std::string next) {
  HttpResponse response = problem({ErrorCode::timed_out, std::move(detail), std::move(next)}, 408);
  response.closes = true;
  return response;
}

}  // namespace

HttpConnection::HttpConnection(std::uint64_t id, FileDescriptor socket, HttpPeer peer,
                               const Surroundings& surroundings, std::unique_ptr<TlsChannel> tls)
    : id_(id),
      socket_(std::move(socket)),
      tls_(std::move(tls)),
      peer_(std::move(peer)),
      around_(surroundings),
      parser_(surroundings.settings.body_bytes_max,
              [this](HttpRequest& request) { return around_.screen(request, peer_); }) {}

void HttpConnection::start() {
  interest_ = {.read = true, .write = false};
  watch_ = around_.loop.watch(socket_.get(), interest_,
                              [weak = weak_from_this()](Loop::Readiness ready) {
                                if (auto self = weak.lock()) self->on_ready(ready);
                              });
  begin_phase(Clock::now());
}

void HttpConnection::on_ready(Loop::Readiness ready) {
  if (ready.write) flush();
  if (ready.write && has_more_ && unwritten() == 0) pump();
  if (ready.read && !closed_) read_input();
  if (!closed_) parse();  // what has waited for room behind answers
  if (!closed_) update_interest();
}

ssize_t HttpConnection::receive(std::span<char> buffer) {
  if (tls_) return tls_->receive(socket_.get(), buffer);
  return ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
}

ssize_t HttpConnection::send(std::string_view bytes) {
  if (tls_) return tls_->send(socket_.get(), bytes);
  return ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void HttpConnection::read_input() {
  static thread_local std::array<char, read_step_bytes> buffer;
  const ssize_t size = receive(buffer);
  if (size < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    if (errno == EPROTO) around_.refused(peer_, {.status = 0});
    return close();
  }
  if (size == 0) {
    input_ended_ = true;
    // Who is answered later may have said all it has to say; who is told a story has gone.
    if (lingering_ || stream_ || (!busy_ && !has_unsent())) return close();
    return;
  }
  around_.counters.bytes_in += static_cast<std::uint64_t>(size);
  if (lingering_ || closing_ || stream_) {
    lingered_ += static_cast<std::size_t>(size);
    if (lingered_ > limits::http_linger_bytes_max) close();
    return;
  }
  input_.append(buffer.data(), static_cast<std::size_t>(size));
  parse();
}

void HttpConnection::parse() {
  if (std::exchange(parsing_, true)) return;  // the turn further down goes on
  const auto now = Clock::now();
  while (!busy_ && !closing_ && !closed_ && !stream_ && !input_.empty() &&
         unwritten() < limits::http_output_bytes_high) {
    if (!parser_.has_begun()) parser_.set_body_bytes_max(around_.settings.body_bytes_max);
    input_.erase(0, parser_.feed(input_));
    if (parser_.progress() == HttpParser::Progress::refused) {
      ++around_.counters.refused;
      const HttpResponse refusal = parser_.refusal();
      if (!refusal.is_on_record) around_.refused(peer_, refusal);
      queue(refusal, false);
      break;
    }
    if (parser_.progress() == HttpParser::Progress::complete) {
      dispatch();
      continue;
    }
    if (parser_.take_expectation()) {
      output_ += "HTTP/1.1 100 Continue\r\n\r\n";
      flush();
    }
  }
  parsing_ = false;
  if (!closed_) begin_phase(now);
}

void HttpConnection::dispatch() {
  ++around_.counters.requests;
  HttpRequest request = parser_.take();
  busy_ = true;
  keep_alive_ = request.keep_alive && !draining_;
  head_only_ = request.method == "HEAD";
  answer_fields_ = std::move(request.answer_fields);
  pass_ = std::move(request.pass);
  if (pass_) looked_ = Clock::now();
  around_.serve(*this, std::move(request));
}

void HttpConnection::answer(HttpResponse response) {
  if (closed_ || !busy_) {
    if (response.lost) response.lost();
    return;
  }
  busy_ = false;
  std::ranges::move(std::exchange(answer_fields_, {}), std::back_inserter(response.headers));
  queue(response, keep_alive_ && !response.closes && !draining_ && !input_ended_);
  if (!closed_) parse();
  if (!closed_) update_interest();
}

void HttpConnection::queue(const HttpResponse& response, bool keep_alive) {
  output_ += http_text(response, keep_alive, head_only_);
  if (response.lost) lost_.push_back({.end = output_.size(), .lost = response.lost});
  // A head alone is no story, though it says that the connection ends with one.
  const bool streams = response.stream && !head_only_;
  head_only_ = false;
  closing_ = (!keep_alive || response.stream) && !streams;
  if (!streams) pass_.reset();
  if (streams) {
    stream_ = response.stream;
    ++around_.streams;
    told_ = Clock::now();
  }
  begin_phase(Clock::now());
  flush();
  if (stream_ && !closed_) pump();
}

void HttpConnection::flush() {
  while (unwritten() > 0) {
    const ssize_t size = send(std::string_view(output_).substr(written_));
    if (size < 0) {
      if (errno == EAGAIN) return;
      if (errno == EINTR) continue;
      return close();
    }
    around_.counters.bytes_out += static_cast<std::uint64_t>(size);
    written_ += static_cast<std::size_t>(size);
    std::erase_if(lost_, [this](const Unwritten& one) { return one.end <= written_; });
    deadline_ = Clock::now() + around_.settings.write_timeout;
  }
  output_.clear();
  written_ = 0;
  if (tls_ && !tls_->flush(socket_.get())) return close();
  if (has_unsent()) return;
  if (output_.capacity() > limits::http_output_bytes_kept) std::string().swap(output_);
  finish_writing();
}

void HttpConnection::finish_writing() {
  if (closing_) return linger();
  if (stream_) return;
  // Nobody can ask for more, or nobody may.
  if (!busy_ && (input_ended_ || draining_)) return linger();
  begin_phase(Clock::now());
}

// One piece at a time: the loop has others to serve.
void HttpConnection::pump() {
  if (!stream_ || closed_ || unwritten() >= limits::http_output_bytes_high) return;
  auto more = stream_->next(limits::http_output_bytes_high);
  has_more_ = more && !more->empty();
  if (!more) {
    end_stream();
    closing_ = true;
  } else if (has_more_) {
    told_ = Clock::now();
    output_ += *more;
  }
  if (!more || has_more_) flush();
  if (closed_) return;
  begin_phase(Clock::now());
  update_interest();
}

void HttpConnection::begin_phase(Clock::time_point now) {
  const HttpSettings& settings = around_.settings;
  Phase phase = Phase::idle;
  if (lingering_) {
    phase = Phase::lingering;
  } else if (has_unsent() && !shakes_hands()) {
    phase = Phase::writing;
  } else if (stream_) {
    phase = Phase::streaming;
  } else if (busy_) {
    phase = Phase::busy;
  } else if (parser_.progress() == HttpParser::Progress::body) {
    phase = Phase::body;
  } else if (parser_.has_begun() || shakes_hands()) {
    phase = Phase::head;
  }
  if (phase == phase_ && phase != Phase::idle) return;
  phase_ = phase;
  switch (phase) {
    case Phase::idle: deadline_ = now + settings.idle_timeout; break;
    case Phase::head: deadline_ = now + settings.head_timeout; break;
    case Phase::body: deadline_ = now + settings.body_timeout; break;
    case Phase::writing: deadline_ = now + settings.write_timeout; break;
    case Phase::lingering: deadline_ = now + limits::http_linger_max; break;
    case Phase::busy:
    case Phase::streaming: deadline_ = Clock::time_point::max(); break;
  }
}

// Who may not ask any more is told no more. An answer that comes later finds nobody here.
void HttpConnection::look_again(Clock::time_point now) {
  if (!pass_ || closed_ || closing_ || now - looked_ < limits::http_pass_interval) return;
  looked_ = now;
  auto refusal = around_.withdrawn(*pass_, peer_);
  if (!refusal) return;
  refusal->closes = true;
  pass_.reset();
  if (!stream_) return answer(std::move(*refusal));
  output_ += stream_->ended_by(*refusal);
  end_stream();
  closing_ = true;
  begin_phase(now);
  flush();
  if (!closed_) update_interest();
}

void HttpConnection::sweep(Clock::time_point now) {
  look_again(now);
  if (stream_ && unwritten() == 0 && now - told_ >= limits::stream_silence_max) {
    told_ = now;
    output_ += stream_->still_here();
    begin_phase(now);
    flush();
    if (!closed_) update_interest();
  }
  if (closed_) return;
  if (phase_ == Phase::writing && !has_unsent()) begin_phase(now);
  if (now < deadline_) return;
  switch (phase_) {
    case Phase::head:
    case Phase::body: return refuse_slow();
    case Phase::writing:
      ++around_.counters.cut_off;
      close();
      break;
    default: close(); break;
  }
}

void HttpConnection::refuse_slow() {
  ++around_.counters.timed_out;
  const HttpResponse refusal = phase_ == Phase::head
                                   ? timeout_answer("the head of the request did not come in time",
                                                    "send it at once, in one piece")
                                   : timeout_answer("the body of the request did not come in time",
                                                    "send it faster, or in smaller requests");
  around_.refused(peer_, refusal);
  if (shakes_hands()) return close();
  queue(refusal, false);
  if (!closed_) update_interest();
}

void HttpConnection::drain() {
  draining_ = true;
  if (stream_) {
    end_stream();
    closing_ = true;
    if (!has_unsent()) return linger();
  }
  if (!busy_ && !has_unsent() && !lingering_) close();
}

void HttpConnection::update_interest() {
  const bool has_room = input_.size() < limits::http_input_bytes_max &&
                        (!busy_ || input_.empty()) && unwritten() < limits::http_output_bytes_high;
  const Loop::Readiness wanted{.read = !input_ended_ && (has_room || lingering_),
                               .write = has_unsent() || (stream_ && has_more_)};
  if (wanted == interest_) return;
  interest_ = wanted;
  Loop::change(*watch_, wanted);
}

// What was refused in the middle of a body must not be reset before its answer was read.
void HttpConnection::linger() {
  if (input_ended_) return close();
  if (tls_) tls_->end(socket_.get());
  ::shutdown(socket_.get(), SHUT_WR);
  lingering_ = true;
  input_.clear();
  begin_phase(Clock::now());
}

void HttpConnection::end_stream() {
  if (!stream_) return;
  stream_ = nullptr;
  --around_.streams;
}

void HttpConnection::close() {
  if (std::exchange(closed_, true)) return;
  for (const Unwritten& one : std::exchange(lost_, {})) one.lost();
  watch_.reset();
  socket_ = FileDescriptor();
  end_stream();
  around_.gone(id_);
}

}  // namespace almanac
