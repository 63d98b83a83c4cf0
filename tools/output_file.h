// Where a command writes what it was asked for when that is not always standard output.
#pragma once

#include <almanac/log/error.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace almanac {

// A file appears under its name whole or not at all: until then it is NAME.partial. Owned by the
// command.
class OutputFile {
 public:
  // An empty path is standard output. Errors: conflict (the file is there already), refused, io.
  [[nodiscard]] static Result<OutputFile> open(const std::string& path);
  OutputFile(OutputFile&&) noexcept = default;
  // Removes what was not finished.
  ~OutputFile();

  // False when it cannot be written, which finish() tells more of.
  [[nodiscard]] bool write_line(std::string_view line);
  // Errors: storage_full, io. Nobody reading standard output is none.
  [[nodiscard]] Result<void> finish();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  OutputFile() = default;
  [[nodiscard]] Result<void> failed(int error_number) const;

  std::filesystem::path path_;
  std::filesystem::path partial_;  // empty when it is written in place
  std::unique_ptr<std::FILE, Close> file_;
  int error_ = 0;
};

}  // namespace almanac
