// What a program learns of its own operations.
#include <almanac/engine/monitor.h>

#include <cstdio>
#include <stdexcept>
#include <string>

namespace {

int fail(const almanac::Error& error) {
  std::fprintf(stderr, "monitor: %s\n", almanac::describe(error).c_str());
  return 1;
}

// The index that is asked, and times out now and then.
std::string search_for(int number) {
  if (number % 7 == 0) throw std::runtime_error("the index timed out");
  return "found " + std::to_string(number);
}

}  // namespace

int main() {
  // [guide]
  auto monitor = almanac::Monitor::make({.on_alert = [](const almanac::MonitorAlert& alert) {
    std::puts(alert.sentence.c_str());  // 2 of the last 14 operations 'search' failed (14.3%), …
  }});
  if (!monitor) return fail(monitor.error());
  almanac::OperationMonitor& search = (*monitor)->operation("search");
  for (int i = 1; i <= 20; ++i) {
    try {
      (void)search.call([&] { return search_for(i); });
    } catch (const std::exception&) {}
  }
  almanac::TrackedOperation tracked = search.begin();  // the same in steps; it is a scope as well
  tracked.retried();
  tracked.succeeded();

  const almanac::OperationReport report = search.report();
  std::printf("%.1f%% succeeded\n", 100 * report.success_rate());
  for (const auto& reason : report.reasons) std::puts(reason.sentence.c_str());
  // [guide]
  return 0;
}
