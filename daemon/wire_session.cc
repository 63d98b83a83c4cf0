#include <almanac/daemon/wire_session.h>

#include <almanac/daemon/wire_json.h>
#include <almanac/engine/pool_memory.h>
#include <almanac/log/sha256.h>

#include <algorithm>
#include <array>
#include <utility>

namespace almanac {
namespace {

// Requests of one connection that are performed at once.
constexpr std::size_t overlap_max = 128;
// Replies that wait for a slow reader: with as much no more of its requests is begun.
constexpr std::size_t unsent_bytes_max = 1 << 20;
// The longest HELLO: nothing is known yet of who sends it.
constexpr std::size_t hello_bytes_max = 64 << 10;
// Input that is kept while nothing of it may begin.
constexpr std::size_t unread_bytes_max = 64 << 10;

// Equal in a time that says nothing of where they differ.
bool is_same_secret(std::string_view one, std::string_view other) {
  if (one.size() != other.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    difference |= static_cast<unsigned char>(one[i]) ^ static_cast<unsigned char>(other[i]);
  }
  return difference == 0;
}

bool may_overlap(std::string_view verb) {
  return verb == "PUSH" || verb == "PUSHB" || verb == "ACK";
}

// It takes what the engine has when it comes to it, and that is behind those in front of it. Of
// several queues the published state says which one is first.
bool may_follow(const WireRequest& request) {
  return request.verb == "FETCH" && request.has_argument &&
         request.argument.find(' ') == std::string_view::npos;
}

WireRequest request_of(std::string_view line) {
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return {line, {}, false};
  return {line.substr(0, space), line.substr(space + 1), true};
}

std::string text_of(const std::vector<WireMember>& members, std::string_view name) {
  const WireValue* found = find_member(members, name);
  return found != nullptr && found->kind == WireKind::string ? found->string : std::string();
}

}  // namespace

std::string wire_simple(std::string_view text) { return "+" + std::string(text) + "\r\n"; }

std::string wire_bulk(std::string_view text) {
  std::string reply = "$" + std::to_string(text.size()) + "\r\n";
  reply.reserve(reply.size() + text.size() + 2);
  return reply.append(text).append("\r\n");
}

std::string wire_null() { return "$-1\r\n"; }

std::string wire_error(std::string_view text, std::string_view code) {
  text = text.substr(0, std::min(text.find_first_of("\r\n"), std::size_t{512}));
  return "-" + std::string(code) + " " + std::string(text) + "\r\n";
}

std::string wire_password_hash(std::string_view password, std::string_view salt,
                               std::uint32_t iterations) {
  auto hash = sha256(as_bytes(std::string(password) + std::string(salt)));
  for (std::uint32_t i = 1; i < iterations; ++i) hash = sha256(hash);
  return to_hex(hash);
}

WireSession::WireSession(std::uint64_t number, WireSessionOptions options, Calls calls)
    : number_(number), options_(std::move(options)), calls_(std::move(calls)) {}

void WireSession::greet() {
  if (options_.password.empty()) {
    output_ += wire_simple(R"(HI {"v":2})");
  } else {
    output_ += wire_simple("HI {\"v\":2,\"i\":" + std::to_string(options_.iterations) +
                           ",\"s\":\"" + options_.salt + "\"}");
  }
}

void WireSession::receive(std::string_view bytes) {
  if (state_ == State::closing) return;
  // Also where something always waits behind what was read.
  if (read_ == input_.size() || read_ > unread_bytes_max) {
    input_.erase(0, read_);
    scanned_ -= std::min(scanned_, std::exchange(read_, 0));
  }
  input_ += bytes;
  work();
}

void WireSession::end_input() {
  has_ended_ = true;
  work();
}

void WireSession::close_with(std::string reply) {
  if (state_ == State::closing) return;
  state_ = State::closing;
  last_words_ = std::move(reply);
  flush();
}

void WireSession::drop() {
  is_gone_ = true;
  state_ = State::closing;
  output_.clear();
  sent_ = 0;
}

void WireSession::sent(std::size_t bytes) {
  sent_ += bytes;
  if (sent_ == output_.size()) {
    output_.clear();
    sent_ = 0;
  } else if (sent_ > unsent_bytes_max) {
    output_.erase(0, std::exchange(sent_, 0));
  }
  work();
}

bool WireSession::wants_input() const {
  if (state_ == State::closing || has_ended_) return false;
  const bool is_held_up = waits_for_all_ || next_waits_ || slots_.size() >= overlap_max ||
                          output().size() >= unsent_bytes_max;
  return !is_held_up || input_.size() - read_ < unread_bytes_max;
}

bool WireSession::is_over() const {
  if (is_gone_) return true;
  return state_ == State::closing && slots_.empty() && output().empty();
}

// Performs what may be performed. What is performed may answer at once, and so come back here.
void WireSession::work() {
  if (is_working_) return;
  is_working_ = true;
  while (state_ != State::closing && take_line()) {}
  is_working_ = false;
  // Behind a full output there may be more requests.
  const bool is_done = slots_.empty() && output().size() < unsent_bytes_max;
  if (has_ended_ && state_ != State::closing && is_done) state_ = State::closing;
}

// False when there is none, or it may not be begun yet.
bool WireSession::take_line() {
  next_waits_ = false;
  if (waits_for_all_ || slots_.size() >= overlap_max || output().size() >= unsent_bytes_max) {
    return false;
  }
  const auto end = input_.find('\n', std::max(scanned_, read_));
  const bool is_there = end != std::string::npos;
  const std::size_t length = (is_there ? end : input_.size()) - read_;
  const std::size_t length_max = state_ == State::greeting
                                     ? std::min(hello_bytes_max, options_.line_bytes_max)
                                     : options_.line_bytes_max;
  if (length > length_max) {
    calls_.on_refusal(*this, RefusalReason::too_large);
    close_with(wire_error("a line has at most " + std::to_string(length_max) + " bytes"));
    return false;
  }
  if (!is_there) {
    scanned_ = input_.size();
    if (read_ > 0) {
      input_.erase(0, read_);
      scanned_ -= std::exchange(read_, 0);
    }
    return false;
  }
  std::string_view line(input_.data() + read_, length);
  if (line.ends_with('\r')) line.remove_suffix(1);
  next_waits_ = state_ == State::serving && must_wait(line);
  if (next_waits_) return false;
  read_ = end + 1;
  if (state_ == State::greeting) {
    accept_hello(line);
  } else {
    serve(line);
  }
  return true;
}

bool WireSession::must_wait(std::string_view line) const {
  return !slots_.empty() && !may_overlap(request_of(line).verb) && !may_follow(request_of(line));
}

void WireSession::accept_hello(std::string_view line) {
  constexpr std::string_view verb = "HELLO ";
  const bool is_hello = line.starts_with("HELLO {");
  auto members = parse_wire_object(is_hello ? line.substr(verb.size()) : std::string_view());
  if (!members) {
    calls_.on_refusal(*this, RefusalReason::malformed);
    return close_with({});
  }
  if (!options_.password.empty()) {
    const WireValue* version = find_member(*members, "v");
    const bool is_old = version == nullptr || wire_whole_number(*version).value_or(0) < 2;
    const std::uint32_t rounds =
        is_old && options_.allows_one_round ? 1 : std::max(options_.iterations, 1U);
    const auto wanted = wire_password_hash(options_.password, options_.salt, rounds);
    if (!is_same_secret(text_of(*members, "pwdhash"), wanted)) {
      calls_.on_refusal(*this, RefusalReason::password);
      return close_with(wire_error("Invalid password"));
    }
  }
  hello_.wid = text_of(*members, "wid");
  hello_.hostname = text_of(*members, "hostname");
  const WireValue* process = find_member(*members, "pid");
  if (process != nullptr) hello_.process_id = wire_whole_number(*process).value_or(0);
  const WireValue* labels = find_member(*members, "labels");
  if (labels != nullptr && labels->kind == WireKind::list) hello_.labels = labels->text;
  state_ = State::serving;
  calls_.on_hello(*this);
  output_ += wire_simple("OK");
}

void WireSession::serve(std::string_view line) {
  WireRequest request = request_of(line);
  if (request.verb == "END") return close_with({});
  request.is_behind = !slots_.empty();
  const std::uint64_t number = answered_ + slots_.size();
  slots_.emplace_back();
  waits_for_all_ = !may_overlap(request.verb);
  calls_.perform(request, *this, pooled([self = weak_from_this(), number](std::string reply) {
                   if (const auto session = self.lock()) session->fill(number, std::move(reply));
                 }));
}

void WireSession::fill(std::uint64_t request, std::string reply) {
  if (request < answered_) return;  // it was answered before
  slots_[request - answered_] = {.is_ready = true, .reply = std::move(reply)};
  flush();
  if (is_working_) return;
  work();
  calls_.on_change(*this);
}

void WireSession::flush() {
  for (; !slots_.empty() && slots_.front().is_ready; ++answered_) {
    if (!is_gone_) output_ += slots_.front().reply;
    slots_.pop_front();
  }
  if (!slots_.empty()) return;
  waits_for_all_ = false;
  if (state_ == State::closing) output_ += std::exchange(last_words_, {});
}

}  // namespace almanac
