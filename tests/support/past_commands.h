// What tests of the commands that look at the past share: a log of known events, and the command.
#pragma once

#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/log_commands.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace almanac::test {

// An engine of one slot and queues with limits; task 2 needs 1 and fails at its second attempt,
// which dooms 3; 4 has to wait for its queue. One event a minute from 10:00 on.
[[nodiscard]] std::vector<Event> told_events();

// Commands run in `folder_`, on the log "log" there, which holds told_events().
class PastCommands : public testing::Test {
 protected:
  using Words = std::vector<std::string>;
  PastCommands() { write_frames(folder_ / "log", {told_events()}); }

  [[nodiscard]] Invocation invocation(Words words) const;
  [[nodiscard]] CommandOutput run(Words words) const {
    return run_almanac(invocation(std::move(words)));
  }
  // Standard output of one that succeeds, in lines of 80 columns.
  [[nodiscard]] std::string output(Words words) const;
  [[nodiscard]] nlohmann::json output_json(Words words) const;
  // A file of tests/tools/golden.
  [[nodiscard]] static std::string golden(const std::string& name);

  TempFolder folder_;
};

}  // namespace almanac::test
