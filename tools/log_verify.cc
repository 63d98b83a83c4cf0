#include <almanac/tools/interrupt.h>
#include <almanac/tools/log_commands.h>
#include <almanac/tools/progress_line.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>
#include <almanac/tools/verify_record.h>

#include <almanac/engine/engine.h>
#include <almanac/log/verify.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <thread>

namespace almanac {
namespace {

using std::chrono::steady_clock;

constexpr auto save_interval = std::chrono::seconds(1);

// Others send people here.
Error with_next_step(Error error) {
  if (error.code == ErrorCode::corrupt) {
    error.next_step = "`almanac log cat` prints what lies before it; take the rest from a backup";
  }
  return error;
}

std::string number_text(Position position) { return std::to_string(position.value); }

// One run of the command, watched: what it shows, what it records, when it stops.
class Watch {
 public:
  Watch(const LogVerifyCommand& command, const Log& log)
      : folder_(command.folder), log_(log), last_(log.opened_tail().last) {}

  // What an earlier run has checked, said on standard error.
  VerifyReport go_on() {
    auto record = load_record(folder_);
    if (!record || record->timeline != log_.timeline() || record->report.last > last_) return {};
    before_ = record->report;
    fmt::print(stderr,
               "going on behind position {}: up to there it was checked until {}; --from-start "
               "checks all\n",
               number_text(before_.last), format_time(record->checked_at));
    return before_;
  }
  // The log does not hold what the record says.
  void start_anew() {
    fmt::print(stderr, "the log is another one now: checking from the start\n");
    before_ = {};
  }

  bool progress(const VerifyReport& so_far) {
    if (line_.is_due()) line_.show(text(so_far));
    auto now = steady_clock::now();
    if (so_far.last > before_.last && now >= save_next_) {
      (void)save(so_far);
      save_next_ = now + save_interval;
    }
    return interrupt_.wait({}) != Interrupt::Woken::by_signal;
  }

  ExitCode stopped(const VerifyReport& so_far) {
    line_.clear();
    bool saved = so_far.last && save(so_far);
    fmt::print(stderr, "stopped behind position {} of {}, whole so far; {}\n",
               number_text(so_far.last), number_text(last_),
               saved ? "`almanac log verify` goes on from there" : "the next run begins anew");
    return ExitCode::work_failed;
  }
  // Standard output is next.
  void finished() {
    line_.clear();
    remove_record(folder_);
  }
  void failed() { line_.clear(); }
  [[nodiscard]] Position before() const { return before_.last; }

 private:
  bool save(const VerifyReport& so_far) {
    return save_record(
        folder_, {.timeline = log_.timeline(), .report = so_far, .checked_at = system_time()});
  }
  std::string text(const VerifyReport& so_far) const {
    auto seconds = std::chrono::duration<double>(steady_clock::now() - began_).count();
    auto rate = static_cast<double>(so_far.bytes - before_.bytes) / std::max(seconds, 0.001);
    auto share =
        last_ ? 100.0 * static_cast<double>(so_far.last.value) / static_cast<double>(last_.value)
              : 100.0;
    auto done = static_cast<double>((so_far.last.value - before_.last.value));
    auto left = static_cast<double>(last_.value - so_far.last.value);
    auto text = fmt::format("{} of {} events whole, {:.0f}%, {}/s", so_far.last.value, last_.value,
                            share, format_bytes(static_cast<std::uint64_t>(rate)));
    if (done <= 0) return text;
    auto rest = std::chrono::duration<double>(seconds * left / done);
    return text +
           fmt::format(", {} left", format_compact(std::chrono::duration_cast<Duration>(rest)));
  }

  const std::filesystem::path& folder_;
  const Log& log_;
  Position last_;
  VerifyReport before_;
  Interrupt interrupt_;
  ProgressLine line_;
  steady_clock::time_point began_ = steady_clock::now();
  steady_clock::time_point save_next_ = began_ + save_interval;
};

Result<Verification> verify_watched(const LogVerifyCommand& command, const Log& log, Watch& watch) {
  auto processors = std::max(1U, std::thread::hardware_concurrency());
  VerifyOptions options{
      .jobs = command.jobs > 0 ? command.jobs : processors,
      .from = command.from_start ? VerifyReport() : watch.go_on(),
      .progress = [&](const VerifyReport& so_far) { return watch.progress(so_far); }};
  auto done = verify(log, options);
  if (done || done.error().code != ErrorCode::conflict) return done;
  watch.start_anew();
  options.from = {};
  return verify(log, options);
}

void print(const LogVerifyCommand& command, const VerifyReport& report, Position before) {
  if (command.json) {
    nlohmann::ordered_json json{{"events", report.last.value},
                                {"frames", report.frames},
                                {"bytes", report.bytes},
                                {"digest", to_hex(report.digest)}};
    if (before) json["checked_before"] = before.value;
    fmt::print("{}\n", json.dump());
    return;
  }
  fmt::print("whole: {} in {}, {}\nlast frame {}\n", counted(report.last.value, "event"),
             counted(report.frames, "frame"), format_bytes(report.bytes), to_hex(report.digest));
}

}  // namespace

ExitCode log_verify(const LogVerifyCommand& command) {
  auto log = Log::open(command.folder, {.access = Access::read});
  if (!log) return report(log.error());
  Watch watch(command, **log);
  auto done = verify_watched(command, **log, watch);
  if (!done) {
    watch.failed();
    return report(with_next_step(done.error()));
  }
  if (!done->finished) return watch.stopped(done->report);
  watch.finished();
  print(command, done->report, watch.before());
  return ExitCode::ok;
}

}  // namespace almanac
