// What runs on the thread of a WireServer: its connections, its timers, and what is posted to it.
#pragma once

#include <almanac/daemon/tls_channel.h>
#include <almanac/daemon/wire_aside.h>
#include <almanac/daemon/wire_audit.h>
#include <almanac/daemon/wire_server.h>
#include <almanac/daemon/wire_session.h>
#include <almanac/daemon/wire_socket.h>
#include <almanac/daemon/wire_verbs.h>
#include <almanac/engine/loop.h>
#include <almanac/engine/steady_time.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace almanac {

// What is posted to the thread of a server. Whoever holds it may outlive that: answers of the
// engine come when they come.
class WirePosts {
 public:
  using Calls = std::vector<std::function<void()>>;
  // False once it has ended, and then it is not called. Any thread.
  bool post(std::function<void()> call);
  void begin(Loop& loop);
  // Once there is none, the next one that is posted wakes the loop.
  [[nodiscard]] Calls take();
  // Nothing more is taken; what was, and was not called yet.
  [[nodiscard]] Calls end();

 private:
  std::size_t usual_ = 0;  // so many are taken at once, lately; of the loop's thread
  std::mutex mutex_;       // of all below
  Calls posted_;
  Loop* loop_ = nullptr;
  bool is_awake_ = false;  // somebody will take what is there
  bool has_ended_ = false;
};

// Made on any thread, run on one; post() may be called from any.
class WireDoor {
 public:
  WireDoor(Engine& engine, WireOptions options, WireListener listener);
  // Until stop() has been posted and all connections have gone; calls `begun` once it serves.
  void run(const std::function<void()>& begun);
  // False once it has ended, and then it is not called.
  bool post(std::function<void()> call) { return posts_->post(std::move(call)); }
  // By post().
  void stop();
  void tell_workers(std::string_view wid, WireWorkerState state);
  void change(std::shared_ptr<const TlsContext> tls) { options_.tls = std::move(tls); }
  [[nodiscard]] std::uint16_t port() const { return listener_.port; }

 private:
  using Number = std::uint64_t;
  struct Connection {
    FileDescriptor socket;
    std::unique_ptr<TlsChannel> tls;  // none = it is plain
    std::shared_ptr<WireSession> session;
    WireAudit audit = {};
    Loop::WatchHandle watch;  // dies before its socket
    Loop::Readiness wanted = {};
    bool is_lingering = false;  // all was sent; what still comes is read, so that it arrives
  };
  using Connections = std::unordered_map<Number, Connection>;

  void begin(Loop& loop);
  void drain();
  void on_change(Number number);
  void fire_timers();
  void after(Duration wait, std::function<void()> call);
  void arm();
  void accept_all();
  void add(FileDescriptor socket);
  void refuse(FileDescriptor socket) const;
  void on_ready(Number number, Loop::Readiness ready);
  void read_some(Connection& connection);
  void read_away(Connection& connection);
  [[nodiscard]] WireAudit* audit_of(const WireSession& session);
  void update(Number number);
  [[nodiscard]] static bool has_unsent(const Connection& connection);
  [[nodiscard]] static bool wants_to_write(const Connection& connection);
  [[nodiscard]] bool write_all(Connection& connection);
  void begin_lingering(Number number, Connection& connection);
  void close(Number number);
  void end_greeting(Number number);
  void look_at_workers();
  void look_at_jobs();
  void end_if_empty();
  [[nodiscard]] WireSessionOptions session_options() const;

  Engine& engine_;
  WireOptions options_;
  WireListener listener_;
  std::shared_ptr<WirePosts> posts_ = std::make_shared<WirePosts>();
  Loop* loop_ = nullptr;

  std::unique_ptr<WireAside> aside_;
  std::shared_ptr<WireVerbs> verbs_;
  Loop::WatchHandle accepts_;
  Connections connections_;
  Number last_ = 0;
  std::vector<Number> changed_;  // in this drain(): each is written to once
  bool is_draining_ = false;
  std::multimap<SteadyTime, std::function<void()>> timers_;
  std::vector<char> buffer_;
  bool is_stopping_ = false;
};

}  // namespace almanac
