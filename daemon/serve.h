// `almanac serve`: a daemon until it is told to stop.
#pragma once

#include <almanac/tools/exit_code.h>

#include <filesystem>
#include <string>

namespace almanac {

struct ServeCommand {
  std::filesystem::path folder;
  std::string config;  // its file; empty = defaults
  std::string listen;  // above what the file says; empty = what it says
  bool is_public = false;
  bool routes = false;  // print the reference of the doors, and end
  bool verbose = false;
};
ExitCode serve(const ServeCommand& command);

}  // namespace almanac
