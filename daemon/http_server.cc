#include <almanac/daemon/http_server.h>

#include <almanac/daemon/warning_limit.h>
#include <almanac/engine/diagnostics.h>

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

namespace almanac {

// What other threads have for the loop. Outlives the server, as replies do.
class HttpMailbox {
 public:
  struct Item {
    std::uint64_t connection;
    HttpResponse response;
  };

  // Answers false when nobody takes any more.
  bool put(Item item) {
    std::lock_guard guard(mutex_);
    if (loop_ == nullptr) return false;
    items_.push_back(std::move(item));
    loop_->wake();
    return true;
  }
  void attach(Loop* loop) {
    std::lock_guard guard(mutex_);
    loop_ = loop;
  }
  std::vector<Item> take() {
    std::lock_guard guard(mutex_);
    return std::exchange(items_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Item> items_;  // guarded by mutex_
  Loop* loop_ = nullptr;     // guarded by mutex_; none = the server has ended
};

HttpReply HttpReply::told_to(std::function<void(const HttpResponse&)> seen) const {
  HttpReply reply = *this;
  reply.seen_ = std::make_shared<const std::function<void(const HttpResponse&)>>(std::move(seen));
  return reply;
}

void HttpReply::send(HttpResponse response) const {
  if (seen_) (*seen_)(response);
  auto lost = response.lost;
  if (!mailbox_->put({connection_, std::move(response)}) && lost) lost();
}

struct HttpServer::Parts {
  Parts(std::vector<HttpListener> listeners, HttpSettings from, HttpHandlers with);
  void run();
  void on_wake();
  void on_timer();
  void pump_streams();
  void arm();
  void accept(const HttpListener& listener);
  void take_in(FileDescriptor socket, const HttpListener& listener);
  void serve(HttpConnection& connection, HttpRequest request);
  void begin_drain();
  void rest();
  void publish(std::chrono::microseconds lag);
  template <class Do>
  void each_connection(Do act);

  std::vector<HttpListener> listeners;
  HttpSettings settings;  // the loop's, as are the others that nothing is said of
  HttpHandlers handlers;
  HttpCounters counters;
  std::atomic<std::size_t> streams = 0;
  std::shared_ptr<HttpMailbox> mailbox = std::make_shared<HttpMailbox>();
  WarningLimit turned_away;
  std::optional<Loop> loop;
  HttpConnection::Surroundings surroundings;
  std::vector<Loop::WatchHandle> watches;
  std::map<std::uint64_t, std::shared_ptr<HttpConnection>> connections;
  std::uint64_t last_connection = 0;
  HttpConnection::Clock::time_point swept;
  HttpConnection::Clock::time_point pump_at;  // not before
  bool pump_waits = false;                    // for that
  bool rests = false;                         // nobody is accepted until the next look at deadlines

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  std::optional<HttpSettings> next_settings;  // guarded by mutex, as are these
  bool wants_drain = false;
  bool wants_streams = false;
  bool wants_end = false;
  bool drained = false;
  HttpFigures figures;
  std::thread thread;
};

HttpServer::Parts::Parts(std::vector<HttpListener> from, HttpSettings with_settings,
                         HttpHandlers with)
    : listeners(std::move(from)),
      settings(std::move(with_settings)),
      handlers(std::move(with)),
      loop(std::in_place, Loop::Callbacks{.on_wake = [this] { on_wake(); },
                                          .on_timer = [this] { on_timer(); },
                                          .on_signal = {}}),
      surroundings{.loop = *loop,
                   .settings = settings,
                   .counters = counters,
                   .streams = streams,
                   .screen = handlers.screen,
                   .serve = [this](HttpConnection& connection,
                                   HttpRequest request) { serve(connection, std::move(request)); },
                   .refused = handlers.refused,
                   .withdrawn = handlers.withdrawn,
                   .gone = [this](std::uint64_t id) { connections.erase(id); }} {
  mailbox->attach(&*loop);
}

void HttpServer::Parts::run() {
  for (const HttpListener& listener : listeners) {
    watches.push_back(loop->watch(listener.socket.get(), {.read = true, .write = false},
                                  [this, &listener](Loop::Readiness) { accept(listener); }));
  }
  swept = HttpConnection::Clock::now();
  loop->arm(limits::http_sweep_interval);
  loop->run();
  mailbox->attach(nullptr);
  for (auto& item : mailbox->take()) {
    if (item.response.lost) item.response.lost();
  }
  watches.clear();
  connections.clear();
  loop.reset();
}

template <class Do>
void HttpServer::Parts::each_connection(Do act) {
  std::vector<std::shared_ptr<HttpConnection>> all;
  all.reserve(connections.size());
  for (const auto& [id, connection] : connections) all.push_back(connection);
  for (const auto& connection : all) act(*connection);
}

void HttpServer::Parts::on_wake() {
  bool drains = false;
  bool streams = false;
  bool ends = false;
  {
    std::lock_guard guard(mutex);
    if (next_settings) settings = *std::exchange(next_settings, {});
    drains = std::exchange(wants_drain, false);
    streams = std::exchange(wants_streams, false);
    ends = wants_end;
  }
  for (auto& item : mailbox->take()) {
    const auto found = connections.find(item.connection);
    if (found == connections.end()) {
      if (item.response.lost) item.response.lost();
      continue;
    }
    const auto connection = found->second;  // it may end by this
    connection->answer(std::move(item.response));
  }
  if (streams) pump_streams();
  if (drains) begin_drain();
  if (ends) loop->stop();
}

// All of them together, and for half of the loop's time at most: what comes meanwhile is told in
// one piece.
void HttpServer::Parts::pump_streams() {
  using Clock = HttpConnection::Clock;
  const auto begun = Clock::now();
  if (begun < pump_at) {
    pump_waits = true;
    return arm();
  }
  pump_waits = false;
  each_connection([](HttpConnection& connection) { connection.pump(); });
  const auto ended = Clock::now();
  pump_at = ended + std::min<Clock::duration>(ended - begun, limits::stream_pause_max);
}

void HttpServer::Parts::arm() {
  auto next = swept + limits::http_sweep_interval;
  if (pump_waits) next = std::min<HttpConnection::Clock::time_point>(next, pump_at);
  const auto wait =
      std::chrono::duration_cast<std::chrono::microseconds>(next - HttpConnection::Clock::now());
  loop->arm(std::max(wait, std::chrono::microseconds(0)));
}

void HttpServer::Parts::on_timer() {
  const auto now = HttpConnection::Clock::now();
  if (pump_waits && now >= pump_at) pump_streams();
  if (now < swept + limits::http_sweep_interval) return arm();
  const auto lag = std::chrono::duration_cast<std::chrono::microseconds>(
      now - swept - limits::http_sweep_interval);
  swept = now;
  if (std::exchange(rests, false)) {
    for (const Loop::WatchHandle& watch : watches) {
      Loop::change(*watch, {.read = true, .write = false});
    }
  }
  each_connection([&](HttpConnection& connection) { connection.sweep(now); });
  publish(std::max(lag, std::chrono::microseconds(0)));
  arm();
}

void HttpServer::Parts::publish(std::chrono::microseconds lag) {
  std::lock_guard guard(mutex);
  figures = {
      .counters = counters, .connections = connections.size(), .streams = streams, .lag = lag};
  drained = watches.empty() && connections.empty();
  changed.notify_all();
}

void HttpServer::Parts::begin_drain() {
  watches.clear();
  for (HttpListener& listener : listeners) {
    listener.socket = FileDescriptor();
    if (!listener.path.empty()) ::unlink(listener.path.c_str());
  }
  each_connection([](HttpConnection& connection) { connection.drain(); });
  publish({});
}

// Without descriptors or memory: who waits would wake the loop again and again.
void HttpServer::Parts::rest() {
  rests = true;
  for (const Loop::WatchHandle& watch : watches) Loop::change(*watch, {});
  warn("no connection can be accepted", {{"reason", std::string_view(std::strerror(errno))}});
}

// Takes all that wait: one call of the loop for many.
void HttpServer::Parts::accept(const HttpListener& listener) {
  while (true) {
    FileDescriptor socket(
        ::accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.valid()) {
      if (errno == ECONNABORTED || errno == EINTR) continue;
      if (errno != EAGAIN) rest();
      return;
    }
    take_in(std::move(socket), listener);
  }
}

void HttpServer::Parts::take_in(FileDescriptor socket, const HttpListener& listener) {
  auto peer = peer_of(socket.get(), listener.is_local);
  if (!peer) return;
  if (!peer->may_ask) {
    ++counters.turned_away;
    handlers.refused(*peer, {.status = 0});
    if (const auto left_out = turned_away.take()) {
      warn("a connection of another user was turned away",
           {{"socket", std::string_view(listener.name)}, {"left_out", *left_out}});
    }
    return;
  }
  if (connections.size() >= settings.connections_max) {
    ++counters.turned_away;
    const HttpResponse refusal =
        problem({ErrorCode::busy, "there are too many connections", "close some, or try again"});
    handlers.refused(*peer, refusal);
    const std::string text = http_text(refusal, false, false);
    (void)::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    ::shutdown(socket.get(), SHUT_WR);
    return;
  }
  ++counters.accepted;
  const std::uint64_t id = ++last_connection;
  std::unique_ptr<TlsChannel> tls;
  if (!listener.is_local && settings.tls) tls = std::make_unique<TlsChannel>(settings.tls);
  const auto connection = std::make_shared<HttpConnection>(id, std::move(socket), std::move(*peer),
                                                           surroundings, std::move(tls));
  connections.emplace(id, connection);
  connection->start();
}

void HttpServer::Parts::serve(HttpConnection& connection, HttpRequest request) {
  const HttpReply reply(mailbox, connection.id());
  auto response = handlers.serve(std::move(request), connection.peer(), reply);
  if (response) connection.answer(std::move(*response));
}

HttpServer::HttpServer(std::vector<HttpListener> listeners, HttpSettings settings,
                       HttpHandlers handlers)
    : parts_(
          std::make_unique<Parts>(std::move(listeners), std::move(settings), std::move(handlers))) {
  parts_->thread = std::thread([this] { parts_->run(); });
}

HttpServer::~HttpServer() {
  {
    std::lock_guard guard(parts_->mutex);
    parts_->wants_end = true;
    parts_->wants_drain = true;
    parts_->loop->wake();
  }
  parts_->thread.join();
}

void HttpServer::change(HttpSettings settings) {
  std::lock_guard guard(parts_->mutex);
  parts_->next_settings = std::move(settings);
  parts_->loop->wake();
}

// One that begins now reads what there is behind its count.
void HttpServer::wake_streams() {
  if (parts_->streams == 0) return;
  std::lock_guard guard(parts_->mutex);
  if (std::exchange(parts_->wants_streams, true)) return;
  parts_->loop->wake();
}

void HttpServer::drain() {
  std::lock_guard guard(parts_->mutex);
  parts_->wants_drain = true;
  parts_->loop->wake();
}

bool HttpServer::wait_until_drained(std::chrono::milliseconds time_max) const {
  std::unique_lock lock(parts_->mutex);
  return parts_->changed.wait_for(lock, time_max, [this] { return parts_->drained; });
}

HttpFigures HttpServer::figures() const {
  std::lock_guard guard(parts_->mutex);
  return parts_->figures;
}

}  // namespace almanac
