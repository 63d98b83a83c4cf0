// A file of lines, read one after the other, never more than one in memory.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/file.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace almanac {

class LineReader {
 public:
  // "-" is standard input. Errors: not_found, invalid (a folder), refused, io.
  [[nodiscard]] static Result<LineReader> open(const std::string& path, std::size_t line_bytes_max);

  // The next line into line(), without its end; false at the end of the file. Errors: invalid (too
  // long a line), io.
  [[nodiscard]] Result<bool> next();
  // Valid until next().
  [[nodiscard]] std::string_view line() const { return line_; }
  // Its number, from 1.
  [[nodiscard]] std::size_t number() const { return number_; }
  // What messages call the file.
  [[nodiscard]] const std::string& shown() const { return shown_; }

 private:
  LineReader() = default;
  [[nodiscard]] Result<bool> fill();

  std::string shown_;
  FileDescriptor owned_;
  int descriptor_ = -1;
  std::size_t line_bytes_max_ = 0;
  std::string buffer_;
  std::size_t begin_ = 0;  // of what was not given yet
  std::string_view line_;
  std::size_t number_ = 0;
};

}  // namespace almanac
