#include <almanac/tools/running_daemon.h>

#include <almanac/tools/command_request.h>
#include <almanac/tools/json_fields.h>

#include <almanac/log/file.h>
#include <almanac/log/limits.h>

#include <fmt/core.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstring>
#include <fstream>
#include <utility>

namespace almanac {

using nlohmann::ordered_json;

namespace {

// For one that is asked who it is.
constexpr std::chrono::seconds hello_time_max{5};
constexpr const char* look_first = "look what there is, with `almanac list` or the like";
constexpr const char* doors_name = "daemon";  // the folder in that of the log

// Answers to commands are numbers and a few lists of them.
constexpr std::size_t answer_bytes_max = 64 * limits::mebibyte;
constexpr std::size_t address_bytes_max = sizeof(sockaddr_un::sun_path);

using Clock = std::chrono::steady_clock;

FileDescriptor connect_to(const std::string& path, std::chrono::seconds time_max) {
  sockaddr_un address{};
  if (path.size() >= sizeof(address.sun_path)) return {};
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (!socket.valid() || ::connect(socket.get(), generic, sizeof(address)) != 0) return {};
  const timeval most{.tv_sec = time_max.count(), .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
  return socket;
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// Whether there is something to read before then.
bool wait_for_input(int socket, Clock::time_point end) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd watched{.fd = socket, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&watched, 1, int(std::clamp<std::int64_t>(left, 0, INT_MAX)));
    if (ready < 0 && errno == EINTR) continue;
    return ready > 0;
  }
}

// What comes until the other side closes, the time is over, or it is more than any daemon says.
std::string receive_all(int socket, Clock::time_point end) {
  std::string text;
  std::array<char, 65'536> buffer;
  while (text.size() <= answer_bytes_max && wait_for_input(socket, end)) {
    const ssize_t size = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return {};
}

struct RawAnswer {
  int status = 0;
  std::string body;
};

std::optional<std::size_t> number_at(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

// None = it is not whole. The other side closes behind it, and says how long it is.
std::optional<RawAnswer> answer_in(const std::string& text) {
  constexpr std::string_view version = "HTTP/1.1 ";
  constexpr std::string_view length_field = "\r\nContent-Length: ";
  const auto head_end = text.find("\r\n\r\n");
  if (head_end == text.npos || !text.starts_with(version)) return std::nullopt;
  const std::string_view head = std::string_view(text).substr(0, head_end);
  const auto status = number_at(head.substr(version.size(), 3));
  if (!status) return std::nullopt;
  RawAnswer answer{int(*status), text.substr(head_end + 4)};
  const auto field = head.find(length_field);
  if (field == head.npos) return answer;
  const auto length = number_at(head.substr(field + length_field.size()));
  if (!length || *length != answer.body.size()) return std::nullopt;
  return answer;
}

std::string request_text(const CommandRequest& request) {
  std::string text =
      request.method + " " + request.path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
  if (request.body.is_null()) return text + "\r\n";
  const auto body = request.body.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  return text + fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                            body.size(), body);
}

ErrorCode error_code_of(const std::string& word) {
  for (int i = 0; i < error_code_count; ++i) {
    if (name(static_cast<ErrorCode>(i)) == word) return static_cast<ErrorCode>(i);
  }
  return ErrorCode::unknown_outcome;
}

// Empty where there is none.
std::string text_in(const ordered_json& json, const char* member) {
  if (!json.is_object()) return {};
  const auto found = json.find(member);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Error problem_in(const RawAnswer& answer) {
  const auto json = parse_json(answer.body);
  const std::string detail = json ? text_in(*json, "detail") : std::string();
  if (detail.empty()) {
    return {ErrorCode::unknown_outcome,
            fmt::format("the daemon has answered {} and no reason", answer.status), look_first};
  }
  return {error_code_of(text_in(*json, "code")), detail, text_in(*json, "next")};
}

Result<RawAnswer> send_request(const std::string& path, const CommandRequest& request,
                               std::chrono::seconds time_max) {
  const auto end = Clock::now() + time_max;
  const FileDescriptor socket = connect_to(path, time_max);
  // What answers before it has read all has refused it.
  const bool sent = socket.valid() && send_all(socket.get(), request_text(request));
  const auto answer = socket.valid() ? answer_in(receive_all(socket.get(), end)) : std::nullopt;
  if (answer) return *answer;
  if (!sent) {
    return fail(ErrorCode::stopped, "the daemon went before it had the request",
                "nothing was changed: run it again");
  }
  return fail(ErrorCode::unknown_outcome, "the daemon has not answered: it may be done or not",
              "look what there is before it is run again; what has a --key can be sent again");
}

std::string first_line(const std::filesystem::path& file) {
  std::array<char, address_bytes_max> text{};
  std::ifstream(file).getline(text.data(), text.size());
  return text.data();
}

}  // namespace

std::unexpected<Error> answer_without_sense() {
  return fail(ErrorCode::unknown_outcome, "what the daemon has answered makes no sense",
              look_first);
}

std::filesystem::path daemon_address_file(const std::filesystem::path& folder) {
  return folder / doors_name / "address";
}

std::filesystem::path daemon_socket_default(const std::filesystem::path& folder) {
  return folder / doors_name / "http.sock";
}

std::string daemon_folder_name(const std::filesystem::path& folder) {
  std::error_code error;
  const auto name = std::filesystem::canonical(folder, error);
  return error ? folder.string() : name.string();
}

std::optional<RunningDaemon> RunningDaemon::find(const std::filesystem::path& folder) {
  for (const std::string& path :
       {first_line(daemon_address_file(folder)), daemon_socket_default(folder).string()}) {
    if (path.empty()) continue;
    const auto answer = send_request(path, {"GET", "/v1"}, hello_time_max);
    if (!answer || answer->status != 200) continue;
    const auto json = parse_json(answer->body);
    if (!json || text_in(*json, "folder") != daemon_folder_name(folder)) continue;
    return RunningDaemon(path);
  }
  return std::nullopt;
}

Result<ordered_json> RunningDaemon::ask(const CommandRequest& request,
                                        std::chrono::seconds answer_time_max) const {
  auto answer = send_request(path_, request, answer_time_max);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status >= 400) return std::unexpected(problem_in(*answer));
  auto json = answer->body.empty() ? Result<ordered_json>(nullptr) : parse_json(answer->body);
  if (json && answer->status >= 200 && answer->status < 300) return json;
  return answer_without_sense();
}

}  // namespace almanac
