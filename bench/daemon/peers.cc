// Other job servers from Debian and npm, each as durable as it can be told to be.
#include <almanac/bench/daemon/cases.h>
#include <almanac/bench/daemon/job_load.h>
#include <almanac/bench/peer_process.h>

#include <cstdlib>

namespace almanac::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::uint16_t beanstalkd_port = 21'320;
constexpr std::uint16_t redis_port = 21'321;
constexpr std::uint16_t rabbitmq_port = 21'322;  // and the two behind it
constexpr const char* not_installed = "not installed";

PeerResult of_beanstalkd(const fs::path& folder,
                         const std::function<double(const JobProtocol&)>& measure) {
  PeerResult result{.name = "beanstalkd -f0", .left_out = {}};
  if (!is_installed("beanstalkd")) return {.name = result.name, .left_out = not_installed};
  fs::create_directories(folder);
  const Server server({"beanstalkd", "-l", "127.0.0.1", "-p", std::to_string(beanstalkd_port), "-b",
                       folder.string(), "-f", "0"});
  result.value = measure(beanstalkd_protocol());
  return result;
}

// A script of bench/scheduler. `what`: "rate" for jobs a second, "idle" for microseconds.
PeerResult of_script(const std::string& name, const std::string& script, const fs::path& folder,
                     const std::string& arguments) {
  const auto line = last_line(std::string(ALMANAC_BENCH_SCRIPTS) + "/" + script + " '" +
                              folder.string() + "' " + arguments);
  char* end = nullptr;
  const double value = std::strtod(line.c_str(), &end);
  if (line.empty() || *end != '\0') {
    return {.name = name, .left_out = std::string(not_installed) + ", or " + script + " failed"};
  }
  return {.name = name, .value = value, .left_out = {}};
}

std::vector<PeerResult> of_scripts(const fs::path& folder, const std::string& arguments) {
  return {of_script("BullMQ, Redis appendfsync always", "bullmq.sh", folder / "bullmq",
                    std::to_string(redis_port) + arguments),
          of_script("RabbitMQ, quorum queue", "rabbitmq.sh", folder / "rabbitmq",
                    std::to_string(rabbitmq_port) + arguments)};
}

}  // namespace

std::vector<PeerResult> measure_peer_rates(const fs::path& folder, const DaemonSizes& sizes,
                                           Pace pace) {
  const auto run = [&](const JobProtocol& protocol) {
    return run_jobs(protocol, beanstalkd_port, sizes, pace).jobs;
  };
  std::vector<PeerResult> results = {of_beanstalkd(folder / "beanstalkd", run)};
  const std::string arguments =
      " " + std::to_string(sizes.connections) + " " + std::to_string(sizes.seconds) + " rate";
  for (PeerResult& result : of_scripts(folder, arguments)) results.push_back(std::move(result));
  return results;
}

std::vector<PeerResult> measure_peer_idle(const fs::path& folder, const DaemonSizes& sizes) {
  const auto run = [&](const JobProtocol& protocol) {
    return run_idle_jobs(protocol, beanstalkd_port, sizes.idle);
  };
  std::vector<PeerResult> results = {of_beanstalkd(folder / "beanstalkd", run)};
  const std::string arguments = " 1 " + std::to_string(sizes.idle) + " idle";
  for (PeerResult& result : of_scripts(folder, arguments)) results.push_back(std::move(result));
  return results;
}

}  // namespace almanac::bench
