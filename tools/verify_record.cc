#include <almanac/tools/verify_record.h>

#include <almanac/log/hash.h>

#include <fmt/core.h>

#include <fstream>
#include <sstream>
#include <string>

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr const char* record_file = "verify.progress";
constexpr std::string_view mark = "almanac-verify-1";

std::string checksum_of(std::string_view line) {
  return fmt::format("{:016x}", xxh3(as_bytes(line)));
}

}  // namespace

bool save_record(const fs::path& folder, const VerifyRecord& record) {
  const auto& [last, frames, bytes, digest, time] = record.report;
  auto line = fmt::format("{} {} {} {} {} {} {} {}", mark, to_hex(record.timeline), last.value,
                          to_hex(digest), frames, bytes, time.time_since_epoch().count(),
                          record.checked_at.time_since_epoch().count());
  auto path = folder / record_file;
  auto written = path;
  written += ".new";
  std::error_code error;
  {
    std::ofstream file(written, std::ios::trunc);
    file << line << '\n' << checksum_of(line) << '\n';
    if (!file.flush()) {
      fs::remove(written, error);
      return false;
    }
  }
  fs::rename(written, path, error);
  return !error;
}

std::optional<VerifyRecord> load_record(const fs::path& folder) {
  std::ifstream file(folder / record_file);
  std::string line;
  std::string checksum;
  if (!std::getline(file, line) || !std::getline(file, checksum)) return std::nullopt;
  if (checksum != checksum_of(line)) return std::nullopt;
  std::istringstream words(line);
  std::string found;
  std::string timeline;
  std::string digest;
  std::int64_t time = 0;
  std::int64_t checked_at = 0;
  VerifyRecord record;
  VerifyReport& report = record.report;
  words >> found >> timeline >> report.last.value >> digest >> report.frames >> report.bytes >>
      time >> checked_at;
  if (!words || found != mark || !from_hex(timeline, record.timeline) ||
      !from_hex(digest, report.digest)) {
    return std::nullopt;
  }
  report.time = Time(Duration(time));
  record.checked_at = Time(Duration(checked_at));
  return record;
}

void remove_record(const fs::path& folder) {
  std::error_code ignored;
  fs::remove(folder / record_file, ignored);
}

}  // namespace almanac
