#include <almanac/engine/json_process.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/sessions.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <span>
#include <utility>

#include <nlohmann/json.hpp>

namespace almanac {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

// For a process that has closed its output to be gone as well, so that its end says something.
constexpr std::chrono::milliseconds end_wait{200};

// How long poll() is to wait; never forever.
int milliseconds_until(Clock::time_point moment) {
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(moment - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(wait.count(), 0, 60'000));
}

void wait_for_end(const FileDescriptor& handle, Duration wait) {
  pollfd end{.fd = handle.get(), .events = POLLIN, .revents = 0};
  const auto until = Clock::now() + wait;
  while (::poll(&end, 1, milliseconds_until(until)) <= 0 && Clock::now() < until) {}
}

struct Pair {
  FileDescriptor ours;
  FileDescriptor theirs;
};

// Its input is a socket: writing to a pipe whose reader is gone would be a signal to the program.
Result<Pair> make_input() {
  std::array<int, 2> both{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both.data()) != 0) {
    return fail_errno(errno, "make a socket");
  }
  return Pair{FileDescriptor(both[0]), FileDescriptor(both[1])};
}

Result<Pair> make_errors() {
  std::array<int, 2> both{};
  if (::pipe2(both.data(), O_CLOEXEC) != 0) return fail_errno(errno, "make a pipe");
  ::fcntl(both[0], F_SETFL, O_NONBLOCK);
  return Pair{FileDescriptor(both[0]), FileDescriptor(both[1])};
}

// One line, whatever the text looks like; none where it is no JSON.
std::optional<std::string> request_line(std::uint64_t id, std::string_view request) {
  json parsed = json::parse(request, nullptr, false);
  if (parsed.is_discarded()) return std::nullopt;
  return "{\"id\":" + std::to_string(id) + ",\"request\":" + parsed.dump() + "}\n";
}

struct AnswerLine {
  bool is_error = false;
  std::string text;
};

// None where the line is no answer to that request.
std::optional<AnswerLine> parse_answer(std::string_view line, std::uint64_t id) {
  const json parsed = json::parse(line, nullptr, false);
  if (!parsed.is_object()) return std::nullopt;
  const auto its_id = parsed.find("id");
  if (its_id == parsed.end() || *its_id != id) return std::nullopt;
  const auto answer = parsed.find("answer");
  const auto error = parsed.find("error");
  if ((answer == parsed.end()) == (error == parsed.end())) return std::nullopt;
  if (answer != parsed.end()) return AnswerLine{.text = answer->dump()};
  if (!error->is_string()) return std::nullopt;
  return AnswerLine{.is_error = true, .text = error->get<std::string>()};
}

constexpr std::size_t excerpt_bytes_max = 200;

// The beginning of what it wrote, for a message.
std::string excerpt(std::string_view text) {
  std::string shown(text.substr(0, excerpt_bytes_max));
  std::ranges::replace_if(shown, [](unsigned char c) { return c < 0x20 || c >= 0x7f; }, '?');
  return "'" + shown + (text.size() > excerpt_bytes_max ? "…'" : "'");
}

std::string excerpt_of_end(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return excerpt(text.substr(text.size() - std::min(text.size(), excerpt_bytes_max)));
}

}  // namespace

Result<std::unique_ptr<JsonProcess>> JsonProcess::start(const JsonProcessSpec& spec,
                                                        const Guard& guard) {
  auto input = make_input();
  if (!input) return std::unexpected(input.error());
  auto errors = make_errors();
  if (!errors) return std::unexpected(errors.error());
  SpawnRequest request{.arguments = spec.command.arguments,
                       .environment = environment_of(spec.environment_allow),
                       .working_folder = spec.command.working_folder,
                       .input = input->theirs.get(),
                       .errors = errors->theirs.get(),
                       .guard_socket = guard.socket()};
  for (const auto& [name, value] : spec.command.environment) {
    set_variable(request.environment, name, value);
  }
  auto spawned = spawn(request);
  if (!spawned) return std::unexpected(spawned.error());
  return std::unique_ptr<JsonProcess>(new JsonProcess(
      spec, guard, std::move(*spawned), std::move(input->ours), std::move(errors->ours)));
}

JsonProcess::JsonProcess(const JsonProcessSpec& spec, const Guard& guard, Spawned spawned,
                         FileDescriptor input, FileDescriptor errors)
    : spec_(spec),
      guard_socket_(guard.socket()),
      spawned_(std::move(spawned)),
      input_(std::move(input)),
      errors_(std::move(errors)) {}

JsonProcess::~JsonProcess() {
  if (has_ended()) return;
  input_ = {};
  wait_for_end(spawned_.handle, spec_.stop_grace);
  kill();
}

Result<std::string> JsonProcess::ask(std::string_view request, Duration timeout) {
  const auto until = Clock::now() + std::clamp(timeout, Duration(0), limits::pool_duration_max);
  auto line = request_line(id_ + 1, request);
  if (!line) return fail(ErrorCode::invalid, "the request is no JSON: " + excerpt(request));
  if (auto silent = check_silence(); !silent) return std::unexpected(silent.error());
  ++id_;
  auto answered = exchange(std::move(*line), until);
  if (!answered) return answered;
  auto answer = parse_answer(*answered, id_);
  if (!answer) {
    return end(JsonProcessEnd::protocol, "it did not answer request " + std::to_string(id_) +
                                             " but said " + excerpt(*answered));
  }
  if (answer->is_error) return fail(ErrorCode::refused, std::move(answer->text));
  return std::move(answer->text);
}

Result<void> JsonProcess::probe() {
  if (spec_.probe.empty()) return check_silence();
  auto answer = ask(spec_.probe, spec_.probe_timeout);
  if (!answer) return std::unexpected(answer.error());
  return {};
}

// Both directions at once: a process that is busy writing may not be reading.
Result<std::string> JsonProcess::exchange(std::string line, Moment until) {
  std::string_view rest = line;
  while (true) {
    if (const auto newline = output_.find('\n'); newline != std::string::npos) {
      if (newline + 1 < output_.size() || newline > spec_.line_bytes_max) break;
      return std::exchange(output_, {}).substr(0, newline);
    }
    if (output_.size() > spec_.line_bytes_max) break;
    if (Clock::now() >= until) return end(JsonProcessEnd::timed_out, "it has not answered in time");
    std::array<pollfd, 3> streams = {
        pollfd{.fd = spawned_.output.get(), .events = POLLIN, .revents = 0},
        pollfd{.fd = errors_.get(), .events = POLLIN, .revents = 0},
        pollfd{.fd = rest.empty() ? -1 : input_.get(), .events = POLLOUT, .revents = 0}};
    if (::poll(streams.data(), streams.size(), milliseconds_until(until)) <= 0) continue;
    if (streams[1].revents != 0) (void)read_errors();
    if (streams[0].revents != 0 && !read_output()) return end(JsonProcessEnd::ended);
    if (streams[2].revents == 0) continue;
    const auto sent = ::send(input_.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) rest.remove_prefix(static_cast<std::size_t>(sent));
    if (sent < 0 && errno != EAGAIN && errno != EINTR) rest = {};  // its output tells the rest
  }
  return end(JsonProcessEnd::protocol,
             "it wrote more than one line of " + std::to_string(spec_.line_bytes_max) + " bytes");
}

bool JsonProcess::read_output() {
  std::array<char, 64 * limits::kibibyte> buffer;
  const auto size = ::read(spawned_.output.get(), buffer.data(), buffer.size());
  if (size > 0) output_.append(buffer.data(), static_cast<std::size_t>(size));
  return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

bool JsonProcess::read_errors() {
  if (!errors_.valid()) return false;
  std::array<char, 64 * limits::kibibyte> buffer;
  const auto size = ::read(errors_.get(), buffer.data(), buffer.size());
  if (size > 0) {
    evidence_.append(buffer.data(), static_cast<std::size_t>(size));
    const std::size_t most = spec_.evidence_bytes_max;
    if (evidence_.size() > most) evidence_.erase(0, evidence_.size() - most);
  } else if (size == 0) {
    errors_ = {};
  }
  return size > 0;
}

Result<void> JsonProcess::check_silence() {
  if (has_ended()) return fail(ErrorCode::io, end_);
  if (!read_output()) return end(JsonProcessEnd::ended);
  if (!output_.empty())
    return end(JsonProcessEnd::protocol, "it spoke unasked: " + excerpt(output_));
  return {};
}

std::unexpected<Error> JsonProcess::end(JsonProcessEnd ending, std::string reason) {
  if (reason.empty()) {
    wait_for_end(spawned_.handle, end_wait);
    const siginfo_t ended = wait_for(spawned_.handle, WEXITED | WNOWAIT | WNOHANG);
    reason = ended.si_pid == 0 ? "it has closed its output" : describe_end(ended);
  }
  ending_ = ending;
  kill();
  for (int reads = 0; reads < 16 && read_errors(); ++reads) {}
  end_ = spec_.command.arguments.front() + ": " + std::move(reason);
  if (!evidence_.empty()) end_ += "; its last words: " + excerpt_of_end(evidence_);
  return fail(ErrorCode::io, end_);
}

// By the handle, which stays its own whatever becomes of its number.
void JsonProcess::interrupt() const {
  ::syscall(SYS_pidfd_send_signal, spawned_.handle.get(), SIGKILL, nullptr, 0);
}

// 1. kill, its number still taken  2. tell the guard  3. only now give the number back
void JsonProcess::kill() {
  const pid_t leader = spawned_.process;
  if (is_our_child(leader)) kill_sessions(std::span(&leader, 1));
  forget(guard_socket_, leader);
  while (::waitpid(leader, nullptr, 0) < 0 && errno == EINTR) {}
}

Result<PoolFactory<JsonProcess>> json_processes(JsonProcessSpec spec) {
  if (auto command = encode(spec.command); !command) return std::unexpected(command.error());
  if (!spec.probe.empty() && !json::accept(spec.probe)) {
    return fail(ErrorCode::invalid, "the probe is no JSON: " + excerpt(spec.probe));
  }
  auto started = Guard::start();
  if (!started) return std::unexpected(started.error());
  auto guard = std::make_shared<const Guard>(std::move(*started));
  return PoolFactory<JsonProcess>{
      .create = [spec = std::move(spec), guard] { return JsonProcess::start(spec, *guard); },
      .probe = [](JsonProcess& process) { return process.probe(); }};
}

Result<std::string> ask(Pool<JsonProcess>& pool, std::string_view request, Duration timeout) {
  const auto until = Clock::now() + std::clamp(timeout, Duration(0), limits::pool_duration_max);
  auto process = pool.check_out(timeout);
  if (!process) return std::unexpected(std::move(process.error()));
  auto answer =
      (*process)->ask(request, std::chrono::duration_cast<Duration>(until - Clock::now()));
  if (answer) return answer;
  const std::string why = describe(answer.error());
  (*process)->has_ended() ? process->discard(why) : process->failed(why);
  return answer;
}

}  // namespace almanac
