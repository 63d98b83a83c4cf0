#include <almanac/daemon/wire_door.h>

#include <almanac/daemon/http_listener.h>
#include <almanac/log/hash.h>
#include <almanac/log/this_thread.h>

#include <algorithm>
#include <array>
#include <utility>

namespace almanac {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t read_bytes = 64 << 10;
// Before requests are read again.
constexpr int drain_rounds_max = 16;
constexpr Duration worker_interval = 15s;
// Often enough that no lease is silent for the longest time there is (limits::lease_time_max).
constexpr Duration upkeep_interval = 10min;
constexpr Duration accept_pause = 100ms;
constexpr Duration linger_time = 1s;

std::uint64_t random_number() {
  std::uint64_t number = 0;
  fill_random(std::as_writable_bytes(std::span(&number, 1)));
  return number;
}

}  // namespace

bool WirePosts::post(std::function<void()> call) {
  std::lock_guard guard(mutex_);
  if (has_ended_) return false;
  posted_.push_back(std::move(call));
  if (loop_ != nullptr && !std::exchange(is_awake_, true)) loop_->wake();
  return true;
}

void WirePosts::begin(Loop& loop) {
  std::lock_guard guard(mutex_);
  loop_ = &loop;
}

WirePosts::Calls WirePosts::take() {
  Calls next;
  next.reserve(usual_);
  {
    std::lock_guard guard(mutex_);
    posted_.swap(next);
    is_awake_ = !next.empty();
  }
  usual_ = std::max(usual_ / 2, next.size());
  return next;
}

WirePosts::Calls WirePosts::end() {
  std::lock_guard guard(mutex_);
  has_ended_ = true;
  loop_ = nullptr;
  return std::exchange(posted_, {});
}

WireDoor::WireDoor(Engine& engine, WireOptions options, WireListener listener)
    : engine_(engine),
      options_(std::move(options)),
      listener_(std::move(listener)),
      buffer_(read_bytes) {}

void WireDoor::run(const std::function<void()>& begun) {
  this_thread::set_name("almanac-wire");
  Loop loop({.on_wake = [this] { drain(); },
             .on_timer = [this] { fire_timers(); },
             .on_signal = [](int) {}});
  begin(loop);
  begun();
  loop.run();
  aside_.reset();
  connections_.clear();
  // What was leased for those who have gone goes back.
  loop_ = nullptr;
  for (const auto& call : posts_->end()) call();
  timers_.clear();
  verbs_.reset();
}

void WireDoor::begin(Loop& loop) {
  loop_ = &loop;
  posts_->begin(loop);
  aside_ = std::make_unique<WireAside>();
  verbs_ = std::make_shared<WireVerbs>(
      engine_,
      WirePorts{.post = [posts = posts_](
                            std::function<void()> call) { return posts->post(std::move(call)); },
                .after = [this](Duration wait,
                                std::function<void()> call) { after(wait, std::move(call)); },
                .aside =
                    [this](std::function<void()> call) {
                      if (aside_) aside_->call(std::move(call));
                    }},
      WireVerbOptions{.fetch_wait = options_.fetch_wait, .description = options_.description});
  verbs_->jobs().adopt();
  accepts_ = loop.watch(listener_.socket.get(), {.read = true, .write = false},
                        [this](Loop::Readiness) { accept_all(); });
  after(worker_interval, [this] { look_at_workers(); });
  after(upkeep_interval, [this] { look_at_jobs(); });
}

// Answers come one by one while others are on their way: who is told several is written to once.
void WireDoor::drain() {
  is_draining_ = true;
  for (int round = 0; round < drain_rounds_max; ++round) {
    const auto calls = posts_->take();
    if (calls.empty()) break;
    for (const auto& call : calls) call();
    for (const Number number : std::exchange(changed_, {})) update(number);
    if (round + 1 == drain_rounds_max) loop_->wake();
  }
  is_draining_ = false;
}

void WireDoor::on_change(Number number) {
  if (!is_draining_) return update(number);
  changed_.push_back(number);
}

void WireDoor::after(Duration wait, std::function<void()> call) {
  timers_.emplace(steady_time() + wait, std::move(call));
  arm();
}

