// One connection of the wire protocol, without its socket: bytes in, bytes out. It greets, checks
// the password, cuts lines into requests, has them performed, and answers in their order.
//
// Requests that change one job (PUSH, PUSHB, ACK) are begun before those in front of them are
// answered, and so is a FETCH of one queue; every other one waits for these. Behind all but the
// first three those that come wait.
#pragma once

#include <almanac/log/events/audit.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace almanac {

// What a client has said of itself (HELLO).
struct WireHello {
  std::string wid;  // empty = it only pushes
  std::string hostname;
  std::int64_t process_id = 0;
  std::string labels;  // a list as JSON
};

// Views into the connection's input; they die when the call that is given one returns.
struct WireRequest {
  std::string_view verb;
  std::string_view argument;  // all behind the first space
  bool has_argument = false;  // there is a space
  bool is_behind = false;     // others of its connection are under way
};

// Replies, ready to be sent.
[[nodiscard]] std::string wire_simple(std::string_view text);  // +text
[[nodiscard]] std::string wire_bulk(std::string_view text);    // $length, text
[[nodiscard]] std::string wire_null();
// -ERR text, or -CODE text; a text is cut at the end of its first line.
[[nodiscard]] std::string wire_error(std::string_view text, std::string_view code = "ERR");

// What is sent as pwdhash for a password.
[[nodiscard]] std::string wire_password_hash(std::string_view password, std::string_view salt,
                                             std::uint32_t iterations);

struct WireSessionOptions {
  std::string password;  // empty = none is asked for
  std::string salt;
  std::uint32_t iterations = 0;
  bool allows_one_round = false;  // the weak hash of clients of version 1, or that say none
  std::size_t line_bytes_max = 16 << 20;
};

// Used on one thread; owned by shared pointers, of which those who perform requests hold weak ones.
class WireSession : public std::enable_shared_from_this<WireSession> {
 public:
  using Done = std::function<void(std::string reply)>;
  struct Calls {
    // Calls `done` once, now or later, on the same thread; it may outlive the session.
    std::function<void(const WireRequest&, WireSession&, Done done)> perform;
    // Behind a HELLO that was accepted.
    std::function<void(WireSession&)> on_hello;
    // It is not let in.
    std::function<void(WireSession&, RefusalReason)> on_refusal = [](WireSession&, RefusalReason) {
    };
    // There is output, or input is wanted again, by a reply that came later.
    std::function<void(WireSession&)> on_change;
  };
  WireSession(std::uint64_t number, WireSessionOptions options, Calls calls);

  // Puts the greeting into the output. Once.
  void greet();
  void receive(std::string_view bytes);
  // No more comes. What came is still answered.
  void end_input();
  // No more is read; behind the replies that are due goes this one, and then it is over.
  void close_with(std::string reply);
  // The connection is gone.
  void drop();

  [[nodiscard]] std::string_view output() const { return std::string_view(output_).substr(sent_); }
  void sent(std::size_t bytes);
  // False while enough waits to be answered or sent.
  [[nodiscard]] bool wants_input() const;
  // Nothing more will be sent: the connection is to be closed.
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] bool is_greeted() const { return state_ != State::greeting; }
  // Nobody is there to read a reply.
  [[nodiscard]] bool is_gone() const { return is_gone_; }
  // Its other end sends no more, so perhaps nobody is there.
  [[nodiscard]] bool has_ended_input() const { return has_ended_; }
  [[nodiscard]] const WireHello& hello() const { return hello_; }
  [[nodiscard]] std::uint64_t number() const { return number_; }

 private:
  enum class State : std::uint8_t { greeting, serving, closing };
  struct Slot {
    bool is_ready = false;
    std::string reply;
  };
  void work();
  [[nodiscard]] bool take_line();
  void accept_hello(std::string_view line);
  void serve(std::string_view line);
  void answer(std::string reply);
  void fill(std::uint64_t request, std::string reply);
  void flush();
  [[nodiscard]] bool must_wait(std::string_view line) const;

  std::uint64_t number_;
  WireSessionOptions options_;
  Calls calls_;
  State state_ = State::greeting;
  WireHello hello_;
  std::string input_;
  std::size_t read_ = 0;     // of the input, into requests
  std::size_t scanned_ = 0;  // of the input, without an end of line
  std::string output_;
  std::size_t sent_ = 0;
  std::deque<Slot> slots_;      // requests that are not answered, in their order
  std::uint64_t answered_ = 0;  // in front of these
  bool waits_for_all_ = false;  // the last of them lets none begin behind it
  bool next_waits_ = false;     // the next line waits until all are answered
  bool has_ended_ = false;
  bool is_gone_ = false;
  bool is_working_ = false;
  std::string last_words_;
};

}  // namespace almanac
