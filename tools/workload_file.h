// The bytes of a workload, checked as far as that goes without knowing what they mean.
#pragma once

#include <almanac/log/error.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace almanac::workload {

enum class Format { toml, json_lines };

struct File {
  std::string shown;             // what messages call it
  std::string stem;              // its name without folder and ending; empty when that is not UTF-8
  std::filesystem::path folder;  // absolute, where it lies
  Format format = Format::toml;
  std::string text;  // UTF-8 without a byte order mark
};

inline constexpr std::string_view workload_word = "workload";
// `path` may be "-"; `what` it is, for errors that say so. Errors: those of load_workload that need
// no format.
[[nodiscard]] Result<File> read_workload_file(const std::string& path,
                                              std::string_view what = workload_word);

// The same folder without "." and, where no link changes what it means, without "..".
[[nodiscard]] std::filesystem::path tidied(const std::filesystem::path& absolute);

// "FILE:LINE: MESSAGE".
[[nodiscard]] std::string located(const std::string& file, int line, const std::string& message);

}  // namespace almanac::workload
