#include <almanac/engine/diagnostics.h>

#include <almanac/engine/log_context.h>
#include <almanac/engine/log_line.h>
#include <almanac/log/file.h>
#include <almanac/log/this_thread.h>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace almanac {
namespace {

constexpr auto human_pattern = "%Y-%m-%dT%H:%M:%S.%fZ almanac %^%l%$: %v";
constexpr auto json_pattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v})";

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::off: break;
  }
  return spdlog::level::off;
}

// Where lines go that are written together, and the thread that writes them.
class Outlet {
 public:
  // Called by that thread, once until a line could be written again.
  using OnFailure = std::function<void(const std::string& why)>;
  Outlet(LogFormat format, std::vector<spdlog::sink_ptr> sinks, OnFailure on_failure = {});
  // What waits is written.
  ~Outlet();
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;

  void put(LogLevel level, const LogLineView& line);
  void flush();
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  struct Line {
    LogLevel level = LogLevel::info;
    std::chrono::system_clock::time_point time;
    std::string text;
  };
  [[nodiscard]] Line make(LogLevel level, const LogLineView& line) const;
  void run();
  [[nodiscard]] bool write(const Line& line);
  void tell_dropped(std::uint64_t dropped);

  const LogFormat format_;
  const std::vector<spdlog::sink_ptr> sinks_;
  const OnFailure on_failure_;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::uint64_t told_dropped_ = 0;  // of the writing thread, as is:
  bool is_failing_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Line> waiting_;  // guarded by mutex_, as are:
  std::uint64_t put_ = 0;      // lines that ever waited
  std::uint64_t written_ = 0;  // of those, how many are done with
  bool closing_ = false;
  std::thread thread_;
};

Outlet::Outlet(LogFormat format, std::vector<spdlog::sink_ptr> sinks, OnFailure on_failure)
    : format_(format), sinks_(std::move(sinks)), on_failure_(std::move(on_failure)) {
  for (const auto& sink : sinks_) {
    sink->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        format_ == LogFormat::json ? json_pattern : human_pattern, spdlog::pattern_time_type::utc));
  }
  thread_ = std::thread([this] { run(); });
}

Outlet::~Outlet() {
  {
    std::lock_guard guard(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Outlet::Line Outlet::make(LogLevel level, const LogLineView& line) const {
  return {level, std::chrono::system_clock::now(),
          format_ == LogFormat::json ? json_members(line) : human_text(line)};
}

void Outlet::put(LogLevel level, const LogLineView& line) {
  Line made = make(level, line);
  {
    std::lock_guard guard(mutex_);
    if (waiting_.size() >= limits::log_lines_waiting_max) {
      ++dropped_;
      return;
    }
    waiting_.push_back(std::move(made));
    ++put_;
  }
  changed_.notify_all();
}

void Outlet::flush() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this, put = put_] { return written_ >= put; });
}

void Outlet::run() {
  this_thread::set_name("almanac-logger");
  // A program may wait for signals that it has blocked in its own threads alone.
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return !waiting_.empty() || closing_; });
    if (waiting_.empty()) return;
    const auto lines = std::exchange(waiting_, {});
    const std::uint64_t dropped = dropped_;  // behind these lines
    lock.unlock();
    for (const Line& line : lines) {
      if (!write(line)) ++dropped_;
    }
    tell_dropped(dropped);
    lock.lock();
    written_ += lines.size();
    changed_.notify_all();
  }
}

// spdlog throws what the system says.
bool Outlet::write(const Line& line) {
  const spdlog::details::log_msg message(line.time, {}, "almanac", to_spdlog(line.level),
                                         line.text);
  try {
    for (const auto& sink : sinks_) {
      if (!sink->should_log(message.level)) continue;
      sink->log(message);
      sink->flush();
    }
    is_failing_ = false;
    return true;
  } catch (const std::exception& error) {
    if (!std::exchange(is_failing_, true) && on_failure_) on_failure_(error.what());
    return false;
  }
}

void Outlet::tell_dropped(std::uint64_t dropped) {
  if (dropped == told_dropped_) return;
  const LogField count{"lines", static_cast<std::int64_t>(dropped - told_dropped_)};
  const LogContext nobody;
  const bool told =
      write(make(LogLevel::warning,
                 {.text = "lines are missing here", .context = nobody, .fields = {&count, 1}}));
  if (told) told_dropped_ = dropped;
}

// The outlets of the process.
class Diagnostics {
 public:
  [[nodiscard]] bool takes(LogLevel level) const {
    return level < LogLevel::off && (level >= terminal_level_ || level >= file_level_);
  }
  void log(LogLevel level, const LogLineView& line) {
    if (level >= terminal_level_) terminal().put(level, line);
    if (level < file_level_) return;
    if (const auto file = this->file()) file->put(level, line);
  }
  void show(LogLevel level) { terminal_level_ = level; }
  Result<void> set_file(const LogFile& file);
  void flush() {
    if (is_terminal_made_) terminal().flush();
    if (const auto file = this->file()) file->flush();
  }
  [[nodiscard]] std::uint64_t dropped() {
    const auto file = this->file();
    return dropped_before_ + (is_terminal_made_ ? terminal().dropped() : 0) +
           (file ? file->dropped() : 0);
  }

