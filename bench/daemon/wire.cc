#include <almanac/bench/daemon/cases.h>
#include <almanac/bench/daemon/daemon_process.h>
#include <almanac/bench/daemon/job_load.h>

namespace almanac::bench {

JobRate measure_wire(const std::filesystem::path& folder, const DaemonSizes& sizes, Pace pace) {
  const DaemonProcess daemon(folder);
  const double before = daemon.cpu_seconds();
  const Stopwatch watch;
  const LoadRate load = run_jobs(faktory_protocol(), daemon_wire_port, sizes, pace);
  const double all = load.jobs * watch.seconds();
  return {.jobs = load.jobs,
          .cpu_us_job = (daemon.cpu_seconds() - before) / all * 1e6,
          .client_us_job = load.cpu_us_job};
}

double measure_wire_idle(const std::filesystem::path& folder, const DaemonSizes& sizes) {
  const DaemonProcess daemon(folder);
  return run_idle_jobs(faktory_protocol(), daemon_wire_port, sizes.idle);
}

}  // namespace almanac::bench
