// Other programs beside a benchmark: those it asks something, and servers that it talks to.
#pragma once

#include <almanac/bench/require.h>
#include <almanac/bench/stopwatch.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

extern char** environ;

namespace almanac::bench {

// The last line a shell command prints; empty when it fails.
inline std::string last_line(const std::string& command) {
  FILE* out = ::popen((command + " 2>/dev/null").c_str(), "r");
  require(out != nullptr, "popen");
  std::string line;
  for (char buffer[1024]; std::fgets(buffer, sizeof(buffer), out) != nullptr;) line = buffer;
  const bool good = ::pclose(out) == 0;
  while (line.ends_with('\n')) line.pop_back();
  return good ? line : "";
}

inline bool is_installed(const std::string& program) {
  return !last_line("command -v " + program).empty();
}

// Those that are to end when a benchmark stops in the middle.
inline std::set<pid_t>& running_servers() {
  static std::set<pid_t> servers;
  return servers;
}
inline void end_servers() {
  for (const pid_t server : running_servers()) ::kill(server, SIGTERM);
}

// A server for as long as this lives.
class Server {
 public:
  // `output`: a file for what it prints.
  explicit Server(std::vector<std::string> words, const std::string& output = "/dev/null") {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t quiet;
    ::posix_spawn_file_actions_init(&quiet);
    ::posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT,
                                       0600);
    require(
        ::posix_spawnp(&process_, arguments[0], &quiet, nullptr, arguments.data(), environ) == 0,
        "cannot start " + words[0]);
    if (running_servers().empty()) std::atexit(end_servers);
    running_servers().insert(process_);
    ::posix_spawn_file_actions_destroy(&quiet);
  }
  ~Server() {
    running_servers().erase(process_);
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
  }
  [[nodiscard]] pid_t process() const { return process_; }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  pid_t process_ = 0;
};

// Waits some seconds for a server that begins.
inline int connect_to(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const Stopwatch watch;
  constexpr double patience = 10;
  while (watch.seconds() < patience) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
      const int on = 1;
      ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      return socket;
    }
    ::close(socket);
    ::poll(nullptr, 0, 10);  // until it listens
  }
  stop("nobody listens on port " + std::to_string(port));
}

}  // namespace almanac::bench
