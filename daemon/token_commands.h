// `almanac token …`: who may ask a daemon by TCP. Works beside a daemon, and without one.
#pragma once

#include <almanac/tools/exit_code.h>

#include <filesystem>
#include <string>

namespace almanac {

struct TokenCreateCommand {
  std::filesystem::path folder;  // of the log
  std::string file;              // of the tokens; empty = in that folder
  bool json = false;
  std::string name;
  std::string scopes;
  std::string expires;  // how long it is good for; empty = for ever
};
struct TokenListCommand {
  std::filesystem::path folder;
  std::string file;
  bool json = false;
};
struct TokenRevokeCommand {
  std::filesystem::path folder;
  std::string file;
  bool json = false;
  std::string name;
};

ExitCode token_create(const TokenCreateCommand& command);
ExitCode token_list(const TokenListCommand& command);
ExitCode token_revoke(const TokenRevokeCommand& command);

}  // namespace almanac
