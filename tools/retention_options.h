// Which snapshots stay, as it is typed.
#pragma once

#include <almanac/log/error.h>
#include <almanac/snapshots/snapshot_retention.h>
#include <almanac/tools/command_line.h>

#include <cstdint>
#include <string>

namespace almanac {

struct RetentionText {
  std::string within;  // empty: 30 days when no other rule is given
  std::uint64_t last = 0;
  std::uint64_t hourly = 0;
  std::uint64_t daily = 0;
  std::uint64_t weekly = 0;
  std::uint64_t monthly = 0;
  std::uint64_t yearly = 0;

  bool operator==(const RetentionText&) const = default;
};

// --keep-within, --keep-last …
void add_retention_options(OptionSet& options, RetentionText& keep);
// Errors: invalid (a duration that is none).
[[nodiscard]] Result<RetentionPolicy> parse_retention(const RetentionText& keep);

}  // namespace almanac
