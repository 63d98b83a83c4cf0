// The subcommands of `almanac schedule`, in the manner of commands.h.
#pragma once

#include <almanac/tools/command_task.h>
#include <almanac/tools/exit_code.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace almanac {

struct ScheduleAddCommand {
  std::filesystem::path folder;
  std::string name;
  std::string recurrence;
  CommandTask task;
  std::string missed = "once";
  std::string window;
  std::string overlap = "skip";
  bool change = false;  // the one of that name, if there is one
};
ExitCode schedule_add(const ScheduleAddCommand& command);

struct SchedulePauseCommand {
  std::filesystem::path folder;
  std::string name;
  std::string reason;
};
ExitCode schedule_pause(const SchedulePauseCommand& command);

struct ScheduleChangeCommand {
  std::filesystem::path folder;
  std::string name;
};
ExitCode schedule_resume(const ScheduleChangeCommand& command);
ExitCode schedule_remove(const ScheduleChangeCommand& command);

struct ScheduleListCommand {
  std::filesystem::path folder;
  std::string at;  // position or time; empty = the end
  bool json = false;
};
ExitCode schedule_list(const ScheduleListCommand& command);

struct ScheduleShowCommand {
  std::filesystem::path folder;
  std::string name;
  std::string at;
  bool json = false;
};
ExitCode schedule_show(const ScheduleShowCommand& command);

struct ScheduleNextCommand {
  std::filesystem::path folder;
  std::string name;        // one of these two
  std::string recurrence;  // of no schedule
  std::string at;
  std::uint64_t count = 5;
  bool json = false;
};
ExitCode schedule_next(const ScheduleNextCommand& command);

}  // namespace almanac
