#include <almanac/bench/scheduler/peers.h>

#include <almanac/bench/peer_process.h>

#include <cstdlib>
#include <string_view>

namespace almanac::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::uint16_t beanstalkd_port = 21'300;
constexpr std::uint16_t redis_port = 21'301;
constexpr std::uint16_t postgres_port = 21'302;
constexpr std::uint16_t rabbitmq_port = 21'303;  // and the two behind it

// One job after the other through a connection: put, reserve, delete.
class BeanstalkdClient {
 public:
  explicit BeanstalkdClient(int socket) : socket_(socket) { send("put 0 0 60 7\r\nnothing\r\n"); }
  ~BeanstalkdClient() { ::close(socket_); }
  BeanstalkdClient(const BeanstalkdClient&) = delete;
  BeanstalkdClient& operator=(const BeanstalkdClient&) = delete;

  [[nodiscard]] int socket() const { return socket_; }
  // Reads what has come; whether a job is done with it.
  bool advance() {
    char buffer[512];
    const auto got = ::read(socket_, buffer, sizeof(buffer));
    require(got > 0, "beanstalkd has gone");
    answer_.append(buffer, static_cast<std::size_t>(got));
    if (!answer_.ends_with("\r\n")) return false;
    if (answer_.starts_with("INSERTED")) {
      send("reserve\r\n");
    } else if (answer_.starts_with("RESERVED")) {
      if (answer_.find("\r\nnothing\r\n") == std::string::npos) return false;
      const auto id = answer_.substr(9, answer_.find(' ', 9) - 9);
      send("delete " + id + "\r\n");
    } else {
      require(answer_ == "DELETED\r\n", "beanstalkd says " + answer_);
      send("put 0 0 60 7\r\nnothing\r\n");
      return true;
    }
    return false;
  }

 private:
  void send(std::string_view text) {
    answer_.clear();
    require(::write(socket_, text.data(), text.size()) == static_cast<ssize_t>(text.size()),
            "write");
  }

  int socket_;
  std::string answer_;
};

PeerResult measure_beanstalkd(const fs::path& folder, const Sizes& sizes) {
  PeerResult result{.name = "beanstalkd -f0", .throughput = {}, .left_out = {}};
  if (!is_installed("beanstalkd")) {
    result.left_out = "not installed";
    return result;
  }
  fs::create_directories(folder);
  const Server server({"beanstalkd", "-l", "127.0.0.1", "-p", std::to_string(beanstalkd_port), "-b",
                       folder.string(), "-f", "0"});
  std::vector<std::unique_ptr<BeanstalkdClient>> clients;
  std::vector<pollfd> polls;
  for (std::uint32_t i = 0; i < sizes.in_flight; ++i) {
    clients.push_back(std::make_unique<BeanstalkdClient>(connect_to(beanstalkd_port)));
    polls.push_back({.fd = clients.back()->socket(), .events = POLLIN, .revents = 0});
  }
  const Stopwatch watch;
  std::uint64_t done = 0;
  while (watch.seconds() < sizes.seconds) {
    require(::poll(polls.data(), polls.size(), 1'000) > 0, "beanstalkd does not answer");
    for (std::size_t i = 0; i < polls.size(); ++i) {
      if (polls[i].revents != 0 && clients[i]->advance()) ++done;
    }
  }
  result.throughput = static_cast<double>(done) / watch.seconds();
  return result;
}

// A script beside this file, run with two arguments: what it prints last is jobs per second.
std::optional<double> run_script(const std::string& script, const Sizes& sizes,
                                 const fs::path& folder, std::uint16_t port) {
  const auto line =
      last_line(std::string(ALMANAC_BENCH_SCRIPTS) + "/" + script + " '" + folder.string() + "' " +
                std::to_string(port) + " " + std::to_string(sizes.in_flight) + " " +
                std::to_string(sizes.seconds));
  char* end = nullptr;
  const double value = std::strtod(line.c_str(), &end);
  if (line.empty() || *end != '\0') return std::nullopt;
  return value;
}

PeerResult measure_script(PeerResult result, const std::string& script, const Sizes& sizes,
                          const fs::path& folder, std::uint16_t port) {
  result.throughput = run_script(script, sizes, folder, port);
  if (!result.throughput) result.left_out = "not installed, or " + script + " failed";
  return result;
}

}  // namespace

std::vector<PeerResult> measure_peers(const fs::path& folder, const Sizes& sizes) {
  std::vector<PeerResult> results;
  results.push_back(measure_beanstalkd(folder / "beanstalkd", sizes));
  results.push_back(
      measure_script({.name = "PostgreSQL, SKIP LOCKED", .throughput = {}, .left_out = {}},
                     "postgresql.sh", sizes, folder / "postgresql", postgres_port));
  results.push_back(
      measure_script({.name = "BullMQ, Redis appendfsync always", .throughput = {}, .left_out = {}},
                     "bullmq.sh", sizes, folder / "bullmq", redis_port));
  results.push_back(
      measure_script({.name = "RabbitMQ, quorum queue", .throughput = {}, .left_out = {}},
                     "rabbitmq.sh", sizes, folder / "rabbitmq", rabbitmq_port));
  return results;
}

}  // namespace almanac::bench