void WireDoor::arm() {
  if (timers_.empty() || loop_ == nullptr) return;
  loop_->arm(std::max(Duration(0), timers_.begin()->first - steady_time()));
}

void WireDoor::fire_timers() {
  while (!timers_.empty() && timers_.begin()->first <= steady_time()) {
    const auto call = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    call();
  }
  arm();
}

void WireDoor::accept_all() {
  while (!is_stopping_) {
    FileDescriptor socket;
    const WireAccept outcome = accept_on_wire(listener_, socket);
    if (outcome == WireAccept::none) return;
    if (outcome == WireAccept::too_many) {
      Loop::change(*accepts_, {});
      return after(accept_pause, [this] {
        if (accepts_) Loop::change(*accepts_, {.read = true, .write = false});
      });
    }
    if (connections_.size() >= options_.connections_max) {
      refuse(std::move(socket));
    } else {
      add(std::move(socket));
    }
  }
}

void WireDoor::refuse(FileDescriptor socket) const {
  if (const auto peer = peer_of(socket.get(), false)) {
    WireAudit(options_.trail, peer->name).refused(RefusalReason::crowded);
  }
  if (options_.tls) return;  // there is nothing that it would understand
  (void)write_wire(socket, nullptr,
                   wire_error("too many connections: " + std::to_string(options_.connections_max)));
  end_wire_output(socket);
}

WireSessionOptions WireDoor::session_options() const {
  WireSessionOptions options{.password = options_.password,
                             .salt = {},
                             .allows_one_round = options_.allows_one_round,
                             .line_bytes_max = options_.line_bytes_max};
  if (options_.password.empty()) return options;
  std::array<char, 17> salt{};
  std::snprintf(salt.data(), salt.size(), "%llx",
                static_cast<unsigned long long>(random_number() >> 1U));
  options.salt = salt.data();
  options.iterations = 4'000 + static_cast<std::uint32_t>(random_number() % 4'096);
  return options;
}

void WireDoor::add(FileDescriptor socket) {
  const Number number = ++last_;
  WireSession::Calls calls{
      .perform =
          [this](const WireRequest& request, WireSession& session, WireSession::Done done) {
            if (WireAudit* audit = audit_of(session)) audit->count(request.verb);
            verbs_->perform(request, session, std::move(done));
          },
      .on_hello =
          [this](WireSession& session) {
            if (WireAudit* audit = audit_of(session)) audit->came(session.hello());
            verbs_->workers().join(session, steady_time());
          },
      .on_refusal =
          [this](WireSession& session, RefusalReason reason) {
            if (const WireAudit* audit = audit_of(session)) audit->refused(reason);
          },
      .on_change = [this](WireSession& session) { on_change(session.number()); }};
  Connection& connection = connections_[number];
  connection.socket = std::move(socket);
  if (options_.tls) connection.tls = std::make_unique<TlsChannel>(options_.tls);
  if (const auto peer = peer_of(connection.socket.get(), false)) {
    connection.audit = WireAudit(options_.trail, peer->name);
  }
  connection.session = std::make_shared<WireSession>(number, session_options(), std::move(calls));
  verbs_->connections = connections_.size();
  connection.wanted = {.read = true, .write = false};
  connection.watch =
      loop_->watch(connection.socket.get(), connection.wanted,
                   [this, number](Loop::Readiness ready) { on_ready(number, ready); });
  connection.session->greet();
  after(options_.greeting_timeout, [this, number] { end_greeting(number); });
  update(number);
}

void WireDoor::end_greeting(Number number) {
  const auto found = connections_.find(number);
  if (found == connections_.end() || found->second.session->is_greeted()) return;
  found->second.audit.refused(RefusalReason::timed_out);
  close(number);
}

void WireDoor::on_ready(Number number, Loop::Readiness ready) {
  const auto found = connections_.find(number);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  if (ready.read && connection.is_lingering) return read_away(connection);
  if (ready.read) read_some(connection);
  update(number);
}

WireAudit* WireDoor::audit_of(const WireSession& session) {
  const auto found = connections_.find(session.number());
  return found == connections_.end() ? nullptr : &found->second.audit;
}

// Encrypted, and not taken by the socket yet.
bool WireDoor::has_unsent(const Connection& connection) {
  return connection.tls && connection.tls->unsent() > 0;
}

