// A repository as it is named on the command line: its folder, and the files of the keys to it.
#pragma once

#include <almanac/snapshots/repository.h>

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

// Errors: those of key_file.h and of Repository::open.
[[nodiscard]] Result<Repository> open_repository(const NamedRepository& repository, Access access,
                                                 std::chrono::milliseconds wait_max = {});

}  // namespace almanac