 private:
  Outlet& terminal();
  [[nodiscard]] std::shared_ptr<Outlet> file() {
    std::lock_guard guard(mutex_);
    return file_;
  }

  std::atomic<LogLevel> terminal_level_ = LogLevel::warning;
  std::atomic<LogLevel> file_level_ = LogLevel::off;
  std::atomic<std::uint64_t> dropped_before_ = 0;  // of files that are closed
  std::once_flag make_terminal_;
  std::atomic<bool> is_terminal_made_ = false;
  std::optional<Outlet> terminal_;
  std::mutex mutex_;
  std::shared_ptr<Outlet> file_;  // guarded by mutex_
};

// With the first line, as most programs never say one.
Outlet& Diagnostics::terminal() {
  std::call_once(make_terminal_, [this] {
    terminal_.emplace(
        LogFormat::human,
        std::vector<spdlog::sink_ptr>{std::make_shared<spdlog::sinks::stderr_color_sink_st>()});
    is_terminal_made_ = true;
  });
  return *terminal_;
}

// Opened here for the error it may give; spdlog opens it again.
Result<spdlog::sink_ptr> rotating_file(const std::filesystem::path& path, const LogFile& file) {
  const FileDescriptor tried(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (tried.get() < 0) {
    return fail_errno(errno, "open the log file " + path.string(), "name another one");
  }
  spdlog::file_event_handlers handlers;
  handlers.after_open = [](const std::string&, std::FILE* opened) {
    (void)::fchmod(::fileno(opened), S_IRUSR | S_IWUSR);
    (void)::fcntl(::fileno(opened), F_SETFD, FD_CLOEXEC);
  };
  try {
    return std::make_shared<spdlog::sinks::rotating_file_sink_st>(
        path.string(), file.bytes_max, file.files_max - 1, false, handlers);
  } catch (const std::exception& error) {
    return fail(ErrorCode::io, error.what(), "name another file for the log");
  }
}

Result<void> Diagnostics::set_file(const LogFile& file) {
  std::shared_ptr<Outlet> made;
  if (!file.path.empty()) {
    auto all = rotating_file(file.path, file);
    if (!all) return std::unexpected(all.error());
    auto errors = rotating_file(errors_file(file.path), file);
    if (!errors) return std::unexpected(errors.error());
    (*errors)->set_level(spdlog::level::err);
    const auto tell = [this](const std::string& why) {
      const LogContext nobody;
      const std::string text = "the log file cannot be written: " + why;
      if (terminal_level_ <= LogLevel::error) {
        terminal().put(LogLevel::error, {.text = text, .context = nobody, .fields = {}});
      }
    };
    made = std::make_shared<Outlet>(file.format, std::vector{*all, *errors}, tell);
  }
  file_level_ = made ? file.level : LogLevel::off;
  std::unique_lock lock(mutex_);
  std::swap(file_, made);
  lock.unlock();
  if (!made) return {};
  made->flush();
  dropped_before_ += made->dropped();
  return {};
}

// Its end, with that of the process, writes what waits.
Diagnostics& diagnostics() {
  static Diagnostics all;
  return all;
}

}  // namespace

std::string_view name(LogLevel level) {
  static constexpr std::array<std::string_view, 5> names = {"debug", "info", "warning", "error",
                                                            "off"};
  return names.at(static_cast<std::size_t>(level));
}

std::string_view name(LogFormat format) { return format == LogFormat::human ? "human" : "json"; }

void set_verbosity(Verbosity verbosity) {
  switch (verbosity) {
    case Verbosity::quiet: return diagnostics().show(LogLevel::off);
    case Verbosity::warnings: return diagnostics().show(LogLevel::warning);
    case Verbosity::everything: return diagnostics().show(LogLevel::info);
  }
}

std::filesystem::path errors_file(const std::filesystem::path& path) {
  auto name = path.stem();
  name += ".errors";
  name += path.extension();
  return path.parent_path() / name;
}

Result<void> set_log_file(const LogFile& file) { return diagnostics().set_file(file); }
void flush_log() { diagnostics().flush(); }
std::uint64_t log_lines_dropped() { return diagnostics().dropped(); }

void log_message(LogLevel level, std::string_view text, LogFields fields) {
  if (!diagnostics().takes(level)) return;
  const LogContext context = log_context();
  diagnostics().log(
      level,
      {.text = text, .context = context, .fields = std::span(fields.begin(), fields.size())});
}

}  // namespace almanac
