#include <almanac/tools/interrupt.h>
#include <almanac/tools/limits.h>
#include <almanac/tools/progress_line.h>
#include <almanac/tools/snapshot_commands.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/snapshots/archive_follower.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <csignal>
#include <cstdio>
#include <optional>
#include <string>

namespace almanac {
namespace {

constexpr std::chrono::milliseconds archive_look_interval{100};

Result<FollowOptions> options_of(const SnapshotFollowCommand& command) {
  auto every = parse_interval("--every", command.every);
  if (!every) return std::unexpected(every.error());
  auto bytes = parse_bytes(command.bytes);
  if (!bytes) return std::unexpected(bytes.error());
  auto snapshot_every = parse_duration(command.snapshot_every);
  if (!snapshot_every) return std::unexpected(snapshot_every.error());
  return FollowOptions{.every = *every, .bytes = *bytes, .snapshot_every = *snapshot_every};
}

std::string text_of(const FollowStatus& status, Time now) {
  const Position archived = status.archived.last;
  if (!archived) return "nothing is archived yet";
  std::string text = fmt::format("archived through {}", archived.value);
  if (status.last <= archived) return text + ", all there is";
  return text + fmt::format(", {} would be lost, {}",
                            counted(status.last.value - archived.value, "event"),
                            format_compact(status.loss_window(now)));
}

std::string json_of(const FollowStatus& status, Time now) {
  nlohmann::ordered_json json{{"archived", status.archived.last.value},
                              {"archived_at", format_time(status.archived_at)},
                              {"looked_at", format_time(status.looked_at)},
                              {"last", status.last.value},
                              {"loss_window_us", status.loss_window(now).count()},
                              {"snapshot", status.snapshot},
                              {"bytes", status.file_bytes},
                              {"failures", status.failures}};
  if (status.failure) json["failure"] = printable(status.failure->message);
  if (status.snapshot_failure) {
    json["snapshot_failure"] = printable(status.snapshot_failure->message);
  }
  return json.dump();
}

// What is new since it was shown last, signs of life among it: failures on standard error, and
// where there is a terminal how far it has got.
class FollowDisplay {
 public:
  explicit FollowDisplay(bool json) : json_(json) {}

  void show(const FollowStatus& status, Time now) {
    tell(status.failure, failure_);
    tell(status.snapshot_failure, snapshot_failure_);
    const bool has_archived = status.archived.last != archived_;
    const bool has_looked = status.looked_at != looked_at_;
    if (has_archived || has_looked) {
      if (json_) fmt::print("{}\n", json_of(status, now));
      if (!json_ && has_archived && !archived_) fmt::print("{}\n", text_of(status, now));
      std::fflush(stdout);
      archived_ = status.archived.last;
      looked_at_ = status.looked_at;
    }
    if (line_.is_due()) line_.show(text_of(status, now));
  }
  ExitCode close(const FollowStatus& status, Time now) {
    line_.clear();
    fmt::print("{}\n", json_ ? json_of(status, now) : text_of(status, now));
    return status.failure ? report(*status.failure) : ExitCode::ok;
  }

 private:
  void tell(const std::optional<Error>& now, std::string& told) {
    const std::string text = now ? now->message : "";
    if (text == told) return;
    told = text;
    line_.clear();
    if (now) {
      (void)report(*now);
    } else {
      fmt::print(stderr, "archiving goes on\n");
    }
  }

  const bool json_;
  ProgressLine line_;
  Position archived_;
  Time looked_at_;
  std::string failure_;
  std::string snapshot_failure_;
};

}  // namespace

ExitCode snapshot_follow(const SnapshotFollowCommand& command) {
  auto options = options_of(command);
  if (!options) return report(options.error());
  Interrupt interrupt;
  std::signal(SIGPIPE, SIG_IGN);
  auto log = Log::open(command.folder, {.access = Access::read});
  if (!log) return report(log.error());
  auto open = [&](Access access) {
    return open_repository(command.repository, access, limits::repository_wait_max);
  };
  if (auto repository = open(Access::write); !repository) return report(repository.error());
  ArchiveFollower follower(
      {.log = **log, .folder = command.folder, .open_repository = std::move(open)},
      std::move(*options));
  FollowDisplay display(command.json);
  do {
    display.show(follower.status(), system_now());
  } while (interrupt.wait(archive_look_interval) == Interrupt::Woken::by_time);
  follower.stop();
  return display.close(follower.status(), system_now());
}

}  // namespace almanac
