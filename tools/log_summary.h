// What `almanac log stat` tells of a log: its files, its frames, its events by type and over time.
#pragma once

#include <almanac/log/log.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace almanac {

struct FileSize {
  std::string name;  // from the log's folder
  std::uint64_t bytes = 0;
  std::uint64_t on_disk = 0;  // what it takes there; less when it has holes
};

struct TypeSummary {
  std::string type;         // as type_name() gives it
  std::string custom_type;  // of custom events, each of which counts for itself
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;  // of text and data they carry
};

struct LogSummary {
  Timeline timeline{};
  std::optional<LogOrigin> origin;
  std::vector<FileSize> files;   // the largest first
  std::uint64_t data_bytes = 0;  // the size of the file that frames are in
  std::uint64_t frames = 0;
  std::uint64_t frame_bytes = 0;
  Position first;  // none when there is no event, as is:
  Position last;
  Time first_time;
  Time last_time;
  std::vector<TypeSummary> types;   // the most frequent first
  Duration step{0};                 // what each of these stands for, from the first time on:
  std::vector<std::uint64_t> rate;  // events in it; empty when all have one time

  // What the file of the frames holds beside them: free pages, the ends of pages, LMDB's own.
  [[nodiscard]] std::uint64_t slack() const {
    return data_bytes > frame_bytes ? data_bytes - frame_bytes : 0;
  }
};

// Reads the whole log once, as long as it is when this begins. Errors: those of Log::read_frames;
// io, refused for its files.
[[nodiscard]] Result<LogSummary> summarise(const std::filesystem::path& folder, const Log& log,
                                           std::size_t steps_max);

}  // namespace almanac
