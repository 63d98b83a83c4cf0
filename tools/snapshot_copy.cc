#include <almanac/tools/copy_command.h>
#include <almanac/tools/interrupt.h>
#include <almanac/tools/progress_line.h>
#include <almanac/tools/snapshot_commands.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/log/this_thread.h>
#include <almanac/snapshots/copy_out.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>

namespace almanac {
namespace {

constexpr std::chrono::milliseconds copy_look_interval{100};

// Where the copy is to be.
Result<std::unique_ptr<CopyTarget>> target_of(const SnapshotCopyCommand& command,
                                              const Repository& repository,
                                              const std::stop_token& stop) {
  if (command.to.empty() == command.command.empty()) {
    return fail(ErrorCode::invalid, "it is not said where the copy is to be",
                "name a folder with --to, or a command with --command");
  }
  if (!command.to.empty()) {
    auto folder = FolderCopy::open(command.to, repository);
    if (!folder) return std::unexpected(folder.error());
    return std::make_unique<FolderCopy>(std::move(*folder));
  }
  const auto record = command.record.empty()
                          ? std::filesystem::path(command.repository.folder) / "copied"
                          : std::filesystem::path(command.record);
  auto made = CommandCopy::open(command.command, record, stop);
  if (!made) return std::unexpected(made.error());
  return std::make_unique<CommandCopy>(std::move(*made));
}

void print(const CopyReport& report, bool json) {
  if (json) {
    const nlohmann::ordered_json object{{"files", report.files},
                                        {"bytes", report.bytes},
                                        {"removed", report.removed},
                                        {"damaged", report.refused.size()}};
    fmt::print("{}\n", object.dump());
  } else if (report.files == 0 && report.removed == 0) {
    fmt::print("the copy has all there is\n");
  } else {
    fmt::print("copied {}, {}; removed {}\n", counted(report.files, "file"),
               format_bytes(report.bytes), report.removed);
  }
  std::fflush(stdout);
}

Result<CopyReport> copy_once(const SnapshotCopyCommand& command, const std::stop_token& stop) {
  auto repository = open_repository(command.repository, Access::read);
  if (!repository) return std::unexpected(repository.error());
  auto target = target_of(command, *repository, stop);
  if (!target) return std::unexpected(target.error());
  ProgressLine line;
  return copy_out(*repository, **target,
                  {.progress =
                       [&](const CopyReport& report) {
                         if (!line.is_due()) return;
                         line.show(fmt::format("{} copied, {}", counted(report.files, "file"),
                                               format_bytes(report.bytes)));
                       },
                   .stop = stop});
}

// Damage is told, and is how it ends; all else was copied.
ExitCode told(const Result<CopyReport>& copied, bool json) {
  if (!copied) return report(copied.error());
  print(*copied, json);
  auto code = ExitCode::ok;
  for (const Error& refused : copied->refused) code = report(refused);
  return code;
}

}  // namespace

ExitCode snapshot_copy(const SnapshotCopyCommand& command) {
  std::optional<std::chrono::milliseconds> every;
  if (!command.every.empty()) {
    auto duration = parse_duration(command.every);
    if (!duration) return report(duration.error());
    every = std::chrono::ceil<std::chrono::milliseconds>(*duration);
  }
  Interrupt interrupt;
  auto code = ExitCode::ok;
  std::atomic<bool> done = false;
  std::jthread copying([&](const std::stop_token& stop) {
    do {
      code = told(copy_once(command, stop), command.json);
      if (every) this_thread::wait_for(stop, *every);
    } while (every && !stop.stop_requested());
    done = true;
  });
  while (!done && interrupt.wait(copy_look_interval) == Interrupt::Woken::by_time) {}
  copying.request_stop();
  copying.join();
  return code;
}

}  // namespace almanac
