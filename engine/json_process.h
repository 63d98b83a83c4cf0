// A child process that answers requests: one line of JSON on its standard input, one on its
// standard output. What pools of reasoners in other languages are made of.
//
//   {"id":7,"request":…}   is answered by   {"id":7,"answer":…}   or   {"id":7,"error":"why not"}
//
// Whatever else it writes there is the end of it: an answer that is no such line, or of another id,
// or longer than it may be, or unasked for, or none in time. What it writes to standard error is
// kept as evidence. A compiled example is examples/reasoners.cc, with examples/reasoner.js.
#pragma once

#include <almanac/engine/command_spec.h>
#include <almanac/engine/guard.h>
#include <almanac/engine/pool.h>
#include <almanac/engine/spawn.h>
#include <almanac/log/error.h>
#include <almanac/log/file.h>
#include <almanac/log/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

struct JsonProcessSpec {
  CommandSpec command;
  std::vector<std::string> environment_allow = environment_allow_default();
  // The request of a probe, as JSON; empty = a probe only looks whether it is alive and silent.
  std::string probe = {};
  Duration probe_timeout = std::chrono::seconds(10);  // also for it to start
  std::size_t line_bytes_max = std::size_t{1} << 20;
  std::size_t evidence_bytes_max = std::size_t{4} << 10;  // the last of standard error
  // For one that is no longer needed: between the end of its input and its being killed.
  Duration stop_grace = std::chrono::seconds(1);
};

// Why a process has ended.
enum class JsonProcessEnd : std::uint8_t {
  none,       // it has not
  timed_out,  // it has not answered in time
  protocol,   // it wrote something else than one answer to what it was asked
  ended,      // by itself, or by somebody else
};

// Owns the process, which leads a session of its own; when it goes, all that the process has
// started goes as well. Used by one thread at a time. The process is killed by the kernel when the
// thread that has started it ends.
class JsonProcess {
 public:
  // Errors: those of spawn().
  [[nodiscard]] static Result<std::unique_ptr<JsonProcess>> start(const JsonProcessSpec& spec,
                                                                  const Guard& guard);
  ~JsonProcess();
  JsonProcess(const JsonProcess&) = delete;
  JsonProcess& operator=(const JsonProcess&) = delete;

  // The answer to `request`, both as JSON. Errors: invalid (no JSON), refused (it has answered with
  // an error), io (that is the end of it, and why).
  [[nodiscard]] Result<std::string> ask(std::string_view request, Duration timeout);
  // Errors: as ask().
  [[nodiscard]] Result<void> probe();
  [[nodiscard]] bool has_ended() const { return ending_ != JsonProcessEnd::none; }
  [[nodiscard]] JsonProcessEnd ending() const { return ending_; }
  // Any thread: kills it, so that what it is asked just now ends at once.
  void interrupt() const;
  // The last of what it wrote to standard error, as far as it was read: while it was asked, and at
  // its end.
  [[nodiscard]] const std::string& evidence() const { return evidence_; }
  [[nodiscard]] pid_t process() const { return spawned_.process; }

 private:
  using Moment = std::chrono::steady_clock::time_point;

  JsonProcess(const JsonProcessSpec& spec, const Guard& guard, Spawned spawned,
              FileDescriptor input, FileDescriptor errors);
  [[nodiscard]] Result<std::string> exchange(std::string line, Moment until);
  // What is there now. False: at the end of its output; nothing of errors is there.
  bool read_output();
  bool read_errors();
  [[nodiscard]] Result<void> check_silence();
  // Ends it and says why from now on; without a reason, as the process has ended by itself.
  std::unexpected<Error> end(JsonProcessEnd ending, std::string reason = {});
  void kill();

  const JsonProcessSpec spec_;
  const int guard_socket_;
  Spawned spawned_;
  FileDescriptor input_;   // ours to write
  FileDescriptor errors_;  // ours to read
  std::string output_;     // of a line that is not whole, or behind one
  std::string evidence_;
  std::uint64_t id_ = 0;  // of the last request
  JsonProcessEnd ending_ = JsonProcessEnd::none;
  std::string end_;  // why it has ended
};

// For a pool of them, with a guard of their own, so that they do not outlive this program however
// it ends. Errors: invalid (no command, a probe that is no JSON), io.
[[nodiscard]] Result<PoolFactory<JsonProcess>> json_processes(JsonProcessSpec spec);

// One request to one of a pool, the wait for it included in the time. One that has ended by it
// leaves the pool; of an error that was answered the error rules decide. Errors: those of
// Pool::check_out() and JsonProcess::ask().
[[nodiscard]] Result<std::string> ask(Pool<JsonProcess>& pool, std::string_view request,
                                      Duration timeout);

}  // namespace almanac
