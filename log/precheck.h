// What is looked at before LMDB maps a file: LMDB has no checksums and a file cut short kills the
// process that reads it, so damage it would not notice must become an error here.
#pragma once

#include <almanac/log/commit_record.h>
#include <almanac/log/error.h>

#include <filesystem>
#include <optional>

namespace almanac {

struct PrecheckOptions {
  // Nobody else writes, and we may: a last commit that a crash cut short is taken back.
  bool may_take_back = false;
  // What is held elsewhere, to be appended again, ends here: a log that ends before the commit it
  // once had is refused unless this reaches that one's end.
  Position replay_through;
};

struct Precheck {
  // The newest commit that is known to have been whole: the log ends with it or behind it, unless
  // what is missing will be appended again.
  std::optional<CommitRecord> confirmed;
  // A meta page was not whole: the other one was written over it, and synced.
  bool took_back = false;
};

// Reads LMDB's two meta pages, holds the file's length against the last page they name, walks the
// pages of the newest snapshot (page_check.h says what that costs) and compares with the records of
// the last commits that lie beside the file. Beside a writer a finding counts only when nothing was
// committed meanwhile; one that commits all the time has made the same check when it opened the
// log. Errors: not_found, corrupt, newer_format, refused, io.
[[nodiscard]] Result<Precheck> check_before_mapping(const std::filesystem::path& data_file,
                                                    const PrecheckOptions& options = {});

// The newest snapshot of an open file that nobody writes to meanwhile, with the head of every value
// that has pages of its own: LMDB believes it when it gives the pages of a value free. Errors:
// corrupt, io.
[[nodiscard]] Result<void> check_before_removing(int descriptor,
                                                 const std::filesystem::path& data_file);

}  // namespace almanac
