// The subcommands of `almanac review`, in the manner of commands.h.
#pragma once

#include <almanac/tools/exit_code.h>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace almanac {

struct ReviewListCommand {
  std::filesystem::path folder;
  bool json = false;
};
ExitCode review_list(const ReviewListCommand& command);

// All of the tasks or none.
struct ReviewCommand {
  std::filesystem::path folder;
  std::vector<std::uint64_t> ids;
  bool all = false;  // that are under review
};
ExitCode review_run(const ReviewCommand& command);
ExitCode review_skip(const ReviewCommand& command);
ExitCode review_accept(const ReviewCommand& command);

}  // namespace almanac
