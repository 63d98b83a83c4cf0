// The subcommands of `almanac model`.
#pragma once

#include <almanac/tools/exit_code.h>

#include <filesystem>
#include <string>

namespace almanac {

struct ModelAddCommand {
  std::filesystem::path folder;
  std::string file;
};
// Registers those that the file describes, all or none.
ExitCode model_add(const ModelAddCommand& command);

struct ModelListCommand {
  std::filesystem::path folder;
  std::string at;  // position or time; empty = now
  bool json = false;
};
ExitCode model_list(const ModelListCommand& command);

struct ModelShowCommand {
  std::filesystem::path folder;
  std::string model;
  std::string at;
  bool json = false;
};
ExitCode model_show(const ModelShowCommand& command);

struct ModelCommand {
  std::filesystem::path folder;
  std::string model;
};
ExitCode model_remove(const ModelCommand& command);
ExitCode model_pin(const ModelCommand& command);
ExitCode model_unpin(const ModelCommand& command);

struct ModelLoadCommand {
  std::filesystem::path folder;
  std::string model;
  std::string timeout = "2m";
};
ExitCode model_load(const ModelLoadCommand& command);
ExitCode model_unload(const ModelLoadCommand& command);

}  // namespace almanac