// Until both sides have agreed how, nothing but that is written.
bool WireDoor::wants_to_write(const Connection& connection) {
  const bool can_go = !connection.tls || connection.tls->is_open();
  return has_unsent(connection) || (can_go && !connection.session->output().empty());
}

// A part of what there is: others are served between two parts.
void WireDoor::read_some(Connection& connection) {
  if (!connection.session->wants_input()) return;
  const WireMoved read = read_wire(connection.socket, connection.tls.get(), buffer_);
  switch (read.outcome) {
    case WireMove::moved: return connection.session->receive({buffer_.data(), read.bytes});
    case WireMove::must_wait: return;
    case WireMove::ended: return connection.session->end_input();
    case WireMove::broken:
      connection.audit.refused(RefusalReason::encryption);
      return connection.session->drop();
    case WireMove::failed: return connection.session->drop();
  }
}

void WireDoor::read_away(Connection& connection) {
  const WireMoved read = read_wire(connection.socket, connection.tls.get(), buffer_);
  if (read.outcome == WireMove::moved || read.outcome == WireMove::must_wait) return;
  close(connection.session->number());
}

// False when the connection is gone.
bool WireDoor::write_all(Connection& connection) {
  while (!connection.session->output().empty()) {
    const WireMoved written =
        write_wire(connection.socket, connection.tls.get(), connection.session->output());
    if (written.outcome == WireMove::must_wait) return true;
    if (written.outcome != WireMove::moved) return false;
    connection.session->sent(written.bytes);
  }
  return !connection.tls || connection.tls->flush(connection.socket.get());
}

void WireDoor::update(Number number) {
  const auto found = connections_.find(number);
  if (found == connections_.end() || found->second.is_lingering) return;
  Connection& connection = found->second;
  WireSession& session = *connection.session;
  if (!session.is_gone() && !write_all(connection)) session.drop();
  if (session.is_gone()) return close(number);
  if (session.is_over() && !has_unsent(connection)) return begin_lingering(number, connection);
  const Loop::Readiness wanted{.read = session.wants_input(), .write = wants_to_write(connection)};
  if (wanted == connection.wanted) return;
  connection.wanted = wanted;
  Loop::change(*connection.watch, wanted);
}

// Closed while something of it is unread, its last reply might be lost.
void WireDoor::begin_lingering(Number number, Connection& connection) {
  if (connection.tls) connection.tls->end(connection.socket.get());
  end_wire_output(connection.socket);
  if (connection.session->has_ended_input()) return close(number);
  connection.is_lingering = true;
  verbs_->workers().leave(*connection.session);
  Loop::change(*connection.watch, {.read = true, .write = false});
  after(linger_time, [this, number] { close(number); });
}

void WireDoor::close(Number number) {
  const auto found = connections_.find(number);
  if (found == connections_.end()) return;
  const auto session = found->second.session;
  found->second.audit.went();
  session->drop();
  verbs_->workers().leave(*session);
  connections_.erase(found);
  verbs_->connections = connections_.size();
  end_if_empty();
}

void WireDoor::look_at_workers() {
  for (const Number number : verbs_->workers().forget_silent(steady_time())) close(number);
  verbs_->jobs().look_at_expired();
  after(worker_interval, [this] { look_at_workers(); });
}

void WireDoor::look_at_jobs() {
  verbs_->jobs().look_after();
  after(upkeep_interval, [this] { look_at_jobs(); });
}

void WireDoor::tell_workers(std::string_view wid, WireWorkerState state) {
  verbs_->workers().tell(wid, state);
}

void WireDoor::stop() {
  if (is_stopping_) return;
  is_stopping_ = true;
  accepts_.reset();
  verbs_->jobs().stop_waiting();
  std::vector<Number> numbers;
  for (const auto& [number, connection] : connections_) numbers.push_back(number);
  for (const Number number : numbers) {
    const auto found = connections_.find(number);
    if (found == connections_.end()) continue;
    found->second.session->close_with(wire_error("shutdown in progress"));
    update(number);
  }
  after(options_.stop_grace, [this] { loop_->stop(); });
  end_if_empty();
}

void WireDoor::end_if_empty() {
  if (is_stopping_ && connections_.empty()) loop_->stop();
}

}  // namespace almanac
