#include <almanac/daemon/serve.h>

#include <almanac/daemon/daemon.h>
#include <almanac/daemon/http_route.h>
#include <almanac/daemon/service_notice.h>
#include <almanac/engine/diagnostics.h>
#include <almanac/tools/command_line.h>

#include <fmt/core.h>

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

namespace almanac {
namespace {

// How often it is looked whether the engine has ended by itself.
constexpr std::chrono::milliseconds look_interval{500};

// SIGINT, SIGTERM and SIGHUP as something to wait for. Made before any thread is, so that all of
// them leave the signals to it.
class ServeSignals {
 public:
  ServeSignals() {
    sigset_t awaited;
    ::sigemptyset(&awaited);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&awaited, signal);
    ::pthread_sigmask(SIG_BLOCK, &awaited, nullptr);
    signals_ = FileDescriptor(::signalfd(-1, &awaited, SFD_CLOEXEC | SFD_NONBLOCK));
    ALMANAC_CHECK(signals_.valid());
  }
  // The next one; none = the time was up.
  std::optional<int> wait(std::chrono::milliseconds time_max) {
    pollfd watched{.fd = signals_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&watched, 1, static_cast<int>(time_max.count())) <= 0) return std::nullopt;
    signalfd_siginfo taken{};
    if (::read(signals_.get(), &taken, sizeof(taken)) != sizeof(taken)) return std::nullopt;
    return static_cast<int>(taken.ssi_signo);
  }

 private:
  FileDescriptor signals_;
};

// What the log, the engine and its commands need beside connections.
constexpr rlim_t other_descriptors = 512;

// As far as the system lets us; what is missing then is said when it is missed.
void allow_descriptors(std::size_t connections) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = std::min<rlim_t>(limit.rlim_max, connections + other_descriptors);
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<DaemonConfig> read_config(const ServeCommand& command) {
  DaemonConfig config;
  if (!command.config.empty()) {
    auto loaded = load_daemon_config(command.config);
    if (!loaded) return std::unexpected(loaded.error());
    config = std::move(*loaded);
  }
  if (!command.listen.empty()) config.listen = command.listen;
  config.is_public = config.is_public || command.is_public;
  return config;
}

// Lines that a script can read: what was made, and where.
void print_doors(const Daemon& daemon, const ServeCommand& command) {
  fmt::print("serving {}\n", command.folder.string());
  for (const std::string& path : daemon.socket_paths()) fmt::print("socket {}\n", path);
  for (const std::string& address : daemon.tcp_addresses()) {
    fmt::print("http http{}://{}\n", daemon.is_encrypted() ? "s" : "", address);
  }
  if (!daemon.wire_address().empty()) fmt::print("faktory tcp://{}\n", daemon.wire_address());
  if (!daemon.tcp_addresses().empty()) {
    fmt::print("tokens {}\n", daemon.token_file().string());
  }
  std::fflush(stdout);
}

// What was wrong is said, and everything stays as it was; so is what needs a restart.
void reload(Daemon& daemon, const ServeCommand& command, const DaemonConfig& begun) {
  tell_reloading();
  auto config = read_config(command);
  auto done = config ? daemon.reload(*config) : std::unexpected(config.error());
  if (done) {
    note("the configuration was read again");
    const std::string keys = keys_for_restart(begun, *config);
    if (!keys.empty()) warn("keys of the configuration hold from the next start on: " + keys);
  } else {
    warn("the configuration stays as it was: " + describe(done.error()));
  }
  tell_service_manager("READY=1\n");
}

ExitCode serve_until_stopped(Daemon& daemon, const ServeCommand& command, const DaemonConfig& begun,
                             ServeSignals& signals) {
  while (!daemon.engine().stopped()) {
    const auto signal = signals.wait(look_interval);
    if (!signal) continue;
    if (*signal == SIGHUP) {
      reload(daemon, command, begun);
      continue;
    }
    break;
  }
  tell_service_manager("STOPPING=1\n");
  daemon.stop();
  if (auto failure = daemon.engine().failure()) return report(*failure);
  return ExitCode::ok;
}

}  // namespace

ExitCode serve(const ServeCommand& command) {
  if (command.routes) {
    fmt::print("{}", http_reference());
    return ExitCode::ok;
  }
  ServeSignals signals;
  auto config = read_config(command);
  if (!config) return report(config.error());
  auto passed = take_passed_listeners();
  if (!passed) return report(passed.error());
  if (auto begun = begin_log(config->log); !begun) return report(begun.error());
  set_verbosity(command.verbose ? Verbosity::everything : Verbosity::warnings);
  allow_descriptors(config->http.connections_max +
                    (config->wire.address.empty() ? 0 : config->wire.connections_max));
  auto daemon =
      Daemon::open({.folder = command.folder, .config = *config, .passed = std::move(*passed)});
  if (!daemon) return report(daemon.error());
  print_doors(**daemon, command);
  tell_service_manager("READY=1\n");
  return serve_until_stopped(**daemon, command, *config, signals);
}

void add_serve_command(CommandGroup& root) {
  auto [options, command] = root.add<ServeCommand>(
      {"serve", "Run tasks until told to stop, and answer programs",
       "almanac serve --dir work --listen 127.0.0.1:7411\n"
       "  curl --unix-socket work/daemon/http.sock http://localhost/v1/tasks"},
      serve);
  options.text("-c,--config", command.config, {"FILE", "TOML file; see docs/guides/daemon.md"});
  options.text("--listen", command.listen,
               {"HOST:PORT", "Answer HTTP by TCP too, to those who have a token"});
  options.flag("--public", command.is_public,
               "Let that be an address that others than this\nmachine can reach");
  options.flag("--routes", command.routes, "Print what can be asked over HTTP, and end");
  options.flag("-v,--verbose", command.verbose, "Say what the engine does");
}

}  // namespace almanac
