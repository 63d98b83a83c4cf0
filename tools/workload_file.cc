#include <almanac/tools/workload_file.h>

#include <almanac/tools/limits.h>

#include <almanac/log/file.h>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

namespace almanac::workload {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t file_read_bytes = 1 * limits::mebibyte;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::optional<Format> format_of(const fs::path& path) {
  auto ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (ending == ".toml") return Format::toml;
  if (ending == ".jsonl" || ending == ".ndjson" || ending == ".json") return Format::json_lines;
  return {};
}

Result<std::string> read_all(int descriptor, const std::string& shown) {
  std::string text;
  for (;;) {
    const auto size = text.size();
    if (size > limits::workload_bytes_max) {
      return fail(ErrorCode::invalid,
                  fmt::format("{}: over the limit of {} MiB", shown,
                              limits::workload_bytes_max / limits::mebibyte),
                  "cut it into several workloads");
    }
    text.resize(size + file_read_bytes);
    const auto count = ::read(descriptor, text.data() + size, file_read_bytes);
    text.resize(size + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) return text;
    if (count < 0 && errno != EINTR) return fail_errno(errno, "read " + shown);
  }
}

// How many bytes the UTF-8 character at the front takes; 0 when it is none.
std::size_t character_bytes(std::string_view text) {
  auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return lead == 0 ? 0 : 1;
  const std::size_t bytes = lead < 0xC2   ? 0
                            : lead < 0xE0 ? 2
                            : lead < 0xF0 ? 3
                            : lead < 0xF5 ? 4
                                          : 0;
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool outside = (lead == 0xED && byte(1) >= 0xA0) || (lead == 0xF4 && byte(1) >= 0x90);
  return overlong || outside ? 0 : bytes;
}

// Where the first byte stands that is not UTF-8 or zero; the size when there is none.
std::size_t find_bad_byte(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto bytes = character_bytes(text.substr(at));
    if (bytes == 0) break;
    at += bytes;
  }
  return at;
}

// UTF-8 in lines that are not too long.
Result<void> check_text(const File& file) {
  std::string_view text = file.text;
  for (int line = 1; !text.empty(); ++line) {
    const auto content = text.substr(0, text.find('\n'));
    if (content.size() > limits::workload_line_bytes_max) {
      return fail(ErrorCode::invalid,
                  located(file.shown, line,
                          fmt::format("the line is over the limit of {} MiB",
                                      limits::workload_line_bytes_max / limits::mebibyte)),
                  "put long text into a file and give the task its name");
    }
    if (auto bad = find_bad_byte(content); bad < content.size()) {
      return fail(ErrorCode::invalid,
                  located(file.shown, line,
                          fmt::format("the byte at column {} is not UTF-8 text", bad + 1)),
                  "save the file as UTF-8");
    }
    text.remove_prefix(std::min(content.size() + 1, text.size()));
  }
  return {};
}

Result<File> read_standard_input() {
  std::error_code error;
  File file{.shown = "standard input",
            .stem = "stdin",
            .folder = fs::current_path(error),
            .format = Format::json_lines,
            .text = {}};
  if (error) return fail_errno(error.value(), "tell the current folder");
  auto text = read_all(STDIN_FILENO, file.shown);
  if (!text) return std::unexpected(std::move(text.error()));
  file.text = std::move(*text);
  return file;
}

Result<File> read_file(const std::string& path, std::string_view what) {
  FileDescriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!descriptor.valid() && (errno == ENOENT || errno == ENOTDIR)) {
    return fail(ErrorCode::not_found, fmt::format("there is no {} '{}'", what, path),
                what == workload_word ? "check the path; '-' reads JSON Lines from standard input"
                                      : "check the path");
  }
  struct stat status{};
  if (!descriptor.valid() || ::fstat(descriptor.get(), &status) != 0) {
    return fail_errno(errno, fmt::format("open the {} '{}'", what, path));
  }
  if (S_ISDIR(status.st_mode)) {
    return fail(ErrorCode::invalid, fmt::format("'{}' is a folder, not a {}", path, what),
                "name a file");
  }
  const fs::path location(path);
  auto format = format_of(location);
  if (!format) {
    return fail(ErrorCode::invalid,
                fmt::format("the ending of '{}' says nothing about its format", path),
                "call it .toml for TOML, or .jsonl, .ndjson or .json for JSON Lines");
  }
  std::error_code error;
  File file{.shown = path,
            .stem = location.stem().string(),
            .folder = tidied(fs::absolute(location, error).parent_path()),
            .format = *format,
            .text = {}};
  if (error) return fail_errno(error.value(), "tell the current folder");
  if (find_bad_byte(file.stem) < file.stem.size()) file.stem.clear();
  auto text = read_all(descriptor.get(), file.shown);
  if (!text) return std::unexpected(std::move(text.error()));
  file.text = std::move(*text);
  return file;
}

}  // namespace

Result<File> read_workload_file(const std::string& path, std::string_view what) {
  auto file = path == "-" ? read_standard_input() : read_file(path, what);
  if (!file) return file;
  if (file->text.starts_with(byte_order_mark)) file->text.erase(0, byte_order_mark.size());
  if (auto checked = check_text(*file); !checked)
    return std::unexpected(std::move(checked.error()));
  return file;
}

fs::path tidied(const fs::path& absolute) {
  fs::path result;
  std::error_code ignored;
  for (const fs::path& part : absolute) {
    if (part == "." || part.empty()) continue;
    const bool goes_back = part == ".." && result.has_filename() && result.filename() != ".." &&
                           !fs::is_symlink(result, ignored);
    result = goes_back ? result.parent_path() : result / part;
  }
  return result;
}

std::string located(const std::string& file, int line, const std::string& message) {
  return fmt::format("{}:{}: {}", file, line, message);
}

}  // namespace almanac::workload
