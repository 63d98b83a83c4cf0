// How far the last `almanac log verify` of a folder got before it was stopped: a small file beside
// the log, with a checksum. It saves time and is no proof: what does not fit is ignored.
#pragma once

#include <almanac/log/verify.h>

#include <filesystem>
#include <optional>

namespace almanac {

struct VerifyRecord {
  Timeline timeline{};
  VerifyReport report;
  Time checked_at;
};

// Replaces the one that is there. False where the folder may not be written.
bool save_record(const std::filesystem::path& folder, const VerifyRecord& record);
// None when there is none, or it is not whole.
[[nodiscard]] std::optional<VerifyRecord> load_record(const std::filesystem::path& folder);
void remove_record(const std::filesystem::path& folder);

}  // namespace almanac
