#include <almanac/daemon/metrics.h>

#include <almanac/daemon/disk_room.h>
#include <almanac/daemon/http_api.h>

#include <fmt/core.h>

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

namespace almanac {
namespace {

// One family: its head, then its lines.
class MetricFamily {
 public:
  MetricFamily(std::string& text, std::string_view name, std::string_view type,
               std::string_view help)
      : text_(text), name_(name) {
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  template <class Number>
  void line(Number number, std::string_view labels = {}, std::string_view suffix = {}) {
    text_ += fmt::format("{}{}{}{}{} {}\n", name_, suffix, labels.empty() ? "" : "{", labels,
                         labels.empty() ? "" : "}", number);
  }

 private:
  std::string& text_;
  std::string_view name_;
};

std::string metric_label(std::string_view name, std::string_view value) {
  std::string text = std::string(name) + "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
  return text + '"';
}

void add_histogram(std::string& text, std::string_view name, std::string_view help,
                   const TaskMeter::Histogram& histogram) {
  MetricFamily family(text, name, "histogram", help);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < TaskMeter::seconds.size(); ++i) {
    below += histogram.counts[i];
    family.line(below, metric_label("le", fmt::format("{}", TaskMeter::seconds[i])), "_bucket");
  }
  below += histogram.counts.back();
  family.line(below, metric_label("le", "+Inf"), "_bucket");
  family.line(static_cast<double>(histogram.micros) / 1e6, {}, "_sum");
  family.line(below, {}, "_count");
}

void add_tasks(std::string& text, const ApiCall& call) {
  const State& state = *call.state;
  MetricFamily tasks(text, "almanac_tasks", "gauge", "Tasks by state.");
  for (std::size_t i = 0; i < task_state_count; ++i) {
    const auto is = static_cast<TaskState>(i);
    tasks.line(state.tasks.count(is), metric_label("state", name(is)));
  }
  const TaskMeter& meter = call.api.surroundings().meter;
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    MetricFamily(text, name, "counter", help).line(value);
  };
  counter("almanac_tasks_enqueued_total", "Tasks taken since the start.", meter.enqueued);
  counter("almanac_tasks_succeeded_total", "Tasks that succeeded since the start.",
          meter.succeeded);
  counter("almanac_tasks_failed_total", "Tasks that failed since the start.", meter.failed);
  counter("almanac_tasks_cancelled_total", "Tasks cancelled since the start.", meter.cancelled);
  counter("almanac_attempts_failed_total", "Attempts that failed since the start.",
          meter.attempts_failed);
  MetricFamily(text, "almanac_leases", "gauge", "Attempts that run at workers elsewhere.")
      .line(state.tasks.remote.size());
  add_histogram(text, "almanac_task_wait_seconds",
                "From when a task could run to its first attempt.", meter.waits);
  add_histogram(text, "almanac_attempt_seconds", "Of attempts that ended.", meter.runs);
}

void add_circuits(std::string& text, const State& state) {
  MetricFamily circuits(text, "almanac_circuit_state", "gauge",
                        "1 for the state that the circuit of a service is in.");
  for (const auto& [service, circuit] : state.circuits.all) {
    circuits.line(1, metric_label("service", state.names.text(service)) + "," +
                         metric_label("state", name(circuit.state)));
  }
}

void add_gpus(std::string& text, const State& state) {
  MetricFamily used(text, "almanac_gpu_memory_used_bytes", "gauge", "Of one heap of a GPU.");
  for (const auto& [place, heap] : state.gpu.heaps) {
    used.line(heap.memory.used(), metric_label("device", state.names.text(place.device)) + "," +
                                      metric_label("heap", std::to_string(place.heap)));
  }
}

void add_log(std::string& text, const ApiCall& call) {
  MetricFamily(text, "almanac_log_position", "gauge", "Of the last event that is on disk.")
      .line(call.state->position.value);
  MetricFamily(text, "almanac_log_full", "gauge", "1 while new work finds no room on the disk.")
      .line(has_room(call) ? 0 : 1);
  const auto size = call.api.log().size();
  if (!size) return;
  MetricFamily(text, "almanac_log_bytes", "gauge", "Of the log's file.").line(size->store_bytes);
  MetricFamily(text, "almanac_log_free_bytes", "gauge", "Inside it, used before it grows.")
      .line(size->store_free_bytes);
  MetricFamily(text, "almanac_journal_bytes", "gauge", "Of the journal.").line(size->journal_bytes);
}

void add_http(std::string& text, const HttpFigures& figures) {
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    MetricFamily(text, name, "counter", help).line(value);
  };
  const HttpCounters& counters = figures.counters;
  MetricFamily(text, "almanac_http_connections", "gauge", "Open now.").line(figures.connections);
  MetricFamily(text, "almanac_http_streams", "gauge", "Event streams that are open now.")
      .line(figures.streams);
  counter("almanac_http_requests_total", "Requests that were answered.", counters.requests);
  counter("almanac_http_refused_total", "Requests refused by their head.", counters.refused);
  counter("almanac_http_turned_away_total", "Connections refused.", counters.turned_away);
  counter("almanac_http_timed_out_total", "Requests that came too slowly.", counters.timed_out);
  counter("almanac_http_cut_off_total", "Readers that were too slow.", counters.cut_off);
  counter("almanac_http_received_bytes_total", "Read.", counters.bytes_in);
  counter("almanac_http_sent_bytes_total", "Written.", counters.bytes_out);
  MetricFamily(text, "almanac_loop_lag_seconds", "gauge", "How late the loop came last.")
      .line(std::chrono::duration<double>(figures.lag).count());
}

std::uint64_t resident_bytes() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/statm", "re"),
                                                             std::fclose);
  unsigned long all = 0;
  unsigned long resident = 0;
  if (!file || std::fscanf(file.get(), "%lu %lu", &all, &resident) != 2) return 0;
  return std::uint64_t{resident} * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t open_descriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), ::closedir);
  std::uint64_t count = 0;
  while (folder && ::readdir(folder.get()) != nullptr) ++count;
  return count < 3 ? 0 : count - 3;  // "." and "..", and the folder itself
}

void add_process(std::string& text) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  MetricFamily(text, "process_cpu_seconds_total", "counter", "Of all threads.")
      .line(seconds(usage.ru_utime) + seconds(usage.ru_stime));
  MetricFamily(text, "process_resident_memory_bytes", "gauge", "In memory.").line(resident_bytes());
  MetricFamily(text, "process_open_fds", "gauge", "Open descriptors.").line(open_descriptors());
}

}  // namespace

std::string metrics_text(const ApiCall& call) {
  std::string text;
  add_tasks(text, call);
  add_circuits(text, *call.state);
  add_gpus(text, *call.state);
  add_log(text, call);
  add_http(text, call.api.surroundings().figures());
  add_process(text);
  return text;
}

}  // namespace almanac
