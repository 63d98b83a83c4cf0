#include <almanac/engine/monitor.h>

#include <almanac/engine/diagnostics.h>
#include <almanac/engine/limits.h>
#include <almanac/engine/operation_counters.h>
#include <almanac/projections/circuits.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <utility>
#include <variant>

namespace almanac {
namespace {

using std::chrono::nanoseconds;

// Something of which there are so many in all and in the window.
struct Windowed {
  std::uint64_t total = 0;
  CircuitWindow window;
};

using Notice = std::variant<MonitorAlert, HealthChange>;

}  // namespace

// Shared by the operations of a monitor.
struct Monitor::Parts {
  MonitorOptions options;
  ErrorPatterns patterns;
  std::function<nanoseconds()> clock;

  std::mutex names_mutex;
  // Guarded by it; the monitors themselves are not, and stay where they are.
  std::map<std::string, std::unique_ptr<OperationMonitor>, std::less<>> operations;

  std::mutex mutex;  // taken behind that of an operation
  // Guarded by it.
  std::map<std::string, std::vector<HealthReason>> reasons;  // of those that are not healthy
  Health health = Health::healthy;
  std::deque<Notice> notices;
  bool is_telling = false;

  // Windows are only told which time is later.
  [[nodiscard]] Time window_time(nanoseconds now) const {
    return Time(std::chrono::duration_cast<Duration>(now));
  }
  void put(MonitorAlert alert);
  void put(const std::string& operation, std::vector<HealthReason> now);
  void tell();
  void tell(const Notice& notice) const;
};

struct OperationMonitor::Ended {
  nanoseconds began;
  std::uint32_t retries = 0;
  bool succeeded = false;
  std::string_view why = {};
};

struct OperationMonitor::Record {
  Record(Monitor::Parts& all, std::string its_name)
      : shared(all), name(std::move(its_name)), errors(all.patterns.rules().size()) {}

  // All with the lock.
  void age(nanoseconds now);
  void add_errors(const std::vector<std::size_t>& rules);
  void add_slow(const Ended& ended, nanoseconds took);
  void look();
  void look_at_alert(const CircuitWindow::Slice& ended);
  [[nodiscard]] Health failure_health(const CircuitWindow::Slice& ended) const;
  [[nodiscard]] bool has_many_slow(const CircuitWindow::Slice& ended) const;
  [[nodiscard]] std::vector<HealthReason> reasons(const CircuitWindow::Slice& ended) const;
  [[nodiscard]] std::string failure_sentence(const CircuitWindow::Slice& ended) const;
  void fill(OperationReport& report) const;

  Monitor::Parts& shared;
  const std::string name;
  OperationCounters counters;
  std::atomic<nanoseconds> next_look = nanoseconds::min();

  std::mutex mutex;
  // Guarded by it.
  nanoseconds latest = nanoseconds::min();  // that any thread has come with
  OperationCounters::Totals taken;          // into the window
  CircuitWindow outcomes;
  CircuitWindow slow;  // as failures
  std::vector<Windowed> errors;
  std::deque<SlowOperation> slow_kept;
  bool is_alerting = false;
  Health health = Health::healthy;
};

// ---- What is told ------------------------------------------------------------------------------

void Monitor::Parts::put(MonitorAlert alert) {
  std::lock_guard guard(mutex);
  notices.emplace_back(std::move(alert));
}

// What an operation has come to.
void Monitor::Parts::put(const std::string& operation, std::vector<HealthReason> now) {
  std::lock_guard guard(mutex);
  if (now.empty()) {
    reasons.erase(operation);
  } else {
    reasons[operation] = std::move(now);
  }
  std::vector<HealthReason> all;
  for (const auto& [name, some] : reasons) all.insert(all.end(), some.begin(), some.end());
  const Health before = std::exchange(health, health_of(all));
  if (health != before) notices.emplace_back(HealthChange{before, health, std::move(all)});
}

// One thread at a time tells, also what others find meanwhile: so all is told once and in order.
void Monitor::Parts::tell() {
  std::unique_lock lock(mutex);
  if (std::exchange(is_telling, true)) return;
  while (!notices.empty()) {
    const Notice notice = std::move(notices.front());
    notices.pop_front();
    lock.unlock();
    try {
      tell(notice);
    } catch (const std::exception& error) {
      warn("a callback of a monitor has thrown: " + std::string(error.what()));
    } catch (...) {
      warn("a callback of a monitor has thrown something that is not a std::exception");
    }
    lock.lock();
  }
  is_telling = false;
}

void Monitor::Parts::tell(const Notice& notice) const {
  if (const auto* change = std::get_if<HealthChange>(&notice)) {
    if (options.on_health) options.on_health(*change);
    return;
  }
  const auto& alert = std::get<MonitorAlert>(notice);
  if (options.on_alert) return options.on_alert(alert);
  log_message(alert.is_raised ? LogLevel::warning : LogLevel::info, alert.sentence);
}

// ---- What is counted ---------------------------------------------------------------------------

// Nothing is in the windows any more that is behind them, and all that has ended is.
void OperationMonitor::Record::age(nanoseconds now) {
  latest = std::max(latest, now);
  const Time at = shared.window_time(latest);
  const auto all = counters.totals();
  const Duration window = shared.options.window;
  outcomes.add({all.succeeded - taken.succeeded, all.failed - taken.failed}, window, at);
  taken = all;
  slow.add({}, window, at);
  for (Windowed& error : errors) error.window.add({}, window, at);
  next_look = latest + std::chrono::duration_cast<nanoseconds>(window) / 10;
}

void OperationMonitor::Record::add_errors(const std::vector<std::size_t>& rules) {
  for (const std::size_t rule : rules) {
    ++errors[rule].total;
    errors[rule].window.add({.failures = 1}, shared.options.window, shared.window_time(latest));
  }
}

void OperationMonitor::Record::add_slow(const Ended& ended, nanoseconds took) {
  slow.add({.failures = 1}, shared.options.window, shared.window_time(latest));
  slow_kept.push_back(
      {.ended = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()),
       .took = took,
       .succeeded = ended.succeeded,
       .retries = ended.retries});
  if (slow_kept.size() > shared.options.slow_kept) slow_kept.pop_front();
}

