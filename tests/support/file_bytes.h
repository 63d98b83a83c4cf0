// A whole file as text, and back: what tests that damage files need.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace almanac::test {

// Both stop the test program when the file cannot be read or written.
[[nodiscard]] std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, std::string_view content);

// A file of the source tree, such as "tests/log/golden/log_v1.txt", wherever the test was started.
[[nodiscard]] std::filesystem::path source_path(std::string_view path);
// A program of the tests, built from tests/programs/NAME.cc.
[[nodiscard]] std::filesystem::path program_path(std::string_view name);

}  // namespace almanac::test
