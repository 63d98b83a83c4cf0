// A repository as it is named on the command line: its folder, and the files of the keys to it.
#pragma once

#include <almanac/snapshots/repository.h>
#include <almanac/tools/command_line.h>

#include <chrono>
#include <string>
#include <vector>

namespace almanac {

struct NamedRepository {
  std::string folder;
  std::string key;                   // empty = it is not encrypted
  std::string signing_key;           // empty = what is added is not signed
  std::vector<std::string> trusted;  // none = whoever signed
};

// --repository, --key and --trust; the folder has to be named.
void add_repository(OptionSet& options, NamedRepository& repository);
// --key and --trust.
void add_keys(OptionSet& options, NamedRepository& repository);
// --sign-with, for commands that add to it.
void add_signing(OptionSet& options, NamedRepository& repository);

// How often something is archived. Errors: invalid (not a duration between 10ms and 1h).
[[nodiscard]] Result<std::chrono::milliseconds> parse_interval(const std::string& option,
                                                               const std::string& text);

// Reads them. Errors: those of key_file.h.
[[nodiscard]] Result<RepositoryKeys> read_keys(const NamedRepository& repository);
// Errors: those of key_file.h and of Repository::open.
[[nodiscard]] Result<Repository> open_repository(const NamedRepository& repository, Access access,
                                                 std::chrono::milliseconds wait_max = {});

}  // namespace almanac