void OperationMonitor::Record::look() {
  const auto ended = outcomes.sum();
  look_at_alert(ended);
  const Health now =
      std::max(failure_health(ended), has_many_slow(ended) ? Health::degraded : Health::healthy);
  if (std::exchange(health, now) != now) shared.put(name, reasons(ended));
}

void OperationMonitor::Record::look_at_alert(const CircuitWindow::Slice& ended) {
  const MonitorOptions& options = shared.options;
  const std::uint64_t all = ended.successes + ended.failures;
  const bool has_begun =
      all >= options.failures.ended_min && is_above(ended.failures, all, options.alert_permille);
  const bool goes_on = is_above(ended.failures, all, options.alert_end_permille);
  if (is_alerting ? goes_on : !has_begun) return;
  is_alerting = !is_alerting;
  shared.put({.operation = name,
              .is_raised = is_alerting,
              .failed = ended.failures,
              .ended = all,
              .sentence = failure_sentence(ended) +
                          (is_alerting ? ", too many" : ", which is no alert any more")});
}

// ---- What follows from it ----------------------------------------------------------------------

// "12 of the last 80 operations 'ask' failed (15.0%), 9 of them by timeout"
std::string OperationMonitor::Record::failure_sentence(const CircuitWindow::Slice& ended) const {
  const std::uint64_t all = ended.successes + ended.failures;
  std::string text = std::to_string(ended.failures) + " of the last " + std::to_string(all) +
                     " operations '" + name + "' failed (" + percent_text(ended.failures, all) +
                     ")";
  const auto most = std::ranges::max_element(
      errors, {}, [](const Windowed& error) { return error.window.sum().failures; });
  if (most == errors.end()) return text;
  const auto count = most->window.sum().failures;
  const auto& rule = shared.patterns.rules()[static_cast<std::size_t>(most - errors.begin())];
  if (count > 0) text += ", " + std::to_string(count) + " of them by " + rule.name;
  return text;
}

Health OperationMonitor::Record::failure_health(const CircuitWindow::Slice& ended) const {
  return health_of(ended.failures, ended.successes + ended.failures, shared.options.failures);
}

bool OperationMonitor::Record::has_many_slow(const CircuitWindow::Slice& ended) const {
  const std::uint64_t all = ended.successes + ended.failures;
  return all >= shared.options.failures.ended_min &&
         is_above(slow.sum().failures, all, shared.options.slow_permille);
}

std::vector<HealthReason> OperationMonitor::Record::reasons(
    const CircuitWindow::Slice& ended) const {
  std::vector<HealthReason> reasons;
  const Health by_failures = failure_health(ended);
  if (by_failures != Health::healthy) reasons.push_back({by_failures, failure_sentence(ended)});
  if (has_many_slow(ended)) {
    const std::uint64_t all = ended.successes + ended.failures;
    const std::uint64_t some = slow.sum().failures;
    reasons.push_back({Health::degraded, std::to_string(some) + " of the last " +
                                             std::to_string(all) + " operations '" + name +
                                             "' were slow (" + percent_text(some, all) + ")"});
  }
  return reasons;
}

