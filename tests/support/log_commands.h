// What tests of `almanac log …` share: a folder with a log of known events, and the command.
#pragma once

#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/temp_folder.h>

#include <almanac/log/event.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace almanac::test {

// Ten events of several types in four frames, one minute apart from 2026-11-21T10:00:00Z on:
//   1 TaskEnqueued "fetch page"   2 TaskStarted | 3 custom invoice.paid in "orders/17", key "k-3"
//   4 custom invoice.sent in "orders/17", story of 3   5 custom of bytes in "orders/18" |
//   6 TaskAttemptFailed "disk full" | 7 TaskFailed "Disk FULL again"   8 TaskReadied
//   9 QueueConfigured, story of 3   10 EngineStopped
[[nodiscard]] std::vector<std::vector<Event>> sample_frames();
// "2026-11-21T10:00:00Z" and so many minutes.
[[nodiscard]] Time sample_time(int minutes);
// Writes frames to the log in `folder`, which may be new.
void write_frames(const std::filesystem::path& folder,
                  const std::vector<std::vector<Event>>& frames);

// Commands run in `folder_`, on the log "log" there.
class LogCommands : public testing::Test {
 protected:
  using Words = std::vector<std::string>;
  // `almanac log WORDS`
  CommandOutput log(Words words, std::string input = {}) const;
  // Standard output of one that succeeds and complains about nothing.
  std::string output(Words words, std::string input = {}) const;
  // The positions of the events it prints.
  std::vector<int> positions(Words words) const;
  [[nodiscard]] std::filesystem::path log_folder() const { return folder_ / "log"; }

  TempFolder folder_;
};

}  // namespace almanac::test