void OperationMonitor::Record::fill(OperationReport& report) const {
  const OperationCounters::Details details = counters.details();
  report.succeeded = taken.succeeded;
  report.failed = taken.failed;
  report.retries = details.retries;
  if (const auto count = taken.succeeded + taken.failed; count > 0) {
    report.average = details.sum / count;
  }
  report.longest = details.longest;
  const auto quantile = [&](double share) {
    return std::min(details.durations.quantile(share), details.longest);
  };
  report.p50 = quantile(0.5);
  report.p90 = quantile(0.9);
  report.p95 = quantile(0.95);
  report.p99 = quantile(0.99);
  const auto ended = outcomes.sum();
  report.ended_in_window = ended.successes + ended.failures;
  report.failed_in_window = ended.failures;
  report.slow_in_window = slow.sum().failures;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    report.errors.push_back({.rule = shared.patterns.rules()[i].name,
                             .total = errors[i].total,
                             .in_window = errors[i].window.sum().failures});
  }
  report.slow.assign(slow_kept.begin(), slow_kept.end());
  report.is_alerting = is_alerting;
  report.reasons = reasons(ended);
}

// ---- The operations ----------------------------------------------------------------------------

OperationMonitor::OperationMonitor(Monitor& monitor, std::string name)
    : monitor_(monitor), record_(std::make_unique<Record>(*monitor.parts_, std::move(name))) {}

OperationMonitor::~OperationMonitor() = default;

TrackedOperation OperationMonitor::begin() { return {*this, monitor_.parts_->clock()}; }

void TrackedOperation::succeeded() {
  std::exchange(monitor_, nullptr)->end({.began = began_, .retries = retries_, .succeeded = true});
}

void TrackedOperation::failed(std::string_view why) {
  std::exchange(monitor_, nullptr)->end({.began = began_, .retries = retries_, .why = why});
}

void OperationMonitor::end(const Ended& ended) {
  Monitor::Parts& shared = *monitor_.parts_;
  const nanoseconds now = shared.clock();
  const nanoseconds took = std::max(nanoseconds(0), now - ended.began);
  record_->counters.count(ended.succeeded, ended.retries, took);
  const bool is_slow = took >= shared.options.slow;
  const bool is_plain = ended.succeeded && !is_slow;
  if (is_plain && now < record_->next_look.load(std::memory_order_relaxed)) return;
  const auto rules =
      ended.why.empty() ? std::vector<std::size_t>() : shared.patterns.matching(ended.why);
  {
    std::lock_guard guard(record_->mutex);
    record_->age(now);
    record_->add_errors(rules);
    if (is_slow) record_->add_slow(ended, took);
    record_->look();
  }
  shared.tell();
}

OperationReport OperationMonitor::report() {
  OperationReport report{.operation = record_->name};
  {
    std::lock_guard guard(record_->mutex);
    record_->age(monitor_.parts_->clock());
    record_->look();
    record_->fill(report);
  }
  monitor_.parts_->tell();
  return report;
}

double OperationReport::success_rate() const {
  const auto ended = succeeded + failed;
  return ended == 0 ? 1 : static_cast<double>(succeeded) / static_cast<double>(ended);
}

// ---- All of them -------------------------------------------------------------------------------

Result<std::unique_ptr<Monitor>> Monitor::make(MonitorOptions options) {
  if (options.window < std::chrono::milliseconds(1)) {
    return fail(ErrorCode::invalid, "the window of a monitor is too short",
                "make it a millisecond or longer");
  }
  auto patterns = ErrorPatterns::make(options.errors);
  if (!patterns) return std::unexpected(patterns.error());
  std::unique_ptr<Parts> parts(
      new Parts{.options = std::move(options), .patterns = std::move(*patterns)});
  parts->clock = parts->options.clock;
  if (!parts->clock) {
    parts->clock = [] { return std::chrono::steady_clock::now().time_since_epoch(); };
  }
  return std::unique_ptr<Monitor>(new Monitor(std::move(parts)));
}

Monitor::Monitor(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Monitor::~Monitor() = default;

OperationMonitor& Monitor::operation(std::string_view name) {
  std::lock_guard guard(parts_->names_mutex);
  auto& operations = parts_->operations;
  auto found = operations.find(name);
  if (found == operations.end()) {
    if (operations.size() >= limits::monitored_operations_max) name = "…";
    auto& entry = operations[std::string(name)];
    if (!entry) entry.reset(new OperationMonitor(*this, std::string(name)));
    return *entry;
  }
  return *found->second;
}

MonitorReport Monitor::report() {
  std::vector<OperationMonitor*> all;
  {
    std::lock_guard guard(parts_->names_mutex);
    for (const auto& [name, operation] : parts_->operations) all.push_back(operation.get());
  }
  MonitorReport report;
  for (OperationMonitor* operation : all) report.operations.push_back(operation->report());
  return report;
}

std::vector<HealthReason> MonitorReport::reasons() const {
  std::vector<HealthReason> all;
  for (const auto& operation : operations) {
    all.insert(all.end(), operation.reasons.begin(), operation.reasons.end());
  }
  return all;
}

Health MonitorReport::health() const { return health_of(reasons()); }

}  // namespace almanac
